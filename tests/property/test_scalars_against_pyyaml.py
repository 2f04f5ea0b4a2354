"""Our reading of a scalar, and our map of it, agree with PyYAML wherever it has no trap."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.source.nodes import MappingNode, ScalarNode, SequenceNode
from lynkrc.source.scalar_map import map_scalar, place_in
from lynkrc.source.scalars import is_usable, resolve_plain, trap
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from tests.property.effort import tried

_WORDS = st.sampled_from(
    ["yes", "No", "on", "OFF", "true", "False", "null", "~", "0x1F", "0o17", "010", "08", "1_000",
     "12:30", "1:2:3.4", "1e3", "1.5e+3", "1.5e3", ".5", "-.5", "+1", "-0", "1.", ".inf", "-.INF",
     ".nan", "2001-12-14", "2001-12-14 21:59:43.10 -5", "0b101", "128k", "v1", "<<", "="]
)  # fmt: skip
_NUMBERLIKE = st.text(alphabet="0123456789+-._:eExXob~ynk", min_size=1, max_size=10)


@tried(300)
@given(st.one_of(_WORDS, _NUMBERLIKE))
def test_a_plain_scalar_without_a_trap_means_the_same_to_yaml_1_1(text: str) -> None:
    try:
        node = yaml.compose(f"[{text}]", Loader=yaml.SafeLoader).value[0]
    except (yaml.YAMLError, IndexError):
        return  # not a plain scalar at all
    if not isinstance(node, yaml.ScalarNode) or node.value != text or trap(text) is not None:
        return
    ours = resolve_plain(text)
    if not is_usable(ours):
        return
    try:
        theirs = yaml.safe_load(f"[{text}]")[0]
    except (yaml.YAMLError, ValueError):
        theirs = "unreadable"
    assert (type(ours), ours) == (type(theirs), theirs)


_CHARS = st.sampled_from(list("ab'\"\\#: -\té漢😀\n"))
_TEXT = st.lists(_CHARS, max_size=24).map("".join)
_LINE_END = st.sampled_from(["\n", "\r\n"])


def _scalar(text: str) -> ScalarNode | None:
    """The value of the only entry of a document, when the document is that."""
    root, findings = read_nodes(SourceFile(path="x.yaml", text=text))
    if root is None or findings or not isinstance(root, MappingNode) or not root.entries:
        return None
    value = root.entries[0][1]
    if isinstance(value, SequenceNode):
        value = value.items[0]
    return value if isinstance(value, ScalarNode) else None


def _check(document: str) -> None:
    node = _scalar(document)
    if node is None:
        return
    file = node.span.file
    place = place_in(node)
    position = node.span.start
    for offset, origin in enumerate(map_scalar(node)):
        source = file.text[origin.start : origin.end]
        assert origin.char == node.text[offset]
        assert place(offset, offset + 1).text == source
        assert origin.start >= position, "characters stand in order"
        position = origin.end
        if origin.char == source:
            continue
        folded = source in ("\n", "\r\n") and origin.char in " \n"
        escaped = source.startswith("\\") or source == "''"
        assert folded or escaped


@tried(300)
@given(_TEXT, _LINE_END)
def test_every_character_of_a_plain_scalar_is_placed(text: str, end: str) -> None:
    _check(("a: x" + text.replace("\n", "\n  ") + "\nb: 1\n").replace("\n", end))


@tried(300)
@given(_TEXT, _LINE_END)
def test_every_character_of_a_single_quoted_scalar_is_placed(text: str, end: str) -> None:
    body = text.replace("'", "''").replace("\n", "\n  ")
    _check(f"a: ['{body}', 1]\n".replace("\n", end))


@tried(300)
@given(
    st.lists(
        st.one_of(
            _CHARS.filter(lambda char: char not in '"\\'),
            st.sampled_from(["\\n", "\\\\", '\\"', "\\x41", "\\u6f22", "\\U0001F600", "\\\n  ",
                             "\\t", "\\ ", "\\/", "\\N", "\\_", "\\L", "\\P", "\\0", "\\e"]),
        ),
        max_size=16,
    ),
    _LINE_END,
)  # fmt: skip
def test_every_character_of_a_double_quoted_scalar_is_placed(parts: list[str], end: str) -> None:
    body = "".join(part if part.startswith("\\") else part.replace("\n", "\n  ") for part in parts)
    _check(f'a: "{body}"\n'.replace("\n", end))


@tried(300)
@given(
    st.sampled_from("|>"),
    st.sampled_from(["", "-", "+", "2", "2-", "+2", "1", " # x-+"]),
    st.lists(st.sampled_from(["foo", " foo", "  bar", "", "", "   ", "\tx", "漢 b", "# c", "d "])),
    _LINE_END,
    st.booleans(),
)
def test_every_character_of_a_block_scalar_is_placed(
    style: str, header: str, lines: list[str], end: str, closed: bool
) -> None:
    body = "\n".join("  " + line if line else "" for line in lines)
    _check((f"a: {style}{header}\n{body}" + ("\nb: 1\n" if closed else "")).replace("\n", end))
