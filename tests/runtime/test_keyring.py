"""Virtual keys: who shows one, how that is told, and what each of them reaches."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from lynkrc_runtime.access import keyring
from lynkrc_runtime.access.digest import digest_of
from lynkrc_runtime.access.keyring import KeyRing, UnknownSecret, key_in, usable
from lynkrc_runtime.access.rights import Reach, lacks_right
from lynkrc_runtime.dispatch import Chain, Tier
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.settings import Key, ResponsesStore
from lynkrc_runtime.settings import Settings as Declared
from tests.runtime.by_hand import Said, body, dispatch, gateway, policy, provider, target

SECRET = "lk_kA9s-sesame"
KEYS = {
    "ci": Key(secret="${CI_KEY}", team="web", tiers=["LOW"]),
    "qa": Key(sha256=digest_of("qa-key"), targets=["two"], debug=True),
    "all": Key(sha256=digest_of("all-key")),
}
RING = KeyRing(KEYS, {"CI_KEY": SECRET})


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({}, None),
        ({"x-lynkr-key": "a", "x-api-key": "b", "authorization": "Bearer c", "api-key": "d"}, "a"),
        ({"x-api-key": "b", "authorization": "Bearer c", "api-key": "d"}, "b"),
        ({"authorization": "Bearer c", "api-key": "d"}, "c"),
        ({"authorization": "bEaReR  c "}, "c"),
        ({"api-key": "d"}, "d"),
        ({"authorization": "Basic Yzpj"}, None),
        ({"authorization": "Basic Yzpj", "api-key": "d"}, "d"),
        ({"x-api-key": "", "authorization": "Bearer c"}, "c"),
        ({"authorization": "Bearer "}, None),
        ({"x-goog-api-key": "e", "cookie": "key=e"}, None),
    ],
)
def test_the_first_header_that_has_a_key_counts(
    headers: Mapping[str, str], shown: str | None
) -> None:
    assert key_in(headers) == shown


def named(**headers: str) -> str | None:
    caller = RING.caller_of({name.replace("_", "-"): value for name, value in headers.items()})
    return None if caller is None else caller.name


def test_a_key_is_known_by_reference_or_by_digest() -> None:
    assert named(x_api_key=SECRET) == "ci"
    assert named(authorization="Bearer qa-key") == "qa"
    # A digest is no key: who reads the spec cannot call.
    assert named(x_api_key=digest_of("qa-key")) is None


def test_a_wrong_key_is_not_helped_by_a_right_one_behind_it() -> None:
    assert named(x_lynkr_key="wrong", x_api_key=SECRET) is None


@pytest.mark.parametrize(
    "key", ["", " ", "x" * 65_000, "schlüssel", "\udcff\udc80", "\x00", SECRET[:-1], SECRET + "\n"]
)
def test_odd_keys_are_unknown_and_no_mistake(key: str) -> None:
    assert named(x_api_key=key) is None


def test_a_key_of_any_letters_is_compared_by_its_bytes() -> None:
    ring = KeyRing({"u": Key(secret="${U}")}, {"U": "schlüssel-ключ"})
    found = ring.caller_of({"x-api-key": "schlüssel-ключ"})
    assert found is not None and found.name == "u"


def test_a_constant_time_comparison_of_digests_is_what_decides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    hashed: list[bytes] = []

    def compare(one: bytes, two: bytes) -> bool:
        compared.append((one, two))
        return hmac.compare_digest(one, two)

    class Watched:
        compare_digest = staticmethod(compare)

    class Hashes:
        @staticmethod
        def sha256(data: bytes) -> Any:
            hashed.append(data)
            return hashlib.sha256(data)

    monkeypatch.setattr(keyring, "hmac", Watched)
    monkeypatch.setattr(keyring, "hashlib", Hashes)
    assert named(x_api_key=SECRET) == "ci"
    assert named(x_api_key="wrong") is None
    # An unknown key is hashed and compared as a known one is, over as many bytes.
    assert hashed == [SECRET.encode(), b"wrong"]
    assert [(len(one), len(two)) for one, two in compared] == [(32, 32)] * 2
    assert [one == two for one, two in compared] == [True, False]
    # Whatever the look-up finds, without the comparison nobody is let in.
    monkeypatch.setattr(Watched, "compare_digest", staticmethod(lambda *_: False))
    assert named(x_api_key=SECRET) is None


def test_a_dry_run_goes_without_keys_that_nobody_has_but_never_without_any() -> None:
    keys = {"a": Key(secret="${A}"), "b": Key(secret="${B}"), "c": Key(sha256=digest_of(SECRET))}
    kept, lacking = usable(keys, {"B": "sesame"})
    assert (list(kept), lacking) == (["b", "c"], {"a": "A"})
    assert usable({}, {}) == ({}, {})
    with pytest.raises(UnknownSecret, match="would be open: set A or B"):
        usable({name: keys[name] for name in ("a", "b")}, {})


def test_every_key_that_cannot_be_used_is_named_without_its_secret() -> None:
    keys = {
        "a": Key(secret="${A}"),
        "b": Key(secret="${B}"),
        "c": Key(secret="${C}"),
        "d": Key(sha256=digest_of(SECRET)),
    }
    with pytest.raises(UnknownSecret) as fault:
        KeyRing(keys, {"B": SECRET, "C": "  "})
    assert str(fault.value).splitlines() == [
        "key a: environment variable A is not set",
        "key c: its secret is empty",
        "key d: it is the same as key b",
    ]


# -- what keys reach ---------------------------------------------------------------------------

TABLE = dispatch(
    [provider("sim", "simulator")], [target("one", 0), target("two", 0), target("vectors", 0)]
)
TABLE = msgspec.structs.replace(
    TABLE,
    chains=[
        Chain(name="low", groups=[[0]], pick="order", weights=[]),
        Chain(name="high", groups=[[1]], pick="order", weights=[]),
    ],
    tiers=[Tier(name="LOW", up_to=50, chain=0), Tier(name="HIGH", up_to=None, chain=1)],
    settings=Declared(
        keys=KEYS, embeddings={"small": "vectors"}, responses_store=ResponsesStore(ttl=60.0)
    ),
)


def test_a_tier_is_reached_with_a_target_of_it() -> None:
    qa = RING.caller_of({"x-api-key": "qa-key"})
    assert qa is not None
    reach = Reach(qa, TABLE)
    assert [reach.tier("LOW"), reach.tier("HIGH")] == [False, True]
    assert [reach.target("one"), reach.target("two")] == [False, True]


def test_a_name_is_no_way_around_a_tier() -> None:
    ci = RING.caller_of({"x-api-key": SECRET})
    assert ci is not None
    reach = Reach(ci, TABLE)
    assert [reach.target(name) for name in ("one", "two", "vectors")] == [True, False, False]


def test_rights_are_needed_for_what_is_asked_alone() -> None:
    ci = RING.caller_of({"x-api-key": SECRET})
    assert ci is not None
    assert lacks_right(ci, {}) is None
    assert lacks_right(ci, {"x-lynkr-explain": "0"}) is None
    assert "debug" in (lacks_right(ci, {"x-lynkr-explain": "1"}) or "")


def scorer(vector: list[int]) -> tuple[int, int, int, int, int, int, int]:
    """The tests' requests say nothing to decide by: all go to HIGH."""
    return (0, 1, -1, 1, 0b010, 42, -1)


Client = TestClient[Any, Any]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    made = gateway(policy(TABLE, scorer), Said())
    served = replace(made, keys=RING)
    async with TestClient(TestServer(client_app(Site(gateway=served)))) as asked:
        yield asked


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/messages", {"type": "authentication_error"}),
        ("/v1/chat/completions", {"type": "invalid_request_error", "code": "invalid_api_key"}),
        ("/v1/responses", {"type": "invalid_request_error", "code": "invalid_api_key"}),
        ("/v1/embeddings", {"type": "invalid_request_error", "code": "invalid_api_key"}),
        ("/v1/messages/count_tokens", {"type": "authentication_error"}),
    ],
)
@pytest.mark.parametrize("key", [None, "wrong-key-of-somebody"])
async def test_an_unknown_key_is_refused_in_the_dialects_words(
    client: Client, path: str, kind: Mapping[str, str], key: str | None
) -> None:
    headers = JSON | ({} if key is None else {"x-api-key": key})
    async with client.post(path, data=body(), headers=headers) as answer:
        assert answer.status == 401
        assert answer.headers["x-should-retry"] == "false"
        text = await answer.text()
        assert kind.items() <= (await answer.json())["error"].items()
        assert "wrong-key" not in text + str(answer.headers)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/auto", "/v1/responses/resp_1"])
async def test_nothing_is_told_without_a_key(client: Client, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 401


async def test_probes_need_no_key(client: Client) -> None:
    async with client.get("/health/live") as answer:
        assert answer.headers["server"] == "lynkrc"
    for path in ("/", "/health/live", "/health/ready"):
        async with client.get(path) as answer:
            assert answer.status == 200


async def refused(client: Client, key: str, **more: Any) -> str:
    headers = JSON | {"x-api-key": key}
    async with client.post("/v1/messages", data=body(**more), headers=headers) as answer:
        assert answer.status in (200, 403), await answer.text()
        assert answer.headers.get("x-should-retry") == (None if answer.status == 200 else "false")
        told = await answer.json()
    return "" if answer.status == 200 else str(told["error"]["message"])


async def test_what_was_decided_must_be_within_reach(client: Client) -> None:
    assert await refused(client, "all-key") == ""
    assert await refused(client, "qa-key") == ""
    assert await refused(client, SECRET) == "key ci does not reach tier HIGH"


async def test_explanations_need_the_right_to_ask(client: Client) -> None:
    for key, status in ((SECRET, 403), ("all-key", 403), ("qa-key", 200)):
        headers = JSON | {"x-api-key": key, "x-lynkr-explain": "1"}
        async with client.post("/v1/messages", data=body(), headers=headers) as answer:
            assert answer.status == status
            assert ("x-lynkr-trace-id" in answer.headers) == (status == 200)


@pytest.mark.parametrize(
    ("key", "hidden"),
    [
        ("all-key", set[str]()),
        (SECRET, {"lynkr/HIGH", "lynkr/two", "lynkr/vectors"}),
        ("qa-key", {"lynkr/LOW", "lynkr/one", "lynkr/vectors", "small"}),
    ],
)
async def test_models_that_are_offered_can_be_asked_for(
    client: Client, key: str, hidden: set[str]
) -> None:
    hidden = hidden | {
        name.replace("/", "-").join(("claude-", "")) for name in hidden if "/" in name
    }
    everything = {"auto", "small", "house"}
    for pin in ("LOW", "HIGH", "one", "two", "vectors"):
        everything |= {f"lynkr/{pin}", f"claude-lynkr-{pin}"}
    async with client.get("/v1/models", headers={"x-api-key": key}) as answer:
        listed = {entry["id"] for entry in (await answer.json())["data"]}
    assert listed == everything - hidden
    for name in hidden:
        async with client.get(f"/v1/models/{name}", headers={"x-api-key": key}) as answer:
            assert answer.status == 404
