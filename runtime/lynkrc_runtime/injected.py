"""One text block to the words the user wrote in it, without what a client put around them.

Three kinds of markers, all data of the client profiles:

- an *element* (``<system-reminder>..</system-reminder>``) is the client's from tag to tag. A
  closing tag closes the nearest opening before it; an opening that nothing closes is words. A
  client closes what it opens, and a user who writes about a tag must not lose the rest of the
  text: dropped words change the decision unseen, a left-over note at worst costs a dearer model.
- a *wrapper* (``<user_query>..</user_query>``) holds the user's words; the rest of its block is
  the client's. It counts where nothing but markup stands beside it, so that a user's own
  ``<task>`` between sentences stays as it is. It reaches to its last closing tag, and a wrapper
  in a wrapper is taken off too: the words are the same wrapped once, twice or not at all.
- a block that begins with a *prefix* is the client's.

Each step reads the text once.

>>> markers = make_markers(tags=["note"], wrappers=["ask"], prefixes=["[Begin"])
>>> authored("<note>be brief</note> <ask>is <note> a tag?</ask>", markers)
'is <note> a tag?'
>>> authored("[Begin of log]", markers)
''
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

_MAX_ATTRIBUTES = 1_000  # characters inside an opening tag

_Place: TypeAlias = tuple[int, int]
"""Where something begins and ends in the text."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Markers:
    """How to know text that a client injected.

    `elements` and `wrappers` find the tags of each; the closers, which begin with ``</``, are cheap
    tests for them: without one there is neither. `spelled` has each prefix in UTF-8
    behind its size in four bytes, the lowest first.
    """

    elements: re.Pattern[str] | None
    element_closer: re.Pattern[str] | None
    wrappers: re.Pattern[str] | None
    wrapper_closer: re.Pattern[str] | None
    prefixes: tuple[str, ...]
    spelled: bytes


def make_markers(
    *, tags: Iterable[str], wrappers: Iterable[str], prefixes: Iterable[str]
) -> Markers:
    """Markers of these tags, wrappers and prefixes; order and repetition do not count.

    What is a tag in one profile and a wrapper in another is a wrapper: words must not be lost.
    """
    around = sorted(set(wrappers))
    elements = sorted(set(tags).difference(around))
    begins = tuple(sorted(set(prefixes)))
    return Markers(
        elements=_tags(elements),
        element_closer=_closer(elements),
        wrappers=_tags(around),
        wrapper_closer=_closer(around),
        prefixes=begins,
        spelled=b"".join(map(_spelled, begins)),
    )


def _spelled(prefix: str) -> bytes:
    written = prefix.encode("utf-8", "surrogatepass")
    return len(written).to_bytes(4, "little") + written


def _tags(names: Sequence[str]) -> re.Pattern[str] | None:
    if not names:
        return None
    # What is tried at one "<" ends at the next, so the search is linear in the text.
    return re.compile(
        rf"<(?P<close>/?)(?P<name>{_any_of(names)})"
        rf"(?:\s[^<>]{{0,{_MAX_ATTRIBUTES}}})?(?<!/)>"  # <tag/> is closed and holds nothing
    )


def _closer(names: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile(f"</(?:{_any_of(names)})") if names else None


def _any_of(names: Sequence[str]) -> str:
    return "|".join(map(re.escape, names))


def authored(text: str, markers: Markers) -> str:
    """What of one text block the user wrote, trimmed; empty when nothing."""
    if "<" in text and "</" in text:  # one character is searched for many times faster than two
        if markers.elements and _is_in(markers.element_closer, text):
            text = without_elements(text, markers.elements)
        if markers.wrappers and _is_in(markers.wrapper_closer, text):
            text = unwrapped(text, markers.wrappers)
    text = text.strip()
    return "" if text.startswith(markers.prefixes) else text


def _is_in(closer: re.Pattern[str] | None, text: str) -> bool:
    return closer is not None and closer.search(text) is not None


def without_elements(text: str, tags: re.Pattern[str]) -> str:
    """The text with a line break in place of every element that is closed."""
    open_tags: dict[str, list[int]] = {}
    elements: list[_Place] = []
    for tag in tags.finditer(text):
        name = tag["name"]
        if tag["close"]:
            if open_tags.get(name):
                start = open_tags[name].pop()
                while elements and elements[-1][0] >= start:
                    elements.pop()  # lies inside
                elements.append((start, tag.end()))
        else:
            open_tags.setdefault(name, []).append(tag.start())
    kept, at = [], 0
    for start, end in elements:
        if start > at:
            kept.append(text[at:start])
        at = max(at, end)  # elements of two names may overlap
    return "\n".join([*kept, text[at:]])


def unwrapped(text: str, tags: re.Pattern[str]) -> str:
    """The words inside the innermost wrapper; the text where no wrapper counts."""
    opening: list[tuple[str, _Place]] = []
    closing: dict[str, list[_Place]] = {}
    for tag in tags.finditer(text):
        if tag["close"]:
            closing.setdefault(tag["name"], []).append(tag.span())
        else:
            opening.append((tag["name"], tag.span()))
    inner = _trimmed(text, 0, len(text))
    markup_follows: dict[int, bool] = {}  # by where a closing tag ends; `inner` ends alike
    for name, (start, words_from) in opening:
        closes = closing.get(name, [])
        while closes and closes[-1][1] > inner[1]:
            closes.pop()  # outside what is left
        if start < inner[0] or not closes or closes[-1][0] < words_from:
            continue
        words_to, end = closes[-1]
        if end not in markup_follows:
            markup_follows[end] = _is_markup(text, end, inner[1])
        if markup_follows[end] and _is_markup(text, inner[0], start):
            inner = _trimmed(text, words_from, words_to)
            markup_follows.clear()
    return text[inner[0] : inner[1]]


def _is_markup(text: str, start: int, end: int) -> bool:
    """Whether a part is blank, or begins and ends with a tag."""
    start, end = _trimmed(text, start, end)
    return start == end or (text[start] == "<" and text[end - 1] == ">")


def _trimmed(text: str, start: int, end: int) -> _Place:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end
