"""Whatever is wrong with a spec, its fixes can be made, come to an end and leave it readable."""

import re

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.cli.fixing import fix_all
from lynkrc.diagnostics.model import Severity
from lynkrc.pipeline import Checked, check_spec
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from tests.property.effort import tried
from tests.unit.sema_sample import Files, catalog

CATALOG = catalog()
SPEC = """version: 1
name: example
providers:
  house: {kind: simulator, trust: local, simulate: echo}
  cloud:
    kind: anthropic
    api_key: "${KEY}"
    trust: cloud
targets:
  one: {provider: house, model: m, context: 8k, capabilities: [tools, vision]}
  two:
    provider: cloud
    model: claude-opus-5-5
lexicons:
  calm-words: [calm, "quiet*"]
  rush: {hurry: 2, now: 1.5}
features:
  hurried: points(ask, rush) > 3
  calm: matches(ask, "calm-words") and not hurried
score:
  dimensions:
    size: {weight: 50, value: "ramp(ask.words, 0, 200)"}
    tools:
      weight: 50
      value: >
        when(tools.count > 3, 100,
          when(calm, 0, 50))
tiers:
  - {name: LOW, up_to: 50, chain: [one, two]}
  - name: HIGH
    chain:
      - two
      - one
rules:
  - {name: local-only, when: 'tools.count > 0', require: target.trust == local}
  - name: titles
    when: 'ask.words <= 4 and header("x-kind") == "title"'
    tier: LOW
"""
WORDS = [match.span() for match in re.finditer(r"[A-Za-z0-9_-]+|[^\sA-Za-z0-9_-]+", SPEC)]
CHANGES = st.sampled_from(
    ["upper", "drop", "twice", "swap", "hyphen", "yes", "010", "=", "&&", ","]
)


def changed(text: str, change: str) -> str:
    match change:
        case "upper":
            return text.upper()
        case "drop":
            return text[1:]
        case "twice":
            return f"{text}, {text}"
        case "swap":
            return text[1::-1] + text[2:]
        case "hyphen":
            return text.replace("_", "-")
        case _:
            return change


def check(data: bytes) -> Checked:
    return check_spec("routing.yaml", data, loader=Files(), catalog=CATALOG)


def reads_to_its_end(data: bytes) -> bool:
    return read_nodes(SourceFile(path="routing.yaml", text=data.decode()))[0] is not None


def test_the_example_is_sound() -> None:
    found = check(SPEC.encode()).diagnostics
    assert [one for one in found if one.severity is Severity.ERROR] == []


@tried(20)
@given(
    st.dictionaries(st.integers(0, len(WORDS) - 1), CHANGES, min_size=1, max_size=4),
    st.booleans(),
)
def test_fixes_of_a_spec_with_mistakes(mistakes: dict[int, str], unsafe: bool) -> None:
    text = SPEC
    for place, change in sorted(mistakes.items(), reverse=True):
        start, end = WORDS[place]
        text = text[:start] + changed(text[start:end], change) + text[end:]
    data = text.encode()
    fixed = fix_all("routing.yaml", data, check, unsafe=unsafe)
    assert reads_to_its_end(fixed.data) or not reads_to_its_end(data)
    assert fix_all("routing.yaml", fixed.data, check, unsafe=unsafe).count == 0
    if not check(data).has_errors:
        assert not fixed.checked.has_errors
