"""Which headers travel, and what ours look like."""

from lynkrc_runtime.protocol.dialect import Written
from lynkrc_runtime.server.headers import TRANSFORMS_LIMIT, list_value, upstream_headers

SENT = {
    "authorization": "Bearer client",
    "x-api-key": "client",
    "api-key": "client",
    "x-lynkr-key": "client",
    "cookie": "a=b",
    "forwarded": "for=1.2.3.4",
    "x-forwarded-for": "1.2.3.4",
    "host": "localhost",
    "x-lynkr-explain": "1",
    "x-stainless-timeout": "600",
    "user-agent": "client/1",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "secret-beta",
    "anthropic-workspace-id": "w",
    "openai-beta": "b",
    "x-codex-window-id": "1",
    "session-id": "s",
    "x-session-affinity": "f",
    "x-session-token": "client",
    "x-codex-auth": "client",
    "idempotency-key": "i",
    "traceparent": "00-1",
    "baggage": "user=client",
}


def sent(dialect: str, *, same: bool) -> dict[str, str]:
    return upstream_headers(
        SENT,
        same_dialect=same,
        dialect=dialect,
        written=Written(body=b"", headers={"Anthropic-Version": "2026-10-21"}, transforms=()),
        provider={"x-api-key": "ours", "x-team": "t"},
        accept="text/event-stream",
    )


def test_the_clients_credentials_and_marks_stay_here() -> None:
    for dialect in ("anthropic-messages", "openai-chat", "openai-responses"):
        for same in (True, False):
            headers = sent(dialect, same=same)
            assert "client" not in " ".join(headers.values())
            assert headers["x-api-key"] == "ours"
            assert "authorization" not in headers
            dropped = ("cookie", "forwarded", "x-forwarded-for", "host", "anthropic-beta")
            assert not set(dropped) & set(headers)
            assert not any(name.startswith(("x-lynkr", "x-stainless")) for name in headers)


def test_a_dialects_own_headers_travel_to_the_same_dialect_only() -> None:
    messages = sent("anthropic-messages", same=True)
    assert messages["anthropic-workspace-id"] == "w"
    assert "openai-beta" not in messages
    chat = sent("openai-chat", same=True)
    assert (chat["openai-beta"], chat["x-codex-window-id"], chat["session-id"]) == ("b", "1", "s")
    assert "anthropic-workspace-id" not in chat
    codex = sent("openai-responses", same=True)
    assert {"openai-beta", "x-codex-window-id", "session-id", "x-session-affinity"} <= set(codex)
    other = sent("openai-chat", same=False)
    assert "openai-beta" not in other
    assert (other["traceparent"], other["idempotency-key"]) == ("00-1", "i")


def test_the_writers_headers_are_sent_and_bodies_come_uncompressed() -> None:
    headers = sent("anthropic-messages", same=True)
    assert headers["anthropic-version"] == "2026-10-21"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith("lynkrc/")
    assert headers["accept"] == "text/event-stream"


def test_a_value_that_is_not_ascii_does_not_travel() -> None:
    headers = upstream_headers(
        {"traceparent": "\udcff"},
        same_dialect=True,
        dialect="openai-chat",
        written=Written(body=b"", headers={}, transforms=()),
        provider={},
        accept="application/json",
    )
    assert "traceparent" not in headers


def test_lists_are_safe_and_bounded() -> None:
    value = list_value([f"dropped=member_{number}" for number in range(500)])
    assert len(value) < TRANSFORMS_LIMIT + 10
    kept = value.split(", ")
    assert kept[-1] == f"+{500 - len(kept) + 1}"
    assert list_value(["a,b\r\nx-evil: 1"]) == "a?b??x-evil: 1"
