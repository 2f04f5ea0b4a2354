"""The operators' page in a browser: what it shows of a gateway, by eye, by keyboard and by ear."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, Route, expect

from lynkrc_runtime.bundle import MANIFEST
from lynkrc_runtime.settings import Admin, Key, Server, Settings
from tests.e2e import small_bundle
from tests.e2e.doors_lab import KEY
from tests.e2e.gateway import GatewayProcess, built, serving
from tests.e2e.page_lab import CONTRAST, LOOK, RULES, chromium, inaccessible, page_at, send
from tests.runtime.by_hand import dispatch, provider, target

SPEC = """\
version: 1
name: shown
providers:
  near: {kind: simulator, trust: local}
  far: {kind: simulator, trust: cloud, simulate: "SIMULATE"}
targets:
  small: {provider: near, model: tiny, context: 8k, max_output: 1k, price: {input: 1, output: 2}}
  large: {provider: far, model: huge, context: 8k, max_output: 1k, price: {input: 10, output: 20}}
lexicons:
  sea: ["sea", "poem about"]
score:
  dimensions:
    size: {weight: 50, value: "ramp(ask.words, 0, 20)"}
    terms: {weight: 50, value: "when(matches(ask, sea), 100, 0)"}
tiers:
  - {name: LOW, up_to: 40, chain: [small]}
  - {name: HIGH, chain: [large, small]}
otherwise: escalate
rules:
  - {name: no-gold, when: 'header("x-gold") == "yes"', deny: {status: 403, message: no gold here}}
budgets:
  - {name: purse, usd: 5, period: day}
"""
POEM = "Write a poem about the deep blue sea."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=LOOK)
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The spec's bundle, and one that differs from it as that of a later version would."""
    folder = tmp_path_factory.mktemp("page")
    spec = folder / "routing.yaml"
    spec.write_text(SPEC.replace("SIMULATE", "fail:529"))
    first = built(spec, folder, "shown")
    with zipfile.ZipFile(first) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != MANIFEST}
    for name, old, new in (
        ("dispatch.json", b'"up_to": 40', b'"up_to": 45'),
        ("routes.txt", b"0..40", b"0..45"),
    ):
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    return first, small_bundle.write(folder / "later.lynkr", files)


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
    expect(tiers.get_by_role("row").nth(2)).to_contain_text("score 41 and more")
    expect(shown.get_by_role("region", name="RULES, in order")).to_contain_text("no-gold")


def test_a_pasted_request_is_explained(shown: Page) -> None:
    go(shown, "Try a request")
    box = shown.get_by_label("Body, as JSON")
    box.fill(json.dumps({"model": "auto", "input": POEM}))
    box.press("Control+Enter")
    expect(shown.get_by_text("Decided as Responses.")).to_be_visible()
    result = shown.locator("#result")
    expect(result.locator(".answer")).to_contain_text("HIGH")
    expect(result).to_contain_text("large, then small")
    points = result.get_by_role("table", name="Points of each dimension")
    expect(points.get_by_role("row").filter(has_text="terms")).to_contain_text("+50")
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
    expect(lines.get_by_role("deletion").filter(has_text="0..40")).to_be_visible()
    expect(lines.get_by_role("insertion").filter(has_text="0..45")).to_be_visible()
    expect(shown.locator(".changes")).to_contain_text("LOW: up to")
    served.write_text("broken")
    again.click()
    expect(shown.get_by_text("The reload failed:")).to_contain_text("not a whole zip file")
    expect(lines).to_be_visible()
    expect(shown.get_by_role("row").nth(1)).to_contain_text("failed")
    expect(shown.locator("#state")).to_have_text("degraded")


VIEWS = ("live", "spend", "health", "routes", "try", "changes")


def test_every_view_is_accessible_and_fits(browser: Browser, gateway: GatewayProcess) -> None:
    wide, narrow = {"width": 1280, "height": 900}, {"width": 400, "height": 900}
    with page_at(browser, gateway, viewport=wide, color_scheme="light") as page:
        for view in VIEWS:
            page.set_viewport_size(wide)
            page.emulate_media(color_scheme="light")
            page.goto(f"{gateway.admin}/#{view}")
            expect(page.locator("#views a[aria-current]")).to_have_attribute("href", f"#{view}")
            expect(page.locator("main")).not_to_contain_text("Asking the gateway")
            if view == "try":
                page.get_by_role("button", name="Example").click()
                page.get_by_role("button", name="Decide").click()
                page.locator(".answer").wait_for()
            assert inaccessible(page, RULES) == [], view
            # Colours alone differ in the dark.
            page.emulate_media(color_scheme="dark")
            assert inaccessible(page, CONTRAST) == [], view
            page.set_viewport_size(narrow)
            assert page.evaluate("document.documentElement.scrollWidth") <= narrow["width"], view
            if view == "live":
                assert inaccessible(page, RULES) == [], view


def test_the_page_is_walked_by_keyboard(browser: Browser, gateway: GatewayProcess) -> None:
    with page_at(browser, gateway) as page:
        expect(page.locator("tbody tr").first).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
        order = []
        for _ in range(9):
            page.keyboard.press("Tab")
            order.append(page.evaluate("document.activeElement.textContent.slice(0, 13)"))
            focused = page.evaluate(
                "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
            )
            assert focused, order
        names = ["Live", "Mix and spend", "Health", "Routes", "Try a request", "Changes"]
        assert order[:8] == [*names, "", "Pause"], order
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=2, name="Changes")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Reload now")).to_be_focused()


HOSTILE = "<img src=x onerror=alert(1)>'\"</script><b>"
TOKEN = "operators-token-of-the-tests"


def test_hostile_names_behind_a_token_and_a_gateway_that_goes_away(
    browser: Browser, tmp_path: Path
) -> None:
    made = small_bundle.write(
        tmp_path / "by-hand.lynkr",
        small_bundle.files(
            replace(
                dispatch(
                    [provider(HOSTILE, "simulator", base_url=None, api_key=None)],
                    [target(HOSTILE, 0, model=f"{HOSTILE}m" * 9)],
                ),
                name=HOSTILE,
                settings=Settings(
                    server=Server(admin=Admin(token=TOKEN)),
                    keys={HOSTILE: Key(sha256=hashlib.sha256(KEY.encode()).hexdigest())},
                ),
            )
        )
        | {"routes.txt": f"x\n\nTIERS\n  {HOSTILE}\n".encode()},
    )
    with (
        serving(made, tmp_path / "log") as gateway,
        page_at(browser, gateway, is_gone=True, viewport={"width": 400, "height": 900}) as page,
    ):
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
        for _ in range(2):
            assert send(gateway, "hello", **{"x-lynkr-key": KEY}).status == 200
        expect(page.locator("tbody tr")).to_have_count(2)
        expect(page.locator("tbody tr").first).to_contain_text(f"{HOSTILE}m")
        for name in ("Mix and spend", "Health", "Routes", "Changes"):
            go(page, name)
            expect(page.locator("main")).not_to_contain_text("Asking the gateway")
            if name == "Health":
                expect(page.get_by_text("one process")).to_be_visible()
                page.get_by_role("button", name=f"Reset {HOSTILE}").click()
                expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
                page.get_by_role("dialog").get_by_role("button", name="Reset").click()
                expect(page.get_by_text("was reset.")).to_be_visible()
            assert page.locator("main img, b, script:not([src])").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth") <= 400, name
        small_bundle.write(made, small_bundle.files(dispatch([], [])))
        page.get_by_role("button", name="Reload now").click()
        expect(page.get_by_text("The reload failed:")).to_be_visible()
        # A page of another tab knows no token, and one that is loaded anew still does.
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
        assert gateway.stop() == 0
        expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
        expect(page.locator("#state")).to_have_text("gone")
