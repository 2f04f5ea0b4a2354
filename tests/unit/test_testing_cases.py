"""Files of tests: what they mean, what is found in them, and the pages of what is found."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from lynkrc.diagnostics.case_codes import CASE_CODES, IMPOSSIBLE_FEATURES
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.ir.domain import Domain, Point
from lynkrc.pipeline import compile_spec
from lynkrc.source.nodes import plain
from lynkrc.source.resources import read_schema
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.schema_wording import WORDINGS
from lynkrc.testing.case import Features, Sent, Subject
from lynkrc.testing.cases import read_cases
from tests.unit.cli_sample import SPEC
from tests.unit.page_examples import examples
from tests.unit.sema_sample import Files, catalog
from tests.unit.testing_sample import FOLDER, body_file, one_case, read, sample_table, sound

PAGE_SPEC = SPEC.replace(
    "  dimensions:\n", '  dimensions:\n    bytes: {weight: 1, value: "ramp(ask.bytes, 0, 900)"}\n'
).replace("providers:\n", "models:\n  house: {target: large}\nproviders:\n", 1)


def words_need_bytes(domain: Domain, point: Point) -> Sequence[str]:
    """A fact of features, as `violated` tells it."""
    named = {variable.text: value for variable, value in zip(domain.variables, point, strict=True)}
    wrong = named.get("ask.words", 0) > named.get("ask.bytes", 99_999)
    return ("ask.words <= ask.bytes",) if wrong else ()


def on_a_page(text: str) -> list[Diagnostic]:
    compiled = compile_spec("routing.yaml", PAGE_SPEC.encode(), loader=Files(), catalog=catalog())
    assert compiled.table is not None
    _, findings = read_cases(
        "routing.test.yaml",
        text.encode(),
        compiled.table,
        bodies=body_file,
        violated=words_need_bytes,
    )
    return findings


@pytest.mark.parametrize("code", [code.id for code in CASE_CODES])
def test_the_examples_of_a_page_fail_and_pass(code: str) -> None:
    for heading, text in examples(code):
        wanted = {code} if heading == "Fails" else set()
        assert {finding.code.id for finding in on_a_page(text)} == wanted


def test_features_no_request_has_are_found_where_facts_are_known() -> None:
    named_alone = one_case("features: {ask.words: 3}")
    assert on_a_page(named_alone) == []
    (finding,) = on_a_page(one_case("features: {ask.words: 3, ask.bytes: 2}"))
    assert finding.code is IMPOSSIBLE_FEATURES
    assert finding.message == "no request has these features, since ask.words <= ask.bytes"
    sound(named_alone)


def test_facts_are_asked_about_the_named_features_alone() -> None:
    asked = []

    def violated(domain: Domain, point: Point) -> Sequence[str]:
        asked.append({one.text: value for one, value in zip(domain.variables, point, strict=True)})
        return ()

    text = one_case("features: {tools.count: 7, 'header(\"x-team\")': legal, ask.words: 3}")
    read_cases("t.yaml", text.encode(), sample_table(), bodies=body_file, violated=violated)
    assert asked == [{"ask.words": 3, 'header("x-team")': 2, "tools.count": 7}]


def test_two_names_of_one_lexicon_cannot_differ() -> None:
    spec = PAGE_SPEC.replace(
        "rules:\n",
        'lexicons: {one: ["a"], two: ["a"]}\nrules:\n'
        "  - {name: first, when: 'count(ask, one) > 1', floor: HIGH}\n"
        "  - {name: second, when: 'count(ask, two) > 2', floor: HIGH}\n",
    )
    compiled = compile_spec("routing.yaml", spec.encode(), loader=Files(), catalog=catalog())
    assert compiled.table is not None
    for other, wanted in ((3, []), (2, ["LK654"])):
        text = one_case(f"features: {{'count(ask, one)': 3, 'count(ask, two)': {other}}}")
        _, found = read_cases("t.yaml", text.encode(), compiled.table, bodies=body_file)
        assert [one.code.id for one in found] == wanted


def vector(features: str) -> dict[str, int]:
    (case,) = sound(one_case(f"features: {features}"))
    assert isinstance(case.given, Features)
    values = zip(sample_table().slots, case.given.vector, strict=True)
    return {slot.text: value for slot, value in values if value}


def test_what_is_not_named_is_nothing() -> None:
    assert vector("{}") == {}


def test_features_have_the_values_of_their_slots() -> None:
    assert vector("{ask.words: 3, 'matches(ask,secrets)': true, wants.json_schema: false}") == {
        "ask.words": 3,
        "matches(ask, secrets)": 1,
    }


@pytest.mark.parametrize(
    ("written", "number"), [("null", 0), ("sales", 1), ("legal", 2), ('" LEGAL "', 2)]
)
def test_text_is_classified_as_a_request_is(written: str, number: int) -> None:
    found = vector(f"{{'header( \"x-team\" )': {written}}}")
    assert found == ({'header("x-team")': number} if number else {})


def sent(request: str) -> Sent:
    (case,) = sound(one_case(f"request: {request}"))
    assert isinstance(case.given, Sent)
    return case.given


@pytest.mark.parametrize("surface", ["messages", "chat", "responses"])
def test_an_ask_becomes_the_least_body_of_its_surface(surface: str) -> None:
    found = sent(f'{{surface: {surface}, ask: "héllo", model: house}}')
    said = [{"role": "user", "content": "héllo"}]
    wanted = {
        "messages": {"model": "house", "max_tokens": 1024, "messages": said},
        "chat": {"model": "house", "messages": said},
        "responses": {"model": "house", "input": "héllo"},
    }
    assert json.loads(found.body) == wanted[surface]
    assert (found.surface, found.headers) == (surface, ())


def test_a_body_and_headers_are_sent_as_written() -> None:
    found = sent("{headers: {X-Team: ' a '}, body: {model: auto, k: 1.5, list: [true, null]}}")
    assert json.loads(found.body) == {"model": "auto", "k": 1.5, "list": [True, None]}
    assert found.headers == (("x-team", "a"),)
    assert sent("{file: body.json}").body == body_file("body.json")


def test_expectations_are_read_with_their_types() -> None:
    expect = "{tier: null, score: 3, chain: [], points: {size: 1.50}, headers: {X-Lynkr-Score: 3}}"
    (case,) = sound(one_case("features: {}", expect))
    assert [(one.path, one.wanted) for one in case.expected] == [
        ("tier", None),
        ("score", 3),
        ("chain", ()),
        ("points.size", Decimal("1.50")),
        ("headers.x-lynkr-score", "3"),
    ]


@pytest.mark.parametrize("subject", list(Subject))
def test_every_subject_is_a_key_of_the_schema(subject: Subject) -> None:
    keys = json.loads(read_schema("test"))["$defs"]["expect"]["properties"]
    assert set(keys) == {one.value for one in Subject}
    assert subject.value in keys


def test_a_mistake_in_one_case_leaves_the_others() -> None:
    text = one_case("features: {}") + "  - name: other\n    features: {}\n    expect: {tier: LO}\n"
    cases, findings = read(text)
    assert [case.name for case in cases] == ["a case"]
    assert [finding.code.id for finding in findings] == ["LK406"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["LK006"]),
        ("version: 1\n", ["LK103"]),
        ("cases: 3\n", ["LK103", "LK102"]),
        ("- a\n", ["LK102"]),
        ("version: 2\ncases:\n  - {name: a, features: {}, expect: {tier: LOW}}\n", ["LK115"]),
        ("version: 1\ncases:\n  -\n", ["LK102"]),
        ("version: 1\ncases: [{name: a, features: , expect: {tier: LOW}}]\n", ["LK102"]),
        ("version: 1\ncases: [{name: a, features: {}, expect: {score: 3.5}}]\n", ["LK102"]),
        (
            "version: 1\ncases: [{name: a, features: {}, expect: {points: {size: .inf}}}]\n",
            ["LK015"],
        ),
        (
            "version: 1\ncases: [{name: a, features: {}, expect: {points: {size: true}}}]\n",
            ["LK102"],
        ),
        (
            "version: 1\ncases: [{name: a, request: {file: /etc/x}, expect: {tier: LOW}}]\n",
            ["LK422"],
        ),
    ],
)
def test_what_is_no_file_of_tests_says_why(text: str, codes: list[str]) -> None:
    _, findings = read(text)
    assert [finding.code.id for finding in findings] == codes


def test_very_many_mistakes_are_bounded() -> None:
    text = "version: 1\ncases:\n" + "  - {name: x, features: {}, expect: {teir: a}}\n" * 1_500
    cases, findings = read(text)
    assert cases == ()
    assert len(findings) == 1_000


def test_a_score_may_be_written_with_a_point() -> None:
    (case,) = sound(one_case("features: {}", "{score: 0.0}"))
    assert case.expected[0].wanted == 0


FILES = sorted(FOLDER.glob("*/routing.test.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_published_schema_agrees_with_what_is_found(path: Path) -> None:
    root, findings = read_nodes(SourceFile(path="t", text=path.read_text(encoding="utf-8")))
    if root is None or findings:
        assert path.parent.name == "broken-yaml"
        return
    validator = jsonschema.Draft202012Validator(json.loads(read_schema("test")))
    is_sound = path.parent.name not in ("wrong-structure", "no-case")
    assert validator.is_valid(plain(root)) == is_sound


def test_every_keyword_of_the_schema_has_its_wording() -> None:
    applied = {"properties", "items", "dependentRequired"}
    annotations = {"$schema", "$id", "$defs", "$ref", "title", "description"}
    used: set[str] = set()
    stack = [json.loads(read_schema("test"))]
    while stack:
        schema = stack.pop()
        used |= schema.keys()
        for keyword in ("properties", "$defs"):
            stack += schema.get(keyword, {}).values()
        stack += [schema[one] for one in ("items", "additionalProperties") if schema.get(one)]
    assert used - applied - annotations <= set(WORDINGS)
