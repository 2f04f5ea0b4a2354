"""Any conversation of any client makes a request that the target's dialect takes, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.losses import form_of
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.property.conversations import Talk, talks
from tests.property.effort import tried
from tests.property.spelled_requests import SPELL, spell
from tests.wire.target_oracles import ORACLES

PAIRS = [(client, target) for client in CLIENT_DIALECTS for target in TARGET_DIALECTS]
CROSSINGS = [(client, target) for client, target in PAIRS if client != target]
ABLE = frozenset(
    ("tools", "parallel_tools", "vision", "documents", "json_schema", "thinking", "prompt_cache")
)
SHAPES = [
    RequestShape(),
    RequestShape(thinking=["adaptive"], efforts=["low", "high"], sampling=["stop"], prefill=False),
    RequestShape(
        tool_choice=["auto"],
        mid_system=False,
        structured_output=False,
        efforts=[],
        merge_consecutive=True,
        strict_tools=False,
        parallel_tool_calls=False,
    ),
    RequestShape(
        call_ids="alnum9",
        media_urls=False,
        message_members=["role", "content", "tool_calls", "tool_call_id", "name"],
        result_media=False,
        max_stops=2,
    ),
]
"""Models that take anything, or little."""


def facts_of(target: str, shape: RequestShape) -> TargetFacts:
    return TargetFacts(
        model=ORACLES[target].model,
        max_output=64_000,
        capabilities=ABLE,
        shape=shape,
        maker=f"here/{target}",
        context=100_000,
    )


def write(client: str, target: str, body: bytes, shape: RequestShape) -> Written:
    """What the target is sent; raises CannotTranslate."""
    request = CLIENT_DIALECTS[client].read_request(body, {})
    dialect = TARGET_DIALECTS[target]
    passing = dialect.pass_request if client == target else None
    return (passing or dialect.write_request)(request, facts_of(target, shape), {})


def test_every_dialect_is_here() -> None:
    assert set(SPELL) == set(CLIENT_DIALECTS)
    assert set(ORACLES) == set(TARGET_DIALECTS)


@pytest.mark.parametrize(("client", "target"), CROSSINGS)
@tried(50)
@given(talk=talks(), shape=st.sampled_from(SHAPES))
def test_what_is_written_is_taken(
    client: str, target: str, talk: Talk, shape: RequestShape
) -> None:
    try:
        written = write(client, target, spell(client, talk), shape)
    except CannotTranslate as misfit:
        assert misfit.feature
        assert misfit.message
        return
    ORACLES[target].accept(written.body)
    assert [one for one in written.transforms if form_of(one) is None] == []
