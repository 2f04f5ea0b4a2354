"""Bytes to text: encodings, size, characters; and nodes: limits, spans, both YAML parsers."""

import pytest
import yaml

from lynkrc.diagnostics.model import MAX_FINDINGS
from lynkrc.source.decode_text import MAX_BYTES, decode_source
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import MAX_CUTS, MAX_DEPTH, MAX_EVENTS, read_nodes

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


def nodes(text: str, loader: type[yaml.SafeLoader] = LOADERS[-1]) -> Node:
    root, findings = read_nodes(SourceFile(path="x.yaml", text=text), loader)
    assert root is not None
    assert findings == []
    return root


def codes(text: str, loader: type[yaml.SafeLoader] = LOADERS[-1]) -> list[str]:
    _, findings = read_nodes(SourceFile(path="x.yaml", text=text), loader)
    return [finding.code.id for finding in findings]


def test_a_byte_order_mark_is_dropped_and_moves_no_column() -> None:
    file, findings = decode_source("x.yaml", "\ufeffné: 1\n".encode())
    assert findings == []
    assert file.text == "né: 1\n"


def test_the_first_bad_byte_is_located_in_code_points() -> None:
    file, findings = decode_source("x.yaml", "é\né".encode() + b"\xff")
    assert [finding.code.id for finding in findings] == ["LK002"]
    assert file.position(findings[0].span.start) == (2, 2)


def test_the_size_limit_is_inclusive() -> None:
    assert decode_source("x.yaml", b"#" * MAX_BYTES)[1] == []
    _, findings = decode_source("x.yaml", b"#" * (MAX_BYTES + 1))
    assert [finding.code.id for finding in findings] == ["LK001"]


@pytest.mark.parametrize(
    "char", ["\x00", "\x1b", "\x7f", "\r", "\x85", "\u2028", "\u2029", "\u200b", "\ufeff"]
)
def test_a_bad_character_is_found_where_it_stands(char: str) -> None:
    _, findings = decode_source("x.yaml", f"a: 'b{char}c'\r\n".encode())
    assert [(finding.code.id, finding.span.start) for finding in findings] == [("LK003", 5)]


@pytest.mark.parametrize("loader", LOADERS)
def test_spans_cover_what_was_written(loader: type[yaml.SafeLoader]) -> None:
    text = "a: 'x'\nb:\n  - {c: 1}  # note\n  - |\n    two\n    lines\n\n# end\nd: [1,\n 2]\n"
    root = nodes(text, loader)
    assert isinstance(root, MappingNode)
    assert root.span.text == text[: text.index("\n", text.index("2]"))]
    values = [value for _, value in root.entries]
    assert values[0].span.text == "'x'"
    assert values[2].span.text == "[1,\n 2]"
    assert isinstance(values[1], SequenceNode)
    assert [item.span.text for item in values[1].items] == ["{c: 1}", "|\n    two\n    lines"]


@pytest.mark.parametrize("loader", LOADERS)
def test_a_key_without_value_has_an_empty_span(loader: type[yaml.SafeLoader]) -> None:
    root = nodes("a:\nb: ~\n", loader)
    assert isinstance(root, MappingNode)
    (_, absent), (_, null) = root.entries
    assert isinstance(absent, ScalarNode)
    assert absent.span.text == ""
    assert absent.value is None
    assert isinstance(null, ScalarNode)
    assert (null.span.text, null.value) == ("~", None)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b: c\n", ["LK004"]),
        ("a: 'x\n", ["LK004"]),
        ("a: [1, 2\n", ["LK004"]),
        ("a: {b: 1\n", ["LK004"]),
        ("a: @x\n", ["LK004"]),
        ("a:\n\tb: 1\n", ["LK004"]),
        ("a:\n  b: 1\n c: 2\n", ["LK004"]),
        ("- a\nb: 1\n", ["LK004"]),
        ('a: "\\q"\n', ["LK004"]),
        ('a: "\\ud800"\n', ["LK004"]),
        ('a: "\\U00110000"\n', ["LK004"]),
        ("a: *\n", ["LK004"]),
        ("a: !x!y z\n", ["LK004"]),
        ("a: |x\n  y\n", ["LK004"]),
        ("a: 1\n...\nfoo\n", ["LK004"]),
        ("a: 1\n---\nb: 1\n", ["LK007"]),
        ("", ["LK006"]),
        ("a: &x 1\nb: *x\n", ["LK009", "LK009"]),
        ("*x : 1\n", ["LK009"]),
        ("a: !t &x b\n", ["LK010", "LK009"]),
        ("a: 1\na: 2\na: 3\n", ["LK012", "LK012"]),
        ("? [a]\n: 1\n", ["LK013"]),
        ("- yes\n- [no, {on: off}]\n", ["LK014"] * 4),
        ("yes\n", ["LK014"]),
        ("a: .nan\n", ["LK015"]),
        ("a: " + "9" * 5000 + "\n", ["LK015"]),
        ("a: {b: f(1, 2), c: 3}\n", ["LK016"]),
    ],
)
def test_both_parsers_give_the_same_findings(
    loader: type[yaml.SafeLoader], text: str, expected: list[str]
) -> None:
    assert codes(text, loader) == expected


@pytest.mark.parametrize("loader", LOADERS)
def test_the_depth_limit_is_inclusive(loader: type[yaml.SafeLoader]) -> None:
    assert codes("[" * MAX_DEPTH + "]" * MAX_DEPTH, loader) == []
    assert codes("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), loader) == ["LK005"]
    assert codes("[" * 500_000, loader) == ["LK005"]


def test_the_number_of_events_is_limited() -> None:
    # Stream, document and list begin and end: six events beside the items'.
    items = MAX_EVENTS - 6
    assert codes("[" + "1," * items + "]") == []
    assert codes("[" + "1," * (items + 1) + "]") == ["LK005"]


def test_a_cut_expression_is_put_together_again() -> None:
    root, _ = read_nodes(SourceFile(path="x.yaml", text="{v: f(g(a, b),\n  c), w: 1}\n"))
    assert isinstance(root, MappingNode)
    assert [(key.text, value.text) for key, value in root.entries
            if isinstance(value, ScalarNode)] == [("v", "f(g(a, b), c)"), ("w", "1")]  # fmt: skip


def test_a_broken_section_is_a_hole_and_the_others_are_read() -> None:
    text = "a: 1\nb: [x\nc:\n  d: 2\n e: 3\nf: {g: 4}\n"
    root, findings = read_nodes(SourceFile(path="x.yaml", text=text), sections=("b", "c", "f"))
    assert isinstance(root, MappingNode)
    assert [key.text for key, _ in root.entries] == ["a", "b", "c", "f"]
    holes = [value for _, value in root.entries if isinstance(value, ScalarNode) and not value.text]
    assert [hole.span.line for hole in holes] == [2, 3]
    assert [(one.code.id, one.span.line) for one in findings] == [("LK004", 2), ("LK004", 5)]
    assert root.entries[-1][1].span.text == "{g: 4}"


def test_without_sections_a_syntax_error_ends_it() -> None:
    root, findings = read_nodes(SourceFile(path="x.yaml", text="a: 1\nb: [x\nc: 2\n"))
    assert root is None
    assert [one.code.id for one in findings] == ["LK004"]


def test_only_so_many_sections_are_cut_out() -> None:
    text = "b: [x\n" * (MAX_CUTS + 5)
    root, findings = read_nodes(SourceFile(path="x.yaml", text=text), sections=("b",))
    assert root is None
    assert [one.code.id for one in findings] == ["LK004"] * MAX_CUTS + ["LK005"]
    assert findings[-1].span.line == MAX_CUTS + 1


def test_mistakes_are_counted_before_anything_is_composed() -> None:
    text = "k: 1\n" * (MAX_FINDINGS + 5)
    root, findings = read_nodes(SourceFile(path="x.yaml", text=text))
    assert root is None
    assert len(findings) == MAX_FINDINGS + 1
    assert findings[-1].code.id == "LK005"
