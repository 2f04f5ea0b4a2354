"""Wished counts of a text, to a text: pieces that must occur, filler words, marks, lines, padding.

The text is planned in numbers first (words, sentences, lines, characters), then written. Marks
stand where they make no sentence and no word. Wishes that exclude one another are met in part;
whoever asks measures the text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice, pairwise, product
from typing import final

from lynkrc.testing.char_plan import CharPlan, Size, plan_chars
from lynkrc.testing.wanted import Bounds, Wanted
from lynkrc_runtime.scan.edges import as_written
from lynkrc_runtime.text_counts import COUNTS, TextCounts

MOST_CHARS = 1_000_000
"""Longer asks are not written."""

_HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 4000)]
_TWO = "\u00e5\u00f8\u00e6\u00f0\u00fe\u00fc\u00f6\u00e9\u00ee\u00f1"
_THREE, _FOUR, _HANGUL = "\u10d0\u10d1\u10d2\u10d3\u10d4\u10d5", "\U00010428\U00010429", "\uac00"
_USUAL_DISTINCT = 40
_WORD_SPACE = 6
_MOST_NATURAL = 400
_NEED_WORDS = (
    "sentences", "numbers", "longest_sentence", "mean_sentence", "distinct_word_pct",
)  # fmt: skip


@final
@dataclass(slots=True, kw_only=True)
class _Unit:
    """What stands between two blanks: `text` with marks around it; `pad` letters follow it.

    `letters` is whether the padding may be letters (of a filler that occurs once), else dashes.
    """

    text: str
    before: str = ""
    after: str = ""
    pad: int = 0
    letters: bool = False
    filler: bool = False
    fence: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AskWish:
    """What is wished of a text, by the names of `COUNTS` without ``ask.``."""

    bounds: dict[str, Bounds]

    def of(self, name: str) -> Bounds:
        """The bounds of one count."""
        return self.bounds.get(name, Bounds())

    def least(self, name: str) -> int:
        """The smallest number that will do."""
        return max(0, self.of(name).least or 0)

    def is_tight(self, *names: str) -> bool:
        """Whether any of these has an upper end."""
        return any(self.of(name).most is not None for name in names)


def ask_wish(wanted: Wanted) -> AskWish:
    """The part of a point that is about the ask."""
    return AskWish(
        bounds={
            name.removeprefix("ask."): bounds
            for name, bounds in wanted.numbers.items()
            if name in COUNTS
        }
    )


def write_ask(wish: AskWish, fragments: Sequence[str], letters: str, digits: str) -> str:
    """The text. `letters` and `digits` are those that fillers may be made of; the last letter pads.

    >>> write_ask(AskWish(bounds={"words": Bounds(3, 3), "questions": Bounds(1, 1)}),
    ...           ["hello"], "olm", "12")
    'lolo hello lololo?'
    """
    held = TextCounts(" \n".join(fragments))
    words = _words(wish, held)
    sentences = _sentences(wish, words)
    fillers = max(0, words - len(held.words))
    merged = _merged(wish, fragments, fillers, sentences)
    units = _units(wish, fragments, fillers - merged, letters, held, words)
    _add_numbers(units, wish.least("numbers") - held.numbers, digits, letters)
    spread = _spread(wish, units, merged, sentences)
    _add_han(wish, spread, merged, words)
    # More sentences may be wished than there is anything to say in.
    spread = [sentence for sentence in spread if sentence] or [[]]
    _add_marks(wish, spread, held)
    layout = _lines(wish, spread, letters[-1:])
    _pad(wish, spread, layout, merged)
    return layout.render()


def filler_words(letters: str) -> Iterator[str]:
    """Different words of these letters, as people may read them aloud."""
    return _names(letters, tight=False)


def _words(wish: AskWish, counts: TextCounts) -> int:
    """How many words the text has."""
    bounds = wish.of("words")
    held, held_distinct = len(counts.words), len(set(counts.words))
    anything = (*_NEED_WORDS, "bytes", "chars", "tokens", "lines", "non_ascii_pct")
    least = max(held, wish.least("sentences"), int(any(wish.least(name) for name in anything)))
    if wish.least("numbers") > counts.numbers or wish.least("non_ascii_pct"):
        least = max(least, held + 1)  # only a filler has room for these
    size = max(
        wish.least("chars"), wish.least("bytes"), 4 * wish.least("tokens"),
        wish.least("longest_sentence"),
        wish.least("mean_sentence") * max(1, wish.least("sentences")),
    )  # fmt: skip
    words = bounds.nearest(max(least, min(size // _WORD_SPACE, _MOST_NATURAL)))
    pct = wish.of("distinct_word_pct")
    if pct.least is None and pct.most is None:
        return words
    needs_words = bool(held) or any(wish.least(name) for name in _NEED_WORDS)
    if pct.most == 0 and bounds.allows(0) and not needs_words:
        return 0
    for more in range(words, words + 400):
        if bounds.allows(more) and _distinct(pct, more, held_distinct) is not None:
            return more
    return words


def _distinct(pct: Bounds, words: int, least: int) -> int | None:
    """How many of the words differ, None where no number of them will do."""
    if not words:
        return 0 if pct.allows(0) else None
    low = max(least, 1, -(-words * (pct.least or 0) // 100))
    return low if low <= words and pct.allows(100 * low // words) else None


def _sentences(wish: AskWish, words: int) -> int:
    """How many sentences, at most one a word."""
    if not words:
        return 0
    bounds, mean = wish.of("sentences"), wish.of("mean_sentence")
    longest = wish.of("longest_sentence")
    chars = wish.of("chars").nearest(max(wish.least("bytes"), 4 * wish.least("tokens") - 3))
    wished = 1
    if mean.most is not None:
        if chars:
            wished = max(1, -(-chars // (mean.most + 1)))
        elif longest.least is not None and longest.least > mean.most:
            wished = next(
                number
                for number in count(2)
                if mean.most * number + number - 1 >= longest.least + 4 * (number - 1)
                or number >= 200
            )
    if longest.most is not None:
        room = max(chars + 1, 2 * words)
        wished = max(wished, -(-room // (longest.most + 2)))
    return min(max(1, bounds.nearest(wished)), words)


def _merged(wish: AskWish, fragments: Sequence[str], fillers: int, sentences: int) -> int:
    """How many filler words have to be ideographs, which take no blanks, for want of room."""
    mean, longest = wish.of("mean_sentence").most, wish.of("longest_sentence").most
    ends = [wish.of("chars").most, wish.of("bytes").most]
    if mean is not None:
        ends.append((mean + 1) * sentences - 1)
    if longest is not None:
        ends.append((longest + 1) * sentences - 1)
    most = min((end for end in ends if end is not None), default=None)
    if most is None:
        return 0
    held = sum(map(len, fragments)) + len(fragments)
    spare = held + 2 * fillers - 1 + max(0, sentences - 1) - most
    return min(fillers, spare + sentences) if spare > 0 and fillers > 1 else 0


def _han(wish: AskWish, words: int) -> Iterator[str]:
    pct = wish.of("distinct_word_pct")
    wanted = _distinct(pct, words, 0) if pct.most is not None else None
    return (_HAN[number % (wanted or len(_HAN))] for number in count())


def _units(
    wish: AskWish, fragments: Sequence[str], fillers: int, letters: str, held: TextCounts,
    words: int,
) -> list[_Unit]:  # fmt: skip
    """The pieces with the fillers between them."""
    pct = wish.of("distinct_word_pct")
    distinct = min(fillers, _USUAL_DISTINCT)
    if pct.least is not None or pct.most is not None:
        wanted = _distinct(pct, words, len(set(held.words)))
        distinct = min(fillers, max((wanted or 1) - len(set(held.words)), int(not held.words)))
    repeated = [as_written(word) for word in held.words[:1] if not distinct]
    tight = wish.is_tight("chars", "bytes", "tokens", "mean_sentence", "longest_sentence")
    if tight and pct == Bounds():
        distinct = min(distinct, max(1, len(letters) - 1))
    names = [*islice(_names(letters, tight), distinct)] or repeated or ["-"]
    last = names[-1] if distinct else names[0]
    made = [
        _Unit(text=names[n], filler=True, letters=n < distinct - (fillers > distinct))
        if n < len(names)
        else _Unit(text=last, filler=True)
        for n in range(fillers)
    ]
    pieces = [_Unit(text=fragment) for fragment in fragments]
    gap = max(1, len(made) // (len(pieces) + 1)) if made else 0
    units: list[_Unit] = []
    for piece in pieces:
        units += made[:gap]
        del made[:gap]
        units.append(piece)
    return units + made


def _names(letters: str, tight: bool) -> Iterator[str]:
    """Different words without the last letter, which pads them: short ones first."""
    own = letters[:-1] or letters or "-"
    vowels = [letter for letter in own if letter in "aeiou"]
    parts = [one + vowel for one in own if one not in vowels for vowel in vowels]
    if tight or not parts:
        return ("".join(name) for size in count(1) for name in product(own, repeat=size))
    return ("".join(name) for size in count(2) for name in product(parts, repeat=size))


def _add_numbers(units: list[_Unit], numbers: int, digits: str, letters: str) -> None:
    """Put runs of digits into fillers that occur once: one each, the rest into the last."""
    fillers = [unit for unit in units if unit.letters] or [unit for unit in units if unit.filler]
    if numbers <= 0 or not digits or not fillers:
        return
    *others, last = fillers[:numbers]
    for unit in others:
        unit.text = digits[0] + unit.text
    more = numbers - len(others) - 1
    last.text = (digits[0] + letters[:1]) * more + digits[0] + last.text


def _spread(
    wish: AskWish, units: Sequence[_Unit], merged: int, sentences: int
) -> list[list[_Unit]]:
    """The units in as many sentences: about alike, unless the first is to be the longest."""
    if not sentences:
        return [list(units)]
    if len(units) < sentences:
        return [list(units[n : n + 1]) for n in range(sentences if merged else max(1, len(units)))]
    longest = wish.least("longest_sentence")
    mean = wish.of("mean_sentence").most
    chars = max(wish.least("chars"), wish.least("bytes"), (mean or 0) * sentences)
    first = 0
    if chars > longest > chars // sentences:
        first = max(0, len(units) * longest // chars - len(units) // sentences)
    rest = len(units) - first
    first = min(first, len(units) - sentences)
    rest = len(units) - first
    edges = [0, *(first + rest * number // sentences for number in range(1, sentences + 1))]
    return [list(units[a:b]) for a, b in pairwise(edges)]


def _add_han(wish: AskWish, spread: list[list[_Unit]], merged: int, words: int) -> None:
    """Ideographs, in as many units as there are sentences, where words need to take no blanks."""
    han = _han(wish, words)
    for number, sentence in enumerate(spread):
        share = merged // len(spread) + (number < merged % len(spread))
        if share:
            sentence.append(_Unit(text="".join(islice(han, share)), filler=True))


def _add_marks(wish: AskWish, spread: list[list[_Unit]], held: TextCounts) -> None:
    """Commas, brackets and quotation marks at units, stops at the ends of sentences."""
    if not any(spread):
        wished = any(wish.least(name) for name in ("bytes", "chars", "tokens", "lines"))
        spread[0].append(_Unit(text="-" if wished else ""))
    units = [unit for sentence in spread for unit in sentence]
    hosts = [unit for unit in units if unit.filler] or units
    here = {name: int(COUNTS[f"ask.{name}"](held)) for name in ("commas", "quotes", "parens")}
    for number in range(wish.least("commas") - here["commas"]):
        hosts[number % len(hosts)].after += ","
    for name, mark in (("quotes", '"'), ("parens", "(")):
        for number in range(wish.least(name) - here[name]):
            hosts[number % len(hosts)].before += mark
    _add_stops(wish, spread, held)


def _add_stops(wish: AskWish, spread: list[list[_Unit]], held: TextCounts) -> None:
    any_periods = wish.of("periods").most is None
    periods = max(0, wish.least("periods") - held.number_of("."))
    questions = max(0, wish.least("questions") - held.number_of("?"))
    asks = wish.of("last_is_question")
    ends_asking = asks.least == 1 or (asks.most is None and questions > 0)
    if ends_asking:
        questions = max(0, questions - 1)
    # A sentence may be left without a word where few are wished for.
    said = [sentence for sentence in spread if sentence]
    for sentence in said[:-1]:
        if periods or any_periods:
            sentence[-1].after += "."
            periods = max(0, periods - 1)
        elif questions:
            sentence[-1].after += "?"
            questions -= 1
        else:
            sentence[-1].after += "!"
    first, last = said[0][0], said[-1][-1]
    if ends_asking:
        last.after += "." * periods + "?" * (questions + 1)
    else:
        if any(unit.text for unit in said[0]):
            first.before = "?" * questions + first.before
        else:
            last.after = "?" * questions + ("" if periods else "!" * bool(questions)) + last.after
        last.after += "." * periods


@final
@dataclass(slots=True, kw_only=True)
class _Layout:
    """The sentences, after which unit a line ends, and blanks that follow a sentence."""

    spread: list[list[_Unit]]
    breaks: set[int]
    blanks: list[int]
    letter: str
    plan: CharPlan | None = None

    def render(self) -> str:
        wide = _wide_letters(self.plan)
        units = [unit for sentence in self.spread for unit in sentence if unit.letters]
        # Only what the padding has no room for replaces the letters that tell fillers apart.
        extra = [wide.pop() for _ in range(len(wide) - sum(unit.pad for unit in units))]
        parts: list[str] = []
        place = 0
        for number, sentence in enumerate(self.spread):
            for unit in sentence:
                parts.append(self._unit(unit, wide, extra))
                parts.append("\n" if place in self.breaks else " ")
                place += 1
            parts.append(" " * self.blanks[number])
        return "".join(parts).strip()

    def _unit(self, unit: _Unit, wide: list[str], extra: list[str]) -> str:
        text = unit.text
        if unit.letters and extra:
            text = "".join(extra.pop() if extra and c.isalpha() else c for c in text)
        pad = (self.letter if unit.letters else "-") * unit.pad
        if unit.letters and wide and pad:
            taken = min(len(pad), len(wide))
            pad = "".join(wide.pop() for _ in range(taken)) + pad[taken:]
        fence = "```" if unit.fence else ""
        return fence + unit.before + text + pad + unit.after


def _wide_letters(plan: CharPlan | None) -> list[str]:
    if plan is None:
        return []
    letters = [_FOUR[n % len(_FOUR)] for n in range(plan.four)]
    letters += [_HANGUL] * plan.hangul
    letters += [_THREE[n % len(_THREE)] for n in range(plan.three)]
    return letters + [_TWO[n % len(_TWO)] for n in range(plan.two)]


def _lines(wish: AskWish, spread: list[list[_Unit]], letter: str) -> _Layout:
    """Where lines end, and which begin with a fence."""
    units = [unit for sentence in spread for unit in sentence]
    ends, at = [], -1
    for sentence in spread:
        at += len(sentence)
        ends.append(at)
    blocks = wish.least("code_blocks")
    fences = max(0, 2 * blocks - 1)
    lines = wish.of("lines").nearest(max(1, fences))
    between = [*ends[:-1], *(n for n in range(len(units) - 1) if n not in ends)]
    missing = max(0, lines - 1 - len(between))
    # Lines of their own, in front of everything: they make no word.
    spread[0][:0] = [_Unit(text="-" if not blocks else "") for _ in range(missing)]
    between = [*range(missing), *(n + missing for n in between)]
    breaks = set(between[: lines - 1])
    units = [unit for sentence in spread for unit in sentence]
    starts = [units[0], *(units[n + 1] for n in sorted(breaks))] if units else []
    for unit in starts[:fences]:
        unit.fence = True
    for unit in units:
        if not (unit.fence or unit.text or unit.before or unit.after) and len(units) > 1:
            unit.text = "-"
    return _Layout(spread=spread, breaks=breaks, blanks=[0] * len(spread), letter=letter or "-")


def _pad(wish: AskWish, spread: list[list[_Unit]], layout: _Layout, ideographs: int) -> None:
    """Lengthen fillers until the text, and its longest sentence, are as long as wished."""
    longest = wish.of("longest_sentence")
    text = layout.render()
    if longest.least is not None and len(text) < MOST_CHARS:
        missing = min(longest.least, MOST_CHARS) - max(TextCounts(text).sentences, default=0)
        if missing > 0:
            _lengthen(spread[0], missing)
            text = layout.render()
            # A first sentence that was not the longest yet has more to go.
            missing = longest.least - max(TextCounts(text).sentences, default=0)
            if 0 < missing < MOST_CHARS:
                _lengthen(spread[0], missing)
                text = layout.render()
    size = _size(wish, len(spread))
    if not size.is_bound or not text:
        return
    room = sum(
        sum(map(str.isalpha, unit.text)) + unit.pad
        for sentence in spread
        for unit in sentence
        if unit.letters
    )
    plan = plan_chars(size, len(text), room, ideographs, MOST_CHARS)
    if plan is None:
        return
    missing = plan.chars - len(text)
    lengths = TextCounts(text).sentences
    order = range(len(spread) - 1, -1, -1)
    for number in order:
        most = missing
        if longest.most is not None and number < len(lengths):
            most = min(missing, longest.most - lengths[number])
        elif number and wish.of("longest_sentence") == Bounds():
            most = min(missing, (plan.chars - len(text)) // len(spread))
        if most > 0:
            _lengthen(spread[number], most)
            missing -= most
    if missing > 0 and len(spread) > 1:
        layout.blanks[0] += missing
    layout.plan = plan


def _size(wish: AskWish, sentences: int) -> Size:
    """What is wished of the size; a mean is one of the characters."""
    chars, mean = wish.of("chars"), wish.of("mean_sentence")
    if chars == Bounds() and sentences and mean != Bounds():
        least = None if mean.least is None else mean.least * sentences
        most = None if mean.most is None else mean.most * sentences + sentences - 1
        chars = Bounds(least, most)
    return Size(
        chars=chars, size=wish.of("bytes"), tokens=wish.of("tokens"), pct=wish.of("non_ascii_pct")
    )


def _lengthen(sentence: Sequence[_Unit], by: int) -> None:
    """Make the sentence this many characters longer."""
    hosts = [unit for unit in sentence if unit.letters] or [sentence[-1]]
    share, more = divmod(by, len(hosts))
    for number, unit in enumerate(hosts):
        unit.pad += share + (number < more)
