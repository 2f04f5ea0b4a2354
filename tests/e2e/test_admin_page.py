"""The operators' page in a browser: what it shows of a gateway, by eye, by keyboard and by ear."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from tests.e2e import page_bundle
from tests.e2e.gateway import GatewayProcess, serving
from tests.e2e.page_lab import CONTRAST, LOOK, RULES, chromium, inaccessible, page_at, send

POEM = "Write a poem about the deep blue sea."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=LOOK)
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A bundle, and that of a later version of it."""
    folder = tmp_path_factory.mktemp("page")
    return (
        page_bundle.shown(folder / "first.lynkr"),
        page_bundle.shown(folder / "later.lynkr", up_to=35, digest="e" * 64),
    )


@pytest.fixture(scope="module")
def gateway(
    bundles: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("served")
    bundle = shutil.copy(bundles[0], folder / "shown.lynkr")
    with serving(bundle, folder / "log") as process:
        yield process
        assert process.stop() == 0
        assert not [line for line in process.lines if line["event"] == "mistake"]


@pytest.fixture(scope="module")
def shown(browser: Browser, gateway: GatewayProcess) -> Iterator[Page]:
    """The page of a gateway that nobody has asked for anything."""
    with page_at(browser, gateway, viewport={"width": 1280, "height": 900}) as page:
        yield page


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=2, name=name)).to_be_focused()


def test_requests_appear_as_they_end(shown: Page, gateway: GatewayProcess) -> None:
    expect(shown.get_by_text("No request has ended yet.")).to_be_visible()
    expect(shown.get_by_role("heading", level=1)).to_have_text("shown")
    plain = send(gateway, "hello").request_id
    send(gateway, POEM)
    send(gateway, "hello", **{"x-gold": "yes"})
    rows = shown.locator("tbody tr")
    expect(rows).to_have_count(3)
    denied, fallen, first = (rows.nth(index) for index in range(3))
    expect(first).to_contain_text(plain)
    expect(first).to_contain_text("LOW")
    expect(first).to_contain_text("small")
    expect(denied).to_contain_text("no-gold")
    expect(denied).to_contain_text("HTTP 403")
    expect(fallen).to_contain_text("fallback")
    expect(fallen.get_by_role("list", name="Attempts")).to_contain_text(
        "large failed, transient 529"
    )
    expect(fallen.get_by_role("list", name="Attempts")).to_contain_text("small served")
    expect(fallen).to_contain_text("$0")
    expect(shown.locator("#shown")).to_contain_text("3 requests")
    expect(shown.get_by_role("status").filter(has_text="new request")).to_have_count(1)


def test_rows_are_filtered_and_paused(shown: Page, gateway: GatewayProcess) -> None:
    rows = shown.locator("tbody tr")
    shown.get_by_role("searchbox").fill("transient")
    expect(rows).to_have_count(1)
    shown.get_by_role("searchbox").fill("nothing like it")
    expect(shown.get_by_text("No request fits.")).to_be_visible()
    shown.get_by_role("searchbox").fill("")
    shown.get_by_role("button", name="Pause").click()
    send(gateway, "hello again")
    expect(shown.locator("#shown")).to_have_text("3 requests, paused")
    shown.get_by_role("button", name="Go on").click()
    expect(rows).to_have_count(4)


def spending(route: Route) -> None:
    """What the gateway says, with a cost for each request: simulated calls have none."""
    answer = route.fetch()
    told = answer.json()
    for sums in (*told["series"]["minutes"], *told["series"]["hours"]):
        sums["spend"] = {"small": 250_000, "large": 750_000}
    route.fulfill(response=answer, json=told)


def test_sums_are_drawn_and_stand_in_a_table(shown: Page) -> None:
    shown.route("**/v1/admin/board", spending)
    go(shown, "Mix and spend")
    for title in ("Requests by tier", "Spend by target"):
        expect(shown.get_by_role("img", name=title)).to_be_visible()
    figure = shown.locator("figure").first
    expect(figure.get_by_role("listitem").filter(has_text="LOW")).to_contain_text("2")
    expect(figure.get_by_role("listitem").filter(has_text="no tier")).to_contain_text("1")
    figure.get_by_text("As a table").click()
    expect(figure.get_by_role("table").get_by_role("row").nth(1)).to_contain_text("1")
    spend = shown.locator("figure").nth(1)
    expect(spend.get_by_role("listitem").filter(has_text="large")).to_contain_text("75 %")
    assert spend.locator("rect.c0, rect.c1").count() >= 2
    shown.get_by_role("button", name="7 days").click()
    expect(shown.get_by_role("button", name="7 days")).to_have_attribute("aria-pressed", "true")
    expect(shown.get_by_role("img", name="Requests by tier")).to_be_visible()
    shown.unroute("**/v1/admin/board")


def test_budgets_are_told_and_breakers_reset_after_a_question(
    shown: Page, gateway: GatewayProcess
) -> None:
    go(shown, "Health")
    purse = shown.get_by_role("row").filter(has_text="purse")
    expect(purse).to_contain_text("everyone")
    expect(purse).to_contain_text("of $5.00")
    large = shown.get_by_role("row").filter(has_text="large")
    expect(large).to_contain_text("closed")
    shown.get_by_role("button", name="Reset large").press("Enter")
    dialog = shown.get_by_role("dialog")
    expect(dialog).to_contain_text("Reset large?")
    shown.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert not [line for line in gateway.lines if line["event"] == "breakers-reset"]
    shown.get_by_role("button", name="Reset large").press("Enter")
    dialog.get_by_role("button", name="Reset").click()
    expect(shown.get_by_text("large was reset.")).to_be_visible()
    (line,) = [line for line in gateway.lines if line["event"] == "breakers-reset"]
    assert line["target"] == "large"


def test_routes_are_a_picture_tables_and_text(shown: Page) -> None:
    go(shown, "Routes")
    expect(shown.get_by_role("img", name="How shown routes")).to_be_visible()
    expect(shown.locator("svg desc")).to_contain_text("HIGH: large, then small")
    tiers = shown.get_by_role("table", name="Tiers with their chains")
    expect(tiers.get_by_role("row").nth(2)).to_contain_text("score 31 and more")
    expect(shown.get_by_role("region", name="RULES, in order")).to_contain_text("no-gold")


def placed(route: Route) -> None:
    """A trace with a pattern and where it stands: the bundle has no lexicon."""
    answer = route.fetch()
    told = answer.json()
    if answer.ok:
        place = {"chars": [8, 18]}
        found = {"pattern": "poem about", "times": 1, "weight": 1, "places": [place]}
        told["features"][0]["patterns"] = [found]
    route.fulfill(response=answer, json=told)


def test_a_pasted_request_is_explained(shown: Page) -> None:
    shown.route("**/routing/analyze*", placed)
    go(shown, "Try a request")
    box = shown.get_by_label("Body, as JSON")
    box.fill(json.dumps({"model": "auto", "input": POEM}))
    box.press("Control+Enter")
    expect(shown.get_by_text("Decided as Responses.")).to_be_visible()
    result = shown.locator("#result")
    expect(result.locator(".answer")).to_contain_text("HIGH")
    expect(result).to_contain_text("large, then small")
    points = result.get_by_role("table", name="Points of each dimension")
    expect(points.get_by_role("row").filter(has_text="size")).to_contain_text("+40")
    features = result.get_by_role("table", name="Features that are not zero")
    expect(features).to_contain_text("poem about")
    expect(features).to_contain_text(f"at 8{chr(0x2013)}18")
    box.fill('{"model": "auto", "max_tokens": 5, "messages": [{"role": "nobody", "content": "x"}]}')
    shown.get_by_role("button", name="Decide").click()
    expect(result.get_by_role("alert")).to_contain_text("role")
    box.fill("{")
    box.press("Control+Enter")
    expect(result.get_by_role("alert")).to_contain_text("HTTP 400")


def test_what_a_reload_changed_is_told(
    shown: Page, gateway: GatewayProcess, bundles: tuple[Path, Path]
) -> None:
    served = gateway.log.parent / "shown.lynkr"
    go(shown, "Changes")
    expect(shown.get_by_text("Nothing was reloaded since the start.")).to_be_visible()
    again = shown.get_by_role("button", name="Reload now")
    again.click()
    expect(shown.get_by_text("The same bundle lies there")).to_be_visible()
    expect(shown.get_by_text("No reload has changed anything since the start.")).to_be_visible()
    shutil.copy(bundles[1], served)
    again.click()
    lines = shown.get_by_role("region", name="Lines of the route table that changed")
    expect(lines.get_by_role("deletion").filter(has_text="0..30")).to_be_visible()
    expect(lines.get_by_role("insertion").filter(has_text="0..35")).to_be_visible()
    expect(shown.locator(".changes")).to_contain_text("LOW: up to")
    served.write_text("broken")
    again.click()
    expect(shown.get_by_text("The reload failed:")).to_contain_text("not a whole zip file")
    expect(lines).to_be_visible()
    expect(shown.get_by_role("row").nth(1)).to_contain_text("failed")
    expect(shown.locator("#state")).to_have_text("degraded")


VIEWS = ("live", "spend", "health", "routes", "try", "changes")


def test_every_view_is_accessible_and_fits(shown: Page) -> None:
    wide, narrow = ViewportSize(width=1280, height=900), ViewportSize(width=400, height=900)
    for view in VIEWS:
        shown.set_viewport_size(wide)
        shown.emulate_media(color_scheme="light")
        shown.evaluate("view => { location.hash = view }", view)
        expect(shown.locator("#views a[aria-current]")).to_have_attribute("href", f"#{view}")
        expect(shown.locator("main")).not_to_contain_text("Asking the gateway")
        if view == "try":
            shown.get_by_role("button", name="Example").click()
            shown.get_by_role("button", name="Decide").click()
            shown.locator(".answer").wait_for()
        assert inaccessible(shown, RULES) == [], view
        # Colours alone differ in the dark.
        shown.emulate_media(color_scheme="dark")
        assert inaccessible(shown, CONTRAST) == [], view
        shown.set_viewport_size(narrow)
        assert shown.evaluate("document.documentElement.scrollWidth") <= narrow["width"], view
        if view == "live":
            assert inaccessible(shown, RULES) == [], view
    shown.set_viewport_size(wide)


def test_the_page_is_walked_by_keyboard(shown: Page) -> None:
    go(shown, "Live")
    shown.reload()  # nothing has the focus
    expect(shown.locator("tbody tr").first).to_be_visible()
    shown.keyboard.press("Tab")
    expect(shown.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(shown.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    order = []
    for _ in range(9):
        shown.keyboard.press("Tab")
        order.append(shown.evaluate("document.activeElement.textContent.slice(0, 13)"))
        focused = shown.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
        assert focused, order
    names = ["Live", "Mix and spend", "Health", "Routes", "Try a request", "Changes"]
    assert order[:8] == [*names, "", "Pause"], order
    shown.keyboard.press("Shift+Tab")
    shown.keyboard.press("Shift+Tab")
    shown.keyboard.press("Shift+Tab")
    shown.keyboard.press("Enter")
    expect(shown.get_by_role("heading", level=2, name="Changes")).to_be_focused()
    shown.keyboard.press("Tab")
    expect(shown.get_by_role("button", name="Reload now")).to_be_focused()
