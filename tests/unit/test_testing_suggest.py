"""Suggested cases: read back, they pass and show what they were made for."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc.interp.goals import seen
from lynkrc.testing.case import Features, Sent
from lynkrc.testing.coverage import CoverageItem, coverage_items, measure
from lynkrc.testing.runner import run_case
from lynkrc.testing.suggest import Suggestion, suggested_cases
from tests.unit.testing_sample import one_case, sample_engines, sample_table, sound

HEAD = "version: 1\ncases:\n"
LAWYER = "request: {ask: 'a \"b\"', surface: chat, headers: {x-team: legal}}"
ITEMS = coverage_items(sample_table())


def by_id(id: str) -> CoverageItem:
    (item,) = [item for item in ITEMS if item.id == id]
    return item


def witness(given: str) -> Features | Sent:
    (case,) = sound(one_case(given))
    return case.given


def suggestion(given: str, *ids: str) -> Suggestion:
    return Suggestion(items=tuple(map(by_id, ids)), given=witness(given))


def test_what_a_case_shows_beyond_its_name_is_counted() -> None:
    text = suggested_cases(
        [Suggestion(items=ITEMS, given=witness("features: {tools.count: 5}"))], sample_engines()
    )
    first = text.splitlines()[0]
    assert first.startswith("  - name: rule agents takes effect; ") or "; and " in first
    assert len(first) < 220
    assert len(sound(HEAD + text)) == 1


def test_a_name_that_is_taken_is_not_given_again() -> None:
    wanted = [suggestion("features: {tools.count: 5}", "decided:agents")]
    text = suggested_cases(wanted, sample_engines(), {"rule agents takes effect"})
    assert text.startswith("  - name: rule agents takes effect again\n")


def test_a_vector_and_a_request_become_cases() -> None:
    text = suggested_cases(
        [
            suggestion("features: {tools.count: 5}", "decided:agents", "matched:agents"),
            suggestion("features: {tools.count: 6}", "matched:agents"),
            suggestion(LAWYER, "decided:legal"),
        ],
        sample_engines(),
    )
    assert text == (
        "  - name: rule agents takes effect; rule agents matches\n"
        "    features: {tools.count: 5}\n"
        "    expect: {outcome: route, tier: HIGH, rule: agents, chain: [large, spare, small]}\n"
        "  - name: rule legal takes effect\n"
        "    request:\n"
        "      surface: chat\n"
        '      headers: {x-team: "legal"}\n'
        '      body: {model: "auto", messages: '
        """[{role: "user", content: 'a "b"'}]}\n"""
        "    expect: {outcome: deny, tier: null, rule: legal, chain: []}\n"
    )
    for case in sound(HEAD + text):
        assert run_case(case, sample_engines()).is_passed


def test_a_request_that_is_not_read_is_no_case() -> None:
    item = by_id("tier:LOW")
    sent = Sent(surface="messages", headers=(), body=b"{}")
    text = suggested_cases([Suggestion(items=(item,), given=sent)], sample_engines())
    assert text.startswith("  # no case for: tier LOW (the gateway answers 400: ")


VECTORS = st.tuples(*(st.integers(slot.low, slot.high) for slot in sample_table().slots))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(VECTORS)
def test_every_vector_is_written_so_that_it_is_read_back(vector: tuple[int, ...]) -> None:
    engines = sample_engines()
    suggestions = [Suggestion(items=ITEMS[:1], given=Features(vector=vector))]
    (case,) = sound(HEAD + suggested_cases(suggestions, engines))
    assert case.given == Features(vector=vector)
    run = run_case(case, engines)
    assert run.is_passed
    assert run.vector is not None
    shown = seen(engines.table, run.vector)
    assert measure(engines.table, [shown]).covered


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(-9, 9), st.booleans())))
def test_every_body_is_written_so_that_it_is_read_back(metadata: dict[str, object]) -> None:
    said = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "a b"}]}
    body = json.dumps({**said, "x": metadata}).encode()
    sent = Sent(surface="messages", headers=(), body=body)
    text = suggested_cases([Suggestion(items=ITEMS[:1], given=sent)], sample_engines())
    (case,) = sound(HEAD + text)
    assert isinstance(case.given, Sent)
    assert json.loads(case.given.body) == json.loads(body)
