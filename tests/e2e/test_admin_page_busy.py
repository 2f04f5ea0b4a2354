"""The operators' page of a busy gateway with many targets, below a path of a proxy: legible.

What such a gateway tells is put in the place of what the served one does.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e import small_bundle
from tests.e2e.gateway import GatewayProcess, serving
from tests.e2e.page_lab import LOOK, chromium, page_at, send
from tests.runtime.by_hand import dispatch, provider, target

TARGETS = [f"target-with-a-rather-long-name-{number:02}" for number in range(60)]
BELOW = "/ops/gateway"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=LOOK)
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("busy")
    table = dispatch(
        [provider("near", "simulator", base_url=None, api_key=None)],
        [target(name, 0) for name in TARGETS],
    )
    made = small_bundle.write(folder / "by-hand.lynkr", small_bundle.files(table))
    with serving(made, folder / "log") as process:
        yield process


@pytest.fixture(scope="module")
def page(browser: Browser, gateway: GatewayProcess) -> Iterator[Page]:
    """The page below a path, as a proxy shows it that takes the path away."""

    def passed(route: Route) -> None:
        path = route.request.url.partition(BELOW)[2]
        route.fulfill(response=route.fetch(url=f"{gateway.admin}{path}"))

    assert send(gateway, "hello").status == 200
    with page_at(browser, gateway, viewport={"width": 1280, "height": 900}) as made:
        made.route(f"**{BELOW}/**", passed)
        made.goto(f"{gateway.admin}{BELOW}/")
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
    send(gateway, "another one")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").nth(1).get_by_text(TARGETS[8])).to_be_visible()
    assert page.locator("main .scroll").evaluate("it => it.scrollWidth - it.clientWidth") == 0


def test_no_two_targets_share_a_colour(page: Page) -> None:
    def changed(members: dict[str, Any]) -> None:
        for sums in (*members["series"]["minutes"], *members["series"]["hours"]):
            costs = [(number + 1) * 10_000 for number in range(20)]
            sums["spend"] = {**dict(zip(TARGETS, costs, strict=False)), TARGETS[30]: 1}

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
    page.get_by_text("59 targets closed").click()
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
    expect(page.locator("#graph-left")).to_contain_text("57 other targets")
    table = page.get_by_role("table", name="Targets", exact=True)
    expect(table.get_by_role("row")).to_have_count(61)


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
