"""Whatever is done to a spec, the compiler ends with findings or with a bundle that loads."""

import json
import re
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.cli.specs import DiskLoader
from lynkrc.diagnostics.places import Run
from lynkrc.diagnostics.render_machine import render_json
from lynkrc.diagnostics.render_text import render_text
from lynkrc.pipeline import compile_spec, pack_bundle
from lynkrc_runtime.bundle import load_bundle
from tests.property.effort import tried
from tests.unit.sema_sample import catalog, complete

PAGE = Path(__file__).resolve().parents[2] / "docs" / "language.md"
EXAMPLES = re.findall(
    r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
SPECS = [complete(example) for example in EXAMPLES]
TOKEN = re.compile(r"[A-Za-z_.0-9]+|\S")
WORDS = [
    *sorted({word for spec in SPECS for word in TOKEN.findall(spec)}),
    *("yes", "~", "1e309", ".nan", "${X}", "&a", "*a", "!!str", "---", "|", ">", "null", "true"),
    *("\t", "\r", "\x00", "\u202e", "\ufeff", "\u8bc1", "9" * 19, "- -", "? ", "not not", ""),
]

_place = st.integers(0, 2_000)
_change = st.one_of(
    st.tuples(st.just("drop"), _place, st.just("")),
    st.tuples(st.just("insert"), _place, st.sampled_from(WORDS)),
    st.tuples(st.just("replace"), _place, st.sampled_from(WORDS)),
    st.tuples(st.just("repeat"), _place, st.just("")),
    st.tuples(st.just("remove"), _place, st.just("")),
    st.tuples(st.just("indent"), _place, st.sampled_from(("", " ", "   ", "\t"))),
)


def changed(text: str, what: str, place: int, word: str) -> str:
    """The text with one character, word or line changed."""
    at = place % (len(text) + 1)
    lines = text.split("\n")
    line = place % len(lines)
    match what:
        case "drop":
            return text[:at] + text[at + 1 :]
        case "insert":
            return text[:at] + word + text[at:]
        case "replace":
            tokens = list(TOKEN.finditer(text))
            if not tokens:
                return word
            token = tokens[place % len(tokens)]
            return text[: token.start()] + word + text[token.end() :]
        case "repeat":
            lines.insert(line, lines[line])
        case "remove":
            del lines[line]
        case _:
            lines[line] = word + lines[line].lstrip()
    return "\n".join(lines)


RUN = Run(root="/", spec="routing.yaml", version="0")


@tried(40)
@given(spec=st.sampled_from(SPECS), changes=st.lists(_change, min_size=1, max_size=5))
def test_a_changed_spec_is_compiled_or_explained(
    spec: str, changes: list[tuple[str, int, str]]
) -> None:
    for change in changes:
        spec = changed(spec, *change)
    compilation = compile_spec(
        "routing.yaml", spec.encode(), loader=DiskLoader(), catalog=catalog()
    )
    shown = render_text(compilation.diagnostics, columns=80)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert len(json.loads(render_json(compilation.diagnostics, RUN))["diagnostics"]) == len(
        compilation.diagnostics
    )
    if compilation.artifacts is None:
        assert compilation.has_errors
        assert "error" in shown
        return
    assert not compilation.has_errors
    packed, _ = pack_bundle(compilation, native=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "changed.lynkr"
        path.write_bytes(packed)
        assert load_bundle(path).manifest.name == compilation.artifacts.name
