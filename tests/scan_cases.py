"""Random automata and texts, and whether both kernels find the same with them.

Automata of patterns forget what they read at the next blank; these need not. Some never forget
anything (each class permutes the states), which is the worst there is for chains that start on a
guess. The texts are of lengths around every edge of the kernel's, and of many scripts.
"""

from random import Random

from lynkrc_runtime.scan.engines import engine_of
from lynkrc_runtime.scan.tables import Tables, pack, unpack

EDGES = (
    0,
    1,
    2,
    3,
    31,
    32,
    33,
    39,
    63,
    64,
    65,
    127,
    128,
    129,
    191,
    192,
    193,
    255,
    256,
    257,
    511,
    767,
    768,
    1023,
)
LONG_EDGES = (8191, 8192, 8193)
ALPHABETS = (
    "ab ",
    "abcdefghijklmnopqrstuvwxyz .,-\n",
    "aAbBzZ\x00\x01\x7f_",
    "a",
    " ",
    "中文字符 \uff0c。a",
    "Ààßẞ\u017f\u212aéİ\u0131Œ -\u2013\u2014\u2019",
    "Привет мир ΣΣς",
    "\u0e01\u0e33\u0301\u093f a",
    "\U00010400\U00010428\U0001f600\U0002070e a",
    "\ud800\udfff\udc80 a\u00e9",
    "ab中\u00a0\u3000\u2028é\U0001f600 ",
)


def random_tables(chance: Random, *, states: int | None = None) -> Tables:
    """An automaton that is whole and means nothing."""
    states = states or chance.choice((1, 2, 3, 5, 8, 17, 40, 120))
    classes = chance.choice((1, 2, 3, 4, 7, 12, 32))
    byte_class = bytearray(chance.randrange(classes) for _ in range(256))
    byte_class[chance.randrange(256)] = classes - 1
    transitions = [chance.randrange(states) for _ in range(states * classes)]
    shape = chance.randrange(4)
    if shape == 0:
        for number in range(classes):
            column = list(range(states))
            chance.shuffle(column)
            transitions[number::classes] = column
    elif shape == 1:
        # Like the automata of patterns: a blank leads back to the start.
        for state in range(states):
            transitions[state * classes + byte_class[ord(" ")]] = 0
    sizes = [chance.choice((0, 1, 2, 5, 40)) for _ in range(chance.randrange(1, 6))]
    entries, lexicons = sum(sizes), len(sizes)
    often = chance.choice((0.0, 0.1, 0.5, 1.0)) if entries else 0.0
    accepts: list[tuple[int, ...]] = [()]
    counts: list[tuple[int, ...]] = [()]
    for _ in range(1, states):
        if chance.random() < often:
            chosen = chance.sample(range(entries), chance.randrange(1, min(entries, 4) + 1))
            accepts.append(tuple(sorted(chosen)))
            counts.append(tuple(chance.choices(range(lexicons), k=chance.randrange(4))))
        else:
            accepts.append(())
            counts.append(())
    return unpack(
        pack(
            byte_class=bytes(byte_class),
            transitions=transitions,
            accepts=accepts,
            counts=counts,
            sizes=sizes,
        )
    )


def random_text(chance: Random, *, length: int | None = None) -> str:
    """A text of up to 1,100 characters, or of that length."""
    if length is None:
        length = max(0, chance.choice(EDGES) + chance.randrange(-1, 2))
    return "".join(chance.choices(chance.choice(ALPHABETS), k=length))


def compare(tables: Tables, texts: list[str], chance: Random) -> None:
    """Both kernels over the texts, one after the other."""
    weights = [chance.randrange(-(2**40), 2**40) for _ in range(tables.entries)]
    native = engine_of(tables, weights, "native")
    portable = engine_of(tables, weights, "portable")
    for text in texts:
        assert native.scan(text) == portable.scan(text), repr(text)
        assert native.present(text) == portable.present(text), repr(text)


def check(data: bytes) -> None:
    """One automaton and some texts, all of them made from the bytes."""
    chance = Random(data)
    texts = [random_text(chance) for _ in range(3)]
    texts.append(data.decode("utf-8", "surrogateescape") * chance.randrange(1, 4))
    compare(random_tables(chance), texts, chance)
