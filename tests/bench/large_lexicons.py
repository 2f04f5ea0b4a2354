"""A spec whose lexicons have 10,000 entries: words and pairs of words, or Chinese among them."""

import random

ENTRIES = 10_000
LEXICONS = 20
_SYLLABLES = (
    *(consonant + vowel for consonant in "bklmnrst" for vowel in "aeiou"),
    *("tion", "ment", "ness", "ly", "ing"),
)
_HAN = 0x4E00
_MOST_HAN = 20_900


def entries(count: int = ENTRIES, seed: int = 0, *, chinese: bool = False) -> list[str]:
    """So many patterns, all different; with `chinese` every other one is.

    One in three of the others is a pair, of words that come again, and one in three ends with
    ``*``. The Chinese ones are of as many letters as there are.
    """
    draw = random.Random(seed)
    words = [_word(draw) for _ in range(2_000)]
    made: dict[str, None] = {}
    while len(made) < (count // 2 if chinese else count):
        some = " ".join(draw.choices(words, k=2)) if draw.randrange(3) == 0 else _word(draw)
        made[some + draw.choice(("", "", "*"))] = None
    while len(made) < count:
        chars = (chr(_HAN + draw.randrange(_MOST_HAN)) for _ in range(draw.choice((2, 2, 3))))
        made["".join(chars)] = None
    mixed = list(made)
    draw.shuffle(mixed)
    return mixed


def spec_text(*, chinese: bool = False) -> str:
    """A spec with a rule for each of its lexicons."""
    made = entries(chinese=chinese)
    lines = [
        "version: 1\nname: large\nproviders:\n",
        '  local: {kind: ollama, base_url: "http://localhost:11434", trust: local}\n',
        "targets:\n",
        "  small: {provider: local, model: m, context: 8k, capabilities: [], price: free}\n",
        "lexicons:\n",
    ]
    for number in range(LEXICONS):
        quoted = ", ".join(f'"{one}"' for one in made[number::LEXICONS])
        lines.append(f"  words{number}: [{quoted}]\n")
    lines.append("tiers:\n  - {name: ONLY, chain: [small]}\nrules:\n")
    for number in range(LEXICONS):
        lines.append(f'  - {{name: r{number}, when: "matches(ask, words{number})", add: 1}}\n')
    return "".join(lines)


def _word(draw: random.Random) -> str:
    return "".join(draw.choice(_SYLLABLES) for _ in range(draw.randint(2, 4)))
