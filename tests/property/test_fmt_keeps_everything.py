"""The canonical form says what the text said, keeps its comments, and is its own canonical form.

Texts are the shipped specs and a spec with every kind of value, written again in random styles
(flow and block, quotes, order of known keys, indentation, comments, blank lines), and the same
texts with random changes of single places.
"""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.cli.specs import DiskLoader
from lynkrc.diagnostics.model import Severity
from lynkrc.ir.digest import meaning_digest
from lynkrc.lower.table import lower_decision
from lynkrc.pipeline import check_spec
from lynkrc.source.nodes import Plain, plain
from lynkrc.source.resources import read_spec, spec_names
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.fmt import format_spec
from lynkrc.syntax.read import read_config
from lynkrc.syntax.shape import Shape, root_shape
from tests.property.effort import tried
from tests.unit.sema_sample import catalog

GOLDEN = Path(__file__).parents[1] / "golden" / "fmt"
SHIPPED = [read_spec(name) for group in ("builtin", "starter") for name in spec_names(group)]
TEXTS = [
    read_spec("starter/claude"),
    *(path.read_text(encoding="utf-8") for path in sorted(GOLDEN.glob("*/input.yaml"))),
]
COMMENT = re.compile(r"#[0-9]+#")


def formatted(text: str) -> str | None:
    """The canonical form; a text with errors has none."""
    printed, findings = format_spec(SourceFile(path="routing.yaml", text=text))
    assert (printed is None) == any(one.severity is Severity.ERROR for one in findings)
    return printed


def assert_kept(text: str, printed: str) -> None:
    before, _ = read_config(SourceFile(path="routing.yaml", text=text))
    after, _ = read_config(SourceFile(path="routing.yaml", text=printed))
    assert before is not None
    assert before == after
    assert formatted(printed) == printed
    assert printed.endswith("\n")
    assert not printed.endswith("\n\n")


class Writer:
    """Writes values in random styles that mean the same."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.comments = 0
        self.after_block = False
        """Whether a deep comment would be the text of the scalar before it."""

    def comment(self) -> str:
        self.comments += 1
        return f"#{self.comments}#" + self.rng.choice(["", " a: [b]", " 'x", ' "'])

    def behind(self) -> str:
        return f" {self.comment()}" if self.rng.random() < 0.1 else ""

    def above(self, indent: int) -> str:
        lines = ""
        columns = [indent, 0] if self.after_block else [indent, 0, indent + 3]
        self.after_block = False
        while self.rng.random() < 0.2:
            lines += self.rng.choice(["\n", " " * self.rng.choice(columns) + "%\n"])
        return "".join(self.comment() if char == "%" else char for char in lines)

    def pairs(self, value: dict[str, Plain], shape: Shape) -> list[tuple[str, Plain]]:
        pairs = list(value.items())
        if shape.keys():
            self.rng.shuffle(pairs)
        return pairs

    def block(self, value: Plain, shape: Shape, indent: int) -> str:
        """A value from behind the colon or the dash that leads to it."""
        if isinstance(value, dict) and value and self.rng.random() < 0.7:
            inner = indent + self.rng.choice([1, 2, 4])
            return self.behind() + "\n" + self.mapping(value, shape, inner)
        if isinstance(value, list) and value and self.rng.random() < 0.6:
            inner = indent + self.rng.choice([1, 2, 3])
            text = self.behind() + "\n"
            for item in value:
                text += self.above(inner) + " " * inner + "-"
                if isinstance(item, dict) and item and self.rng.random() < 0.5:
                    text += " " + self.mapping(item, shape.item(), inner + 2).lstrip(" ")
                else:
                    text += self.block(item, shape.item(), inner)
            return text
        if isinstance(value, str) and self.rng.random() < 0.2 and self.blockable(value):
            sign, pad = self.rng.choice("|>"), " " * (indent + self.rng.choice([1, 2, 5]))
            self.after_block = True
            ends = "" if value.endswith("\n") else "-"
            lines = value.removesuffix("\n").split("\n")
            if sign == "|":
                return f" {sign}{ends}{self.behind()}\n" + "".join(f"{pad}{x}\n" for x in lines)
            folded = lines[0].replace(" ", f"\n{pad}", 1)
            if len(lines) == 1:
                return f" {sign}{ends}{self.behind()}\n{pad}{folded}\n"
        return " " + self.flow(value, shape, indent + 1, False) + self.behind() + "\n"

    def blockable(self, value: str) -> bool:
        return value.isprintable() and value == value.strip() and "  " not in value and value != ""

    def mapping(self, value: dict[str, Plain], shape: Shape, indent: int) -> str:
        text = ""
        for key, child in self.pairs(value, shape):
            text += self.above(indent) + " " * indent + self.scalar(key, True) + ":"
            text += self.block(child, shape.at(key), indent)
        if self.rng.random() < 0.1:
            text += " " * indent + self.comment() + "\n"
        return text

    def flow(self, value: Plain, shape: Shape, indent: int, inside: bool) -> str:
        gap = self.rng.choice(["", " ", "\n" + " " * indent])
        if self.rng.random() < 0.05:
            gap = f" {self.comment()}\n" + " " * indent
        if isinstance(value, list):
            items = [self.flow(item, shape.item(), indent, True) for item in value]
            return f"[{gap}{f' ,{gap}'.join(items)}{gap}]"
        if isinstance(value, dict):
            entries = [
                f"{self.scalar(key, True)}: {self.flow(child, shape.at(key), indent, True)}"
                for key, child in self.pairs(value, shape)
            ]
            return "{" + gap + f" ,{gap}".join(entries) + gap + "}"
        return self.scalar(value, inside)

    def scalar(self, value: Plain, inside: bool) -> str:
        if not isinstance(value, str):
            return str(value).lower()
        if value.isprintable() and self.rng.random() < 0.3:
            return "'" + value.replace("'", "''") + "'"
        if re.fullmatch(r"(?!null)[a-z][a-z.]{3,}( [a-z]+)*", value) and self.rng.random() < 0.5:
            return value
        escapes = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
        return '"' + "".join(escapes.get(char, char) for char in value) + '"'


@pytest.mark.parametrize("text", SHIPPED)
def test_a_shipped_spec(text: str) -> None:
    printed = formatted(text)
    assert printed is not None
    assert_kept(text, printed)
    assert "\n\n\n" not in printed


@tried(20)
@given(st.sampled_from(TEXTS), st.integers(0, 2**32))
def test_a_spec_in_any_style(text: str, seed: int) -> None:
    root, _ = read_nodes(SourceFile(path="routing.yaml", text=text))
    assert root is not None
    value = plain(root)
    assert isinstance(value, dict)
    writer = Writer(random.Random(seed))
    written = writer.mapping(value, root_shape(), 0)
    printed = formatted(written)
    assert printed is not None, written
    assert_kept(written, printed)
    assert sorted(COMMENT.findall(printed)) == sorted(COMMENT.findall(written))


CHANGES: tuple[Callable[[str, int], str], ...] = (
    lambda text, at: text[:at] + " # c\n" + text[at:],
    lambda text, at: text[:at] + "\n" + text[at:],
    lambda text, at: text[:at] + "\n\n\n" + text[at:],
    lambda text, at: text[:at] + " " + text[at:],
    lambda text, at: text[:at] + '"' + text[at:],
    lambda text, at: text[:at] + "\n  # c\n" + text[at:],
    lambda text, at: text[:at] + text[at + 1 :],
    lambda text, at: text[:at] + text[text.find("\n", at) + 1 :],
    lambda text, at: text[:at] + text[at : at + 60].replace(" ", "\n   ", 1) + text[at + 60 :],
    lambda text, at: text[:at] + text[at : at + 60].replace("\n", "   # c\n", 1) + text[at + 60 :],
    lambda text, _: text.replace("\n", "\r\n"),
)


@tried(40)
@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 10_000)), min_size=1, max_size=4),
)
def test_a_spec_with_changes_anywhere(
    text: str, changes: list[tuple[Callable[[str, int], str], int]]
) -> None:
    for change, place in changes:
        text = change(text, place % len(text))
    text = re.sub("\r+\n", "\r\n", text)
    printed = formatted(text)
    if printed is not None:
        assert_kept(text, printed)


@tried(3)
@given(st.integers(0, 2**32))
def test_the_meaning_digest_is_the_same(seed: int) -> None:
    text = read_spec("starter/claude")
    root, _ = read_nodes(SourceFile(path="routing.yaml", text=text))
    assert root is not None
    value = plain(root)
    assert isinstance(value, dict)
    written = Writer(random.Random(seed)).mapping(value, root_shape(), 0)
    printed = formatted(written)
    assert printed is not None
    assert digest(printed) == digest(written) == digest(text)


def digest(text: str) -> str:
    checked = check_spec("routing.yaml", text.encode(), loader=DiskLoader(), catalog=catalog())
    assert checked.typed is not None, checked.diagnostics
    return meaning_digest(lower_decision(checked.typed))
