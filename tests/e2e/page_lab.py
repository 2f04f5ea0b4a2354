"""A browser at the operators' page: Debian's Chromium, and what it may never do there."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.e2e.gateway import PATIENCE, GatewayProcess
from tests.e2e.socket_lab import Answer, exchange

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOOK = PATIENCE * 1000
"""Milliseconds until something that is looked for must be there."""
ANSWERED = "Failed to load resource: the server responded with a status of"
"""What the browser says of every answer over 399; such answers are the tests' own doing."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
CONTRAST = {"runOnly": ["color-contrast"]}


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser."""
    if CHROMIUM is None:
        if "LYNKRC_CI" in os.environ:
            pytest.fail("there is no Chromium")
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS), timeout=PATIENCE * 1000
        )
        yield browser
        browser.close()


@contextmanager
def page_at(
    browser: Browser, gateway: GatewayProcess, *, is_gone: bool = False, **context: Any
) -> Iterator[Page]:
    """The page; it asks no other host, and nothing goes wrong in it: no error, nothing blocked.

    `is_gone`: the gateway goes away meanwhile, which the browser tells of.
    """
    wrong: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        is_told = message.text.startswith(ANSWERED) or (is_gone and "net::ERR_" in message.text)
        if message.type in ("error", "warning") and not is_told:
            wrong.append(message.text)

    def asked(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme != "data" and address.netloc != urlsplit(gateway.admin).netloc:
            wrong.append(f"asked {request.url}")

    made = browser.new_context(**context)
    made.set_default_timeout(LOOK)
    page = made.new_page()
    page.on("console", heard)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", asked)
    page.on("dialog", lambda dialog: wrong.append(f"dialog {dialog.message}"))
    page.goto(gateway.admin)
    try:
        yield page
        assert wrong == []
    finally:
        made.close()


def inaccessible(page: Page, rules: dict[str, list[str]]) -> list[str]:
    """What axe finds wrong with the page as it stands."""
    found = Axe().run(page, options=rules).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def send(gateway: GatewayProcess, text: str, path: str = "/v1/messages", **headers: str) -> Answer:
    """A request through the gateway."""
    body: dict[str, Any] = {"model": "auto", "max_tokens": 50}
    body["messages"] = [{"role": "user", "content": text}]
    sent = {"content-type": "application/json"} | headers
    return exchange(gateway.url, "POST", path, json.dumps(body).encode(), sent)
