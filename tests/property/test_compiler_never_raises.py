"""Whatever stands in a file, the compiler answers with findings or a bundle, never with a crash."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.cli.specs import DiskLoader
from lynkrc.diagnostics.places import Run
from lynkrc.diagnostics.render_machine import render_json
from lynkrc.diagnostics.render_text import render_text
from lynkrc.pipeline import compile_spec
from tests.property.effort import tried
from tests.unit.sema_sample import catalog

SAMPLE = """\
version: 1
name: sample
providers:
  local: {kind: ollama, base_url: "${HERE:-http://localhost:1}", trust: local}
  cloud: {kind: openai, api_key: "${KEY}", trust: cloud}
targets:
  small: {provider: local, model: m, context: 8k, capabilities: [tools], price: free}
  big: {provider: cloud, model: gpt-4o-mini}
models:
  "mine*": {tier: LOW}
lexicons:
  words: ["a b|c*", "(d )?e", "/x{1,3}/", "~zz"]
  weighted: {"prove*": 3.5, "step by step": -2}
features:
  secret: header("x-class") == "top" or matches(ask, words)
score:
  offset: -1.5
  dimensions:
    one: {weight: 2.5, value: "steps(ask.words, [[0, 1], [5, 50]])"}
    two: {terms: weighted}
tiers:
  - {name: LOW, up_to: 3, chain: [small, big]}
  - {name: HIGH, chain: [big, small]}
otherwise: escalate
rules:
  - {name: home, when: secret, require: "target.trust == local"}
  - name: folded
    when: >
      3 <= tools.count < 10
      and not (wants.stream or images.count > 0)
    floor: HIGH
    add: 2
  - {name: never, when: 'model in ["x", "y"]', deny: {status: 403, message: "no"}}
"""

PUNCTUATION = "[]{}:,-#&*!|>'\"%@`?~=<()\\/\t\n "
WORDS = ["null", "yes", "012", "1e999", "0x1", "<<", "é", "你", "and", "or", "ask.words"]
SIGNS = ["-", "~", "count(", "target.trust", "${", "}", ".5", "k", "M"]
ODD = ["\u2028", "\x00", "\r\n", "--- ", "9" * 20, "(" * 120, "- " * 80]
PIECES = st.one_of(st.sampled_from([*PUNCTUATION, *WORDS, *SIGNS, *ODD]), st.text(max_size=4))
EDITS = st.lists(
    st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 12), PIECES), min_size=1, max_size=4
)


RUN = Run(root="/", spec="routing.yaml", version="0")


def compiled(data: bytes) -> str:
    found = compile_spec("routing.yaml", data, loader=DiskLoader(), catalog=catalog())
    assert found.has_errors == (found.artifacts is None)
    render_json(found.diagnostics, RUN)
    return render_text(found.diagnostics)


def has_only_notes(report: str) -> bool:
    """Whether nothing is found, but for what pairs of dialects lose."""
    starts = [line for line in report.splitlines() if line.startswith(("error[", "warning["))]
    return not starts and (report == "no findings\n" or "note[LK602]" in report)


def test_the_sample_itself_is_sound() -> None:
    assert has_only_notes(compiled(SAMPLE.encode()))


@tried(40)
@given(EDITS)
def test_an_edited_spec_gives_findings_or_artifacts(edits: list[tuple[int, int, str]]) -> None:
    text = SAMPLE
    for start, length, piece in edits:
        text = text[:start] + piece + text[start + length :]
    compiled(text.encode("utf-8", "surrogatepass"))


def test_every_line_can_be_missing_or_doubled() -> None:
    lines = SAMPLE.splitlines(keepends=True)
    for number, line in enumerate(lines):
        rest = lines[:number], lines[number + 1 :]
        compiled("".join([*rest[0], *rest[1]]).encode())
        compiled("".join([*rest[0], line, line, *rest[1]]).encode())


@tried(15)
@given(st.binary(max_size=80))
def test_bytes_that_are_no_spec_give_findings(data: bytes) -> None:
    assert not has_only_notes(compiled(data))


def test_the_shipped_specs_are_sound() -> None:
    root = Path(__file__).resolve().parents[2]
    for path in [*(root / "specs/starter").glob("*.yaml"), *root.glob("examples/*/routing.yaml")]:
        assert has_only_notes(compiled(path.read_bytes())), path
