"""The operators' page as it is given: whole, to whom, and with which headers; and its answers."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.doors import doors_of
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.page_routes import FOLDER, HEADERS, page_files
from lynkrc_runtime.settings import Admin, Budget, Server, Settings
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

Client = TestClient[Any, Any]
TOKEN = "operators-token-of-the-tests"
JSON = {"content-type": "application/json"}
FILES = sorted(path.name for path in FOLDER.iterdir())
SCRIPTS = {path.name: path.read_text() for path in FOLDER.glob("*.js")}
ASKED = ("/v1/admin/live", "/v1/admin/board", "/v1/admin/policy", "/v1/admin/changes")


@pytest.fixture(params=[None, TOKEN], ids=["open", "token"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    budgets = [Budget(name="purse", usd="2", period="day")]
    declared = replace(table, settings=Settings(budgets=budgets))
    served = gateway(policy(declared), Said())
    doors = doors_of(Server(admin=Admin(token=request.param)), {})
    object.__setattr__(served, "doors", doors)
    async with TestClient(TestServer(admin_app(Site(gateway=served)))) as made:
        made.shown = {} if request.param is None else {"authorization": f"Bearer {TOKEN}"}
        yield made


async def test_files_are_given_without_a_token_and_cannot_be_abused(client: Client) -> None:
    for path in ("/", *(f"/page/{name}" for name in FILES)):
        if path == "/page/index.html":
            continue
        async with client.get(path) as answer:
            assert answer.status == 200, path
            for name, value in HEADERS.items():
                assert answer.headers[name] == value
            assert answer.charset == "utf-8"
            text = await answer.text()
        assert "<script>" not in text and TOKEN not in text
    rules = dict(
        part.strip().split(" ", 1) for part in HEADERS["content-security-policy"].split(";")
    )
    assert rules["default-src"] == "'none'" and rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in HEADERS["content-security-policy"]
    assert "http" not in HEADERS["content-security-policy"]


async def test_nothing_else_lies_there(client: Client) -> None:
    for path in ("/page/", "/page/index.html", "/page/none.js", "/page/..%2fbundle.py"):
        async with client.get(path, headers=client.shown) as answer:
            assert answer.status == 404, path


async def test_what_it_shows_needs_the_token(client: Client) -> None:
    for path in ASKED:
        async with client.get(path) as answer:
            assert answer.status == (401 if client.shown else 200)
        async with client.get(path, headers=client.shown) as answer:
            assert answer.status == 200
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_its_own_origin_may_ask_and_no_other(client: Client) -> None:
    here = f"127.0.0.1:{client.port}"
    for origin, status in (
        (f"http://{here}", 200),
        (f"https://{here}", 200),  # a proxy before it speaks TLS
        ("http://127.0.0.1", 403),
        (f"http://localhost:{client.port}", 403),
        (f"http://{here}.evil.example", 403),
        (f"http://{here}/", 403),
        ("null", 403),
        ("", 403),
    ):
        sent = client.shown | JSON | {"origin": origin}
        async with client.post(
            "/metrics/circuit-breakers/reset", data=b"{}", headers=sent
        ) as answer:
            assert answer.status == status, origin
    # A name of somebody else's that leads here is its own origin, and still not this machine.
    rebound = {
        "host": f"evil.example:{client.port}",
        "origin": f"http://evil.example:{client.port}",
    }
    async with client.get("/v1/admin/live", headers=rebound) as answer:
        assert answer.status == (401 if client.shown else 403)


async def test_the_board_tells_budgets_and_store(client: Client) -> None:
    async with client.get("/v1/admin/board", headers=client.shown) as answer:
        told = await answer.json()
    (budget,) = told["budgets"]
    assert (budget["budget"], budget["owner"]) == ("purse", "everyone")
    assert (budget["spent_micro_usd"], budget["limit_micro_usd"]) == (0, 2_000_000)
    assert told["store"] == {"kind": "memory", "status": "ready", "down": []}
    assert told["series"] == {"minutes": [], "hours": []}


async def test_the_policy_is_told_by_name(client: Client) -> None:
    async with client.get("/v1/admin/policy", headers=client.shown) as answer:
        told = await answer.json()
    assert told["chains"][0]["groups"] == [["one"]]
    assert told["targets"][0]["provider"] == "sim"
    assert told["routes"] == "the route table\n"


def test_scripts_are_plain_modules_that_read_no_markup() -> None:
    forbidden = ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(")
    for name, text in SCRIPTS.items():
        assert not [word for word in forbidden if word in text], name
        assert '"style"' not in text and "style:" not in text, name
        found = re.findall(r"from \"([^\"]+)\"", text)
        assert all(Path(one).name in SCRIPTS and one.startswith("./") for one in found), name
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), name
        assert "https://" not in text, name
    index = (FOLDER / "index.html").read_text()
    assert not re.search(r"\son\w+=|style=|<style|<script>", index)
    # A proxy may show the page below a path of its own.
    assert not re.search(r"(?:src|href)=\"/", index)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_page_is_small_and_served(name: str) -> None:
    assert name in page_files()
    assert len((FOLDER / name).read_text().splitlines()) <= 500
