"""A new bundle under a running gateway: asked for in three ways, and refused without harm."""

import asyncio
import json
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lynkrc_runtime.settings import Admin, Reload, Server, Settings, State
from tests.e2e import versions
from tests.e2e.gateway import PATIENCE, GatewayProcess, serving
from tests.e2e.socket_lab import exchange
from tests.runtime.by_hand import body

JSON = {"content-type": "application/json"}
RELOAD = "/v1/admin/reload"


def reload(gateway: GatewayProcess, status: int = 200) -> Any:
    """Ask an operator's reload; its answer."""
    answer = exchange(gateway.admin, "POST", RELOAD, b"", JSON)
    assert answer.status == status, answer.body
    return answer.json


def serves(gateway: GatewayProcess) -> int:
    """The version that serves a request now."""
    answer = exchange(gateway.url, "POST", "/v1/messages", body(), JSON)
    assert answer.status == 200, answer.body
    number = versions.number_of(answer.headers["x-lynkr-bundle"])
    assert answer.headers["x-lynkr-model"] == f"model-{number}"
    return number


def readiness(gateway: GatewayProcess) -> Mapping[str, Any]:
    answer = exchange(gateway.admin, "GET", "/health/ready", None, {})
    return {"http": answer.status, **answer.json}


def metrics(gateway: GatewayProcess) -> list[str]:
    return exchange(gateway.admin, "GET", "/metrics", None, {}).body.decode().splitlines()


async def logged(gateway: GatewayProcess, event: str, count: int = 1) -> list[dict[str, Any]]:
    """Its log lines of an event, once there are so many."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [line for line in gateway.lines if line["event"] == event]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)


def test_an_operator_reloads(tmp_path: Path) -> None:
    with serving(versions.write(tmp_path, 1), tmp_path / "log", is_forked=False) as gateway:
        assert serves(gateway) == 1
        versions.write(tmp_path, 2)
        assert reload(gateway) == {
            "result": "reloaded",
            "old": versions.digest(1),
            "new": versions.digest(2),
        }
        assert serves(gateway) == 2
        assert reload(gateway)["result"] == "unchanged"
        assert readiness(gateway)["bundle"] == versions.digest(2)
        told = metrics(gateway)
        assert 'lynkr_reloads_total{result="reloaded"} 1.0' in told
        assert 'lynkr_reloads_total{result="unchanged"} 1.0' in told
        assert "lynkr_reload_failed 0.0" in told
        elsewhere = exchange(gateway.admin, "POST", RELOAD, b'{"bundle": "/etc/passwd"}', JSON)
        assert elsewhere.status == 400
        assert exchange(gateway.url, "POST", RELOAD, b"", JSON).status == 404
        assert gateway.stop() == 0


async def test_a_signal_reloads(tmp_path: Path) -> None:
    with serving(versions.write(tmp_path, 1), tmp_path / "log") as gateway:
        versions.write(tmp_path, 2)
        gateway.process.send_signal(signal.SIGHUP)
        (line,) = await logged(gateway, "reload")
        assert line["result"] == "reloaded"
        assert serves(gateway) == 2


async def test_a_watched_path_reloads_when_the_file_is_whole(tmp_path: Path) -> None:
    watched = Settings(server=Server(reload=Reload(watch=True)))
    made = versions.write(tmp_path, 1, settings=watched)
    with serving(made, tmp_path / "log") as gateway:
        data = made.read_bytes()
        versions.write(tmp_path, 2, settings=watched)
        assert [line["new"] for line in await logged(gateway, "reload")] == [versions.digest(2)]
        assert serves(gateway) == 2
        # Half a file is no bundle: what serves, serves.
        made.write_bytes(data[: len(data) // 2])
        lines = await logged(gateway, "reload", 2)
        assert lines[1]["result"] == "failed" and "zip" in lines[1]["reason"]
        assert serves(gateway) == 2
        made.write_bytes(data)
        assert (await logged(gateway, "reload", 3))[2]["new"] == versions.digest(1)
        assert serves(gateway) == 1


def _broken(folder: Path, how: str) -> str:
    """Put something bad in the bundle's place; words of the reason."""
    place = folder / "by-hand.lynkr"
    match how:
        case "gone":
            place.unlink()
            return "cannot be read"
        case "cut":
            versions.write(folder, 2)
            place.write_bytes(place.read_bytes()[:-40])
            return "zip"
        case "digest":
            versions.write(folder, 2)
            data = place.read_bytes()
            assert data.count(b"one row\n") == 1
            place.write_bytes(data.replace(b"one row\n", b"two rows"))
            return "routes.txt"
        case "environment":
            versions.write(folder, 2, api_key="${NOBODY_SET_THIS}", upstream="http://far.test")
            return "NOBODY_SET_THIS"
        case "raises":
            versions.write(folder, 2, files={"scorer.py": b"def decide(v):\n    return 1 // 0\n"})
            return "scorer"
        case "differs":
            explain = versions.contents(2)["explain.py"].replace(b"(0, 0, -1", b"(0, 0, -2")
            versions.write(folder, 2, files={"explain.py": explain})
            return "disagree"
        case "port":
            versions.write(folder, 2, settings=Settings(server=Server(port=9999)))
            return "server.port needs a restart"
        case "state":
            versions.write(folder, 2, settings=Settings(state=State(store="sqlite")))
            return "state needs a restart"
        case _:
            versions.write(folder, 2, settings=Settings(server=Server(admin=Admin(port=9998))))
            return "server.admin needs a restart"


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, GatewayProcess]]:
    """A folder and the gateway that serves the bundle in it, for all that may be put there."""
    folder = tmp_path_factory.mktemp("lasting")
    with serving(versions.write(folder, 1), folder / "log") as gateway:
        yield folder, gateway


@pytest.mark.parametrize(
    "how",
    ["gone", "cut", "digest", "environment", "raises", "differs", "port", "state", "admin"],
)
def test_a_bad_bundle_leaves_the_last_good_one(
    lasting: tuple[Path, GatewayProcess], how: str
) -> None:
    folder, gateway = lasting
    versions.write(folder, 1)
    reload(gateway)
    before = len(gateway.lines)
    words = _broken(folder, how)
    told = reload(gateway, 409)
    assert told["result"] == "failed" and words in told["reason"]
    assert told["old"] == told["new"] == versions.digest(1)
    assert serves(gateway) == 1
    ready = readiness(gateway)
    assert (ready["http"], ready["status"]) == (200, "degraded")
    assert words in ready["reason"]
    public = exchange(gateway.url, "GET", "/health/ready", None, {})
    assert public.status == 200 and public.json["status"] == "degraded"
    assert "reason" not in public.json, "a reason may name files"
    assert "lynkr_reload_failed 1.0" in metrics(gateway)
    (line,) = [line for line in gateway.lines[before:] if line["event"] == "reload"]
    assert line["level"] == "error" and words in line["reason"]
    versions.write(folder, 3)
    assert reload(gateway)["new"] == versions.digest(3)
    assert readiness(gateway)["status"] == "ready"
    assert "lynkr_reload_failed 0.0" in metrics(gateway)


def test_the_usage_log_says_which_bundle_served(tmp_path: Path) -> None:
    usage = tmp_path / "usage.jsonl"
    made = versions.write(tmp_path, 1)
    with serving(made, tmp_path / "log", ["--usage-log", str(usage)]) as gateway:
        serves(gateway)
        versions.write(tmp_path, 2)
        reload(gateway)
        serves(gateway)
        assert gateway.stop() == 0
    lines = [json.loads(line) for line in usage.read_text().splitlines()]
    assert [line["bundle"] for line in lines] == [
        versions.digest(1),
        versions.digest(1),
        versions.digest(2),
        versions.digest(2),
    ]


def test_the_body_limit_is_that_of_the_bundle_that_serves(tmp_path: Path) -> None:
    with serving(versions.write(tmp_path, 1), tmp_path / "log") as gateway:
        versions.write(tmp_path, 2, settings=Settings(server=Server(body_limit=20)))
        reload(gateway)
        answer = exchange(gateway.url, "POST", "/v1/messages", body(), JSON)
        assert answer.status == 413
