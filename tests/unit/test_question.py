"""One question of a command line, read and typed together with a spec."""

import pytest

from lynkrc.ir.assertion import Kind
from lynkrc.ir.table import Lexicon
from lynkrc.lower.assertions import lower_assertions
from lynkrc.lower.table import lower
from lynkrc.pipeline import Checked, ask_spec
from lynkrc.syntax.read_question import PATH, read_question
from tests.unit.sema_sample import Files, catalog, complete

SPEC = """\
lexicons:
  audit: ["security audit"]
  spoken_of: ["on the question alone"]
features:
  secret: header("x-data-class") == "confidential"
rules:
  - {name: audits, when: 'count(ask, audit) > 0', floor: HIGH}
assert:
  - {name: own, never: 'secret and target.trust == cloud'}
  - always: 'count(ask, spoken_of) >= 0'
"""


def asked(question: str, spec: str = SPEC) -> Checked:
    data = complete(spec).encode()
    return ask_spec("routing.yaml", data, question, loader=Files(), catalog=catalog())


@pytest.mark.parametrize(
    ("question", "kind", "source"),
    [
        ("never: target.trust == cloud", Kind.NEVER, "never: target.trust == cloud"),
        ("  always:secret implies tier == HIGH", Kind.ALWAYS, None),
        ("secret implies target.first", Kind.ALWAYS, "always: secret implies target.first"),
        ("reachable: rule == audits", Kind.REACHABLE, None),
        ("monotone: context.tokens", Kind.MONOTONE, "monotone: context.tokens"),
        ("max_cost_usd: 0.50", Kind.MAX_COST_USD, "max_cost_usd: 0.5"),
        ("max_latency: 1.5m ", Kind.MAX_LATENCY, "max_latency: 90s"),
        ("max_latency: 20", Kind.MAX_LATENCY, "max_latency: 20s"),
        ('header("x-a") == "never: b"', Kind.ALWAYS, None),
    ],
)
def test_a_question_is_the_only_assertion(question: str, kind: Kind, source: str | None) -> None:
    checked = asked(question)
    assert checked.typed is not None, [one.message for one in checked.diagnostics]
    (one,) = lower_assertions(checked.typed).items
    assert one.kind is kind
    assert one.span.file.path == PATH
    if source is not None:
        assert one.source == source


def test_what_the_question_alone_reads_is_lowered_with_the_spec() -> None:
    def lexicons(question: str) -> tuple[Lexicon, ...]:
        checked = asked(question, SPEC.replace("  - always: 'count(ask, spoken_of) >= 0'\n", ""))
        assert checked.typed is not None, [one.message for one in checked.diagnostics]
        table, _ = lower(checked.typed)
        assert table is not None
        return table.lexicons

    found = lexicons("never: matches(ask, spoken_of) and target.trust == cloud")
    assert [one.name for one in found] == ["audit", "spoken_of"]


@pytest.mark.parametrize(
    ("question", "code", "marked"),
    [
        ("never: target.trust == cluod", "LK402", "cluod"),
        ("nevr: wants.stream", "LK104", "nevr"),
        ("same_as: old.yaml", "LK104", "same_as"),
        ("never: wants.stream and", "LK300", "d"),
        ("", "LK301", ""),
        ("always:", "LK301", ""),
        ("monotone: client", "LK310", "client"),
        ("max_cost_usd: much", "LK106", "much"),
        ("max_cost_usd: NaN", "LK106", "NaN"),
        ("max_cost_usd: -1", "LK106", "-1"),
        ("max_cost_usd: 1000000001", "LK105", "1000000001"),
        ("max_latency: 3 weeks", "LK106", "3 weeks"),
        ("max_latency: 0s", "LK105", "0s"),
        ("matches(ask, unheard)", "LK403", "unheard"),
        ("never: wants.stream\x07", "LK003", "\x07"),
    ],
)
def test_what_is_wrong_with_a_question_is_shown_in_it(
    question: str, code: str, marked: str
) -> None:
    checked = asked(question)
    assert checked.typed is None
    own = [one for one in checked.diagnostics if one.span.file.path == PATH]
    assert [(one.code.id, one.span.text) for one in own] == [(code, marked)]


def test_a_very_long_question_is_not_parsed() -> None:
    read, findings = read_question("wants.stream" + " or wants.stream" * 2000)
    assert read is None
    assert [one.code.id for one in findings] == ["LK305"]


def test_a_spec_with_errors_answers_nothing() -> None:
    checked = asked("never: secret", SPEC.replace("floor: HIGH", "floor: HIHG"))
    assert checked.typed is None
    assert {one.span.file.path for one in checked.diagnostics} == {"routing.yaml"}
