"""The pair table is whole, and the writers do what it says: every change explained, no more lost.

Parametrised over the dialects there are: a new one is tested by being registered.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts, Written
from lynkrc_runtime.protocol.losses import (
    CLIENTS,
    FEATURES,
    TARGETS,
    TRANSFORMS,
    Does,
    fits,
    form_of,
    losses_in,
    pair_table,
)
from lynkrc_runtime.protocol.losses.members import UNKNOWN
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.wire.loss_pieces import PIECES, PNG, body_of

CHAT, RESPONSES = "openai-chat", "openai-responses"
PAIRS = [(client, target) for client in CLIENT_DIALECTS for target in TARGET_DIALECTS]
CROSSINGS = [(client, target) for client, target in PAIRS if client != target]
ABLE = frozenset(
    ("tools", "parallel_tools", "vision", "documents", "json_schema", "thinking", "prompt_cache")
)


def facts_of(shape: RequestShape | None = None) -> TargetFacts:
    return TargetFacts(
        model="m",
        max_output=ANY_TARGET.max_output,
        capabilities=ABLE,
        shape=shape or RequestShape(),
        maker="here",
    )


def write(client: str, target: str, body: bytes, facts: TargetFacts) -> Written:
    dialect = TARGET_DIALECTS[target]
    request = CLIENT_DIALECTS[client].read_request(body, {})
    passing = dialect.pass_request if client == target else None
    return (passing or dialect.write_request)(request, facts, {})


def is_among(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fits(name, pattern) for pattern in patterns)


def test_every_dialect_has_its_rows_and_columns() -> None:
    assert set(CLIENT_DIALECTS) <= set(CLIENTS)
    assert set(TARGET_DIALECTS) <= set(TARGETS)
    assert len(FEATURES) == len({one.name for one in FEATURES.values()})
    for one in FEATURES.values():
        assert tuple(one.at) == TARGETS
        assert one.clients and set(one.clients) <= set(CLIENTS)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("target", TARGETS)
def test_every_pair_says_something_of_every_feature(client: str, target: str) -> None:
    table = pair_table(client, target)
    assert set(table) == {one.name for one in FEATURES.values() if client in one.clients}
    if client == target:
        assert {outcome.does for outcome in table.values()} == {Does.CARRIES}
    for name, outcome in table.items():
        assert (outcome.does is Does.CARRIES) <= (not outcome.names), name
        assert (outcome.does in (Does.DROPS, Does.REFUSES)) <= bool(outcome.names), name
        # What is dropped is a loss, by every name it may be listed under.
        listed = [one for one in outcome.names if "=" in one and outcome.does is Does.DROPS]
        assert all(
            losses_in([one]) or one.startswith(("hashed", "dropped=stream")) for one in listed
        )


def test_every_pattern_of_the_table_is_a_declared_form() -> None:
    for one in FEATURES.values():
        for outcome in one.at.values():
            for name in outcome.names:
                assert "=" not in name or form_of(name.replace("*", "x")) is not None, name
    assert len({form.pattern for form in TRANSFORMS}) == len(TRANSFORMS)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_pieces_are_of_features_that_the_client_has(client: str) -> None:
    known = {one.name for one in FEATURES.values() if client in one.clients}
    assert set(PIECES[client]) <= known
    if client != "openai-responses":
        # Nothing but deep nesting, which has its own tests, goes without a request.
        assert known - set(PIECES[client]) <= {"deep nesting", "hosted tools", "callers"}


@pytest.mark.parametrize(("client", "target"), PAIRS)
def test_a_feature_comes_to_what_the_table_says(client: str, target: str) -> None:
    wrong = []
    for name, piece in PIECES[client].items():
        outcome = pair_table(client, target)[name]
        try:
            found = write(client, target, body_of(client, [piece]), facts_of()).transforms
        except CannotTranslate as misfit:
            if not is_among(misfit.feature, outcome.names):
                wrong.append((name, "refused", misfit.feature))
            continue
        match outcome.does:
            case Does.CARRIES:
                is_right = not losses_in(found)
            case Does.DROPS | Does.REFUSES:
                is_right = any(is_among(one, outcome.names) for one in found)
            case Does.CHANGES:
                is_right = all(is_among(one, outcome.names) for one in losses_in(found))
        if not is_right:
            wrong.append((name, outcome.does.value, ", ".join(found)))
    assert wrong == [], wrong


@pytest.mark.parametrize(("client", "target"), CROSSINGS)
@settings(derandomize=True, max_examples=40, deadline=None)
@given(data=st.data())
def test_every_change_is_explained(client: str, target: str, data: st.DataObject) -> None:
    names = [name for name in PIECES[client] if name != UNKNOWN.name]
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=8))
    table = pair_table(client, target)
    known = [outcome for name, outcome in table.items() if name != UNKNOWN.name]
    explained = tuple(name for outcome in known for name in outcome.names)
    body = body_of(client, [PIECES[client][name] for name in chosen])
    try:
        found = write(client, target, body, facts_of()).transforms
    except CannotTranslate as misfit:
        assert is_among(misfit.feature, explained), misfit.feature
        return
    assert [one for one in found if not is_among(one, explained)] == []
    assert [one for one in found if form_of(one) is None] == []
    carried = {"dropped=" + name for name, outcome in table.items() if outcome.does is Does.CARRIES}
    assert carried.isdisjoint(losses_in(found))


SHAPES = [
    RequestShape(
        thinking=["adaptive"],
        efforts=["low", "high"],
        sampling=[],
        tool_choice=["auto"],
        mid_system=False,
        structured_output=False,
        max_tokens_field="max_completion_tokens",
        system_role="developer",
        parallel_tool_calls=False,
        stream_options=False,
    ),
    RequestShape(thinking=["enabled"], efforts=[], sampling=["temperature"], prefill=False),
    RequestShape(effort_with_tools="none", tool_choice_ignored=True, reasoning_in="none"),
]
"""Models that take little."""


@pytest.mark.parametrize(("client", "target"), PAIRS)
@settings(derandomize=True, max_examples=25, deadline=None)
@given(data=st.data())
def test_what_a_model_does_not_take_is_listed_by_a_declared_name(
    client: str, target: str, data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(list(PIECES[client])), unique=True, max_size=8))
    facts = replace_facts(data.draw(st.sampled_from(SHAPES)), data.draw(st.integers(20, 200)))
    body = body_of(client, [PIECES[client][name] for name in chosen])
    try:
        found = write(client, target, body, facts).transforms
    except CannotTranslate:
        return
    assert [one for one in found if form_of(one) is None] == []


def replace_facts(shape: RequestShape, max_output: int) -> TargetFacts:
    return TargetFacts(
        model="m",
        max_output=max_output,
        capabilities=frozenset(),
        shape=replace(shape),
        maker="here",
    )


@pytest.mark.parametrize(("client", "target"), [pair for pair in CROSSINGS if pair[0] == CHAT])
@pytest.mark.parametrize(
    ("piece", "misfit"),
    [
        ({"n": 1, "modalities": ["text"]}, None),
        ({"n": 2}, "n"),
        ({"modalities": ["text", "audio"]}, "audio"),
    ],
)
def test_one_choice_of_text_asks_for_nothing_and_more_is_a_misfit(
    client: str, target: str, piece: dict[str, Any], misfit: str | None
) -> None:
    if misfit is None:
        found = write(client, target, body_of(client, [piece]), facts_of()).transforms
        assert losses_in(found) == ()
        return
    with pytest.raises(CannotTranslate) as caught:
        write(client, target, body_of(client, [piece]), facts_of())
    assert caught.value.feature == misfit


@pytest.mark.parametrize(("client", "target"), CROSSINGS)
def test_a_conversation_of_nothing_that_can_be_said_is_a_misfit(client: str, target: str) -> None:
    """No words are put in the user's mouth (wire reference C.1.3)."""
    turn = {"role": "user", "content": [{"type": "input_text" if client == RESPONSES else "text",
                                         "text": ""}]}  # fmt: skip
    turns = "input" if client == RESPONSES else "messages"
    body = json.dumps({"model": "m", "max_tokens": 9, turns: [turn]}).encode()
    with pytest.raises(CannotTranslate) as caught:
        write(client, target, body, facts_of())
    assert caught.value.feature == "messages"


@pytest.mark.parametrize("target", TARGET_DIALECTS)
@pytest.mark.parametrize(
    ("client", "piece", "name"),
    [
        (
            CHAT,
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "o", "schema": {}, "description": "What it is."},
                }
            },
            "response_format.description",
        ),
        (
            RESPONSES,
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "o",
                        "schema": {},
                        "description": "What it is.",
                    }
                }
            },
            "text.format.description",
        ),
        (
            RESPONSES,
            {
                "tools": [
                    {
                        "type": "namespace",
                        "name": "files",
                        "description": "All of them.",
                        "tools": [{"type": "function", "name": "read", "parameters": None}],
                    }
                ]
            },
            "namespace.description",
        ),
    ],
)
def test_what_is_said_of_formats_and_groups_is_listed_where_it_is_lost(
    client: str, piece: dict[str, Any], name: str, target: str
) -> None:
    found = write(client, target, body_of(client, [piece]), facts_of()).transforms
    assert (f"dropped={name}" in found) == (client != target)


@pytest.mark.parametrize(("client", "target"), CROSSINGS)
def test_what_holds_anyway_is_no_loss(client: str, target: str) -> None:
    """OpenAI's SDKs have to say how closely a picture is looked at."""
    data = "data:image/png;base64," + PNG
    pieces: dict[str, list[dict[str, Any]]] = {
        CHAT: [{"type": "image_url", "image_url": {"url": data, "detail": "auto"}}],
        RESPONSES: [{"type": "input_image", "image_url": data, "detail": "auto"}],
    }
    turn = {"role": "user", "content": pieces.get(client, "Hi")}
    piece = {"service_tier": "auto", "+": [turn]}
    assert losses_in(write(client, target, body_of(client, [piece]), facts_of()).transforms) == ()
