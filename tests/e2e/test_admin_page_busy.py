"""The operators' page of a busy gateway with a token, many targets and hostile names.

What such a gateway tells is put in the place of what the served one does.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, Route, expect

from lynkrc_runtime.settings import Admin, Key, Server, Settings
from tests.e2e import small_bundle
from tests.e2e.doors_lab import KEY
from tests.e2e.gateway import GatewayProcess, serving
from tests.e2e.page_lab import LOOK, chromium, page_at, send
from tests.runtime.by_hand import dispatch, provider, target

TARGETS = [f"target-with-a-rather-long-name-{number:02}" for number in range(60)]
BELOW = "/ops/gateway"
HOSTILE = "<img src=x onerror=alert(1)>'\"</script><b>"
TOKEN = "operators-token-of-the-tests"
CALLER = {"x-lynkr-key": KEY}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=LOOK)
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("busy")
    names = [target(HOSTILE, 0, model=f"{HOSTILE}m" * 9), *(target(one, 0) for one in TARGETS)]
    table = replace(
        dispatch([provider(HOSTILE, "simulator", base_url=None, api_key=None)], names),
        name=HOSTILE,
        settings=Settings(
            server=Server(admin=Admin(token=TOKEN)),
            keys={HOSTILE: Key(sha256=hashlib.sha256(KEY.encode()).hexdigest())},
        ),
    )
    routes = {"routes.txt": f"x\n\nTIERS\n  {HOSTILE}\n".encode()}
    made = small_bundle.write(folder / "by-hand.lynkr", small_bundle.files(table) | routes)
    with serving(made, folder / "log") as process:
        yield process


@pytest.fixture(scope="module")
def page(browser: Browser, gateway: GatewayProcess) -> Iterator[Page]:
    """The page below a path, as a proxy shows it that takes the path away; opened by the token."""

    def passed(route: Route) -> None:
        path = route.request.url.partition(BELOW)[2]
        route.fulfill(response=route.fetch(url=f"{gateway.admin}{path}"))

    assert send(gateway, "hello", **CALLER).status == 200
    size = {"width": 1280, "height": 900}
    with page_at(browser, gateway, is_gone=True, viewport=size) as made:
        made.route(f"**{BELOW}/**", passed)
        made.goto(f"{gateway.admin}{BELOW}/")
        made.get_by_label("Token").fill(TOKEN)
        made.keyboard.press("Enter")
        expect(made.locator("tbody tr")).to_have_count(1)
        yield made


def told(page: Page, path: str, change: Any) -> None:
    """Have the page hear what `change` makes of what the gateway says at a path."""

    def answered(route: Route) -> None:
        answer = route.fetch(url=route.request.url.replace(BELOW, ""))
        members = answer.json()
        change(members)
        route.fulfill(response=answer, json=members)

    page.route(re.compile(f"{BELOW}{path}"), answered)


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=2, name=name)).to_be_focused()


def skipped(name: str) -> dict[str, Any]:
    fault = {"fault": "spent", "class": "spent", "status": 429}
    return {"target": name, "result": "skipped", "duration_ms": 0.0} | fault


def test_repeated_attempts_are_one_line_that_stays_open(
    page: Page, gateway: GatewayProcess
) -> None:
    def changed(members: dict[str, Any]) -> None:
        for row in members["requests"]:
            served = {"fault": None, "class": None, "status": None, "duration_ms": 7.0}
            last = {"target": TARGETS[9], "result": "served"} | served
            row |= {"attempts": [*map(skipped, TARGETS[:9]), last], "worker": 3}

    told(page, "/v1/admin/live", changed)
    page.reload()
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("worker 3")
    expect(row.locator(".attempts > li")).to_have_count(2)
    # Nobody asked those targets: no status came from them.
    row.get_by_text("9 skipped, spent", exact=True).click()
    expect(row.get_by_text(TARGETS[8])).to_be_visible()
    send(gateway, "another one", **CALLER)
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").nth(1).get_by_text(TARGETS[8])).to_be_visible()
    assert page.locator("main .scroll").evaluate("it => it.scrollWidth - it.clientWidth") == 0


def test_no_two_targets_share_a_colour(page: Page) -> None:
    def changed(members: dict[str, Any]) -> None:
        # What was served may lie in two minutes, or in two hours: only the last ones spent.
        costs = [(number + 1) * 10_000 for number in range(20)]
        spend = {**dict(zip(TARGETS, costs, strict=False)), TARGETS[30]: 1}
        for kind in ("minutes", "hours"):
            *before, last = members["series"][kind]
            last["spend"] = spend
            for sums in before:
                sums["spend"] = {}

    told(page, "/v1/admin/board", changed)
    go(page, "Mix and spend")
    legend = page.locator("figure").nth(1).locator(".legend li")
    expect(legend).to_have_count(9)
    tones = [one.get_attribute("class") for one in legend.locator(".swatch").all()]
    assert len(set(tones)) == 9
    expect(legend.last).to_contain_text("13 other targets")
    expect(page.locator(".totals")).to_contain_text("$2.10")
    percents = legend.locator(".muted").all_text_contents()
    assert percents[0] == "6 %" and percents[-1] == "37 %"


def test_targets_that_need_somebody_come_first(page: Page) -> None:
    def budget(members: dict[str, Any]) -> None:
        spent = {"spent_micro_usd": 1_440_000, "limit_micro_usd": 1_200_000}
        usual = {"budget": "purse", "owner": "everyone", "reserved_micro_usd": 0, "hard": True}
        members["budgets"] = [spent | usual | {"period": "2026-11", "ends": "2026-12-01T00:00:00Z"}]

    def breakers(members: dict[str, Any]) -> None:
        for one in members["targets"]:
            states = ["closed", "open"] if one["target"] == TARGETS[41] else ["closed"] * 2
            one["state"] = states[1]
            one["workers"] = {str(number): {"state": has} for number, has in enumerate(states)}

    told(page, "/v1/admin/board", budget)
    told(page, "/metrics/circuit-breakers$", breakers)
    go(page, "Health")
    expect(page.get_by_role("row").filter(has_text="purse")).to_contain_text("120 %")
    first = page.get_by_role("region", name="Breakers", exact=True).get_by_role("row").nth(1)
    expect(first).to_contain_text(TARGETS[41])
    expect(first).to_contain_text("worker 0 closed, worker 1 open")
    page.get_by_text("60 targets closed").click()
    well = page.get_by_role("region", name="Breakers, closed")
    expect(well.get_by_role("row").nth(1)).not_to_contain_text("worker")
    button = well.get_by_role("button", name=f"Reset {TARGETS[5]}")
    button.press("Enter")
    with page.expect_response(re.compile("circuit-breakers$")):
        pass  # and the list is drawn anew behind the dialog
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(button).to_be_focused()


def test_a_large_policy_is_drawn_with_what_is_tried_first(page: Page) -> None:
    go(page, "Routes")
    expect(page.locator(".graph .lane + .edge")).to_have_count(1)
    expect(page.locator(".graph .edge")).to_have_count(3)
    expect(page.locator("#graph-left")).to_contain_text("58 other targets")
    table = page.get_by_role("table", name="Targets", exact=True)
    expect(table.get_by_role("row")).to_have_count(62)


def test_a_huge_and_a_wrong_paste_and_an_example_that_can_be_taken_back(page: Page) -> None:
    go(page, "Try a request")
    box = page.get_by_label("Body, as JSON")
    box.fill("[1]")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator("#result").get_by_role("alert")).to_contain_text("HTTP 400")
    expect(box).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Example").click()
    expect(box).to_have_value(re.compile("Prove that"))
    box.press("Control+z")
    expect(box).to_have_value("[1]")
    start = '{"model": "auto", "max_tokens": 5, "messages": [{"role": "user", "content": "'
    box.fill(f'{start}{"long " * 200_000}"}}]}}')
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Decided as Messages.")).to_be_visible()
    expect(box).not_to_have_attribute("aria-invalid", "true")


def test_an_answer_of_somebody_else_is_told(page: Page) -> None:
    page.route(
        re.compile(f"{BELOW}/v1/admin/changes"),
        lambda route: route.fulfill(status=200, content_type="text/html", body="<p>Log in"),
    )
    go(page, "Changes")
    expect(page.get_by_role("alert")).to_contain_text("Is a proxy between?")


def test_hostile_names_behind_a_token_and_a_gateway_that_goes_away(
    page: Page, gateway: GatewayProcess
) -> None:
    page.unroute_all()
    page.set_viewport_size({"width": 400, "height": 900})
    page.evaluate("sessionStorage.clear()")
    page.goto(gateway.admin)
    expect(page.get_by_role("heading", name="wants its operators")).to_be_visible()
    token = page.get_by_label("Token")
    expect(token).to_be_focused()
    for wrong in ("not the token at all", chr(0x2713) * 20):
        token.fill(wrong)
        token.press("Enter")
        expect(page.get_by_role("alert").filter(has_text="does not know")).to_be_visible()
        expect(token).to_have_attribute("aria-invalid", "true")
        assert page.evaluate("sessionStorage.length") == 0
    token.fill(TOKEN)
    token.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").first).to_contain_text(f"{HOSTILE}m")
    for name in ("Mix and spend", "Health", "Routes", "Changes"):
        go(page, name)
        expect(page.locator("main")).not_to_contain_text("Asking the gateway")
        if name == "Health":
            expect(page.get_by_text("one process")).to_be_visible()
            page.get_by_text("61 targets closed").click()
            page.get_by_role("button", name=f"Reset {HOSTILE}", exact=True).click()
            expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
            page.get_by_role("dialog").get_by_role("button", name="Reset").click()
            expect(page.get_by_text("was reset.")).to_be_visible()
        assert page.locator("main img, b, script:not([src])").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, name
    served = gateway.log.parent / "by-hand.lynkr"
    small_bundle.write(served, small_bundle.files(dispatch([], [])))
    page.get_by_role("button", name="Reload now").click()
    expect(page.get_by_text("The reload failed:")).to_be_visible()
    # A page of another tab knows no token, and one that is loaded anew still does.
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    assert gateway.stop() == 0
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    expect(page.locator("#state")).to_have_text("gone")
