"""Client libraries as they are installed, through the gateway, to a target of every dialect."""

import pytest

from tests.clients.conftest import PATIENCE, ClientLab
from tests.clients.drivers import DRIVERS, Driver
from tests.clients.said import USAGE_CACHED, USAGE_IN, USAGE_OUT

TARGETS = ("messages", "chat", "responses", "gemini", "converse", "ollama")

each_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
each_target = pytest.mark.parametrize("target", TARGETS)


def run(lab: ClientLab, driver: Driver, target: str, mode: str, ask: str) -> dict:
    return driver.run(lab.gateway.url, f"lynkr/{target}", mode, ask)


@each_driver
@each_target
@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_text(lab: ClientLab, driver: Driver, target: str, mode: str) -> None:
    text = "Grüße, 世界 \N{LINE SEPARATOR} end."
    report = run(lab, driver, target, mode, f"[[say: {text}]]")
    assert report["text"] == text
    used = numbers(report["usage"])
    # Ollama has no word for what a cache read: all of it is input.
    assert USAGE_OUT in used
    assert USAGE_IN + USAGE_CACHED in used or USAGE_IN in used


@each_driver
@each_target
def test_parallel_tools_and_a_second_turn(lab: ClientLab, driver: Driver, target: str) -> None:
    ask = (
        '[[say: I look.]] [[call: read {"path": "a.py"}]] [[call: read {"path": "b.py"}]] '
        '[[call: add {"a": 2, "b": 3}]]'
    )
    report = run(lab, driver, target, "tools", ask)
    assert report["calls"] == [
        ["read", {"path": "a.py"}],
        ["read", {"path": "b.py"}],
        ["add", {"a": 2, "b": 3}],
    ]
    for told in ("content of a.py", "content of b.py", "5"):
        assert told in report["text"]


@each_driver
@each_target
def test_a_picture_arrives(lab: ClientLab, driver: Driver, target: str) -> None:
    assert run(lab, driver, target, "image", "[[images]]")["text"] == "1 images"


@each_driver
@each_target
def test_a_long_context_arrives_whole(lab: ClientLab, driver: Driver, target: str) -> None:
    ask = "0123456789" * 60_000 + " [[characters]]"
    text = run(lab, driver, target, "stream", ask)["text"]
    assert int(text.split()[0]) >= len(ask)


@each_driver
@each_target
def test_leaving_reaches_the_model(lab: ClientLab, driver: Driver, target: str) -> None:
    lab.model.hung_up.clear()
    assert run(lab, driver, target, "cancel", "[[endless]]") == {"cancelled": True}
    assert lab.model.hung_up.wait(PATIENCE)


@each_driver
@each_target
def test_an_overload_is_retried(lab: ClientLab, driver: Driver, target: str) -> None:
    ask = f"[[fail: 503 1]] [[say: at last]] {driver.name} {target}"
    assert run(lab, driver, target, "error", ask)["text"] == "at last"


@each_driver
@each_target
def test_the_callers_error_is_told_once(lab: ClientLab, driver: Driver, target: str) -> None:
    before = len(lab.model.calls)
    ask = f"[[fail: 400 99]] {driver.name} {target}"
    error = run(lab, driver, target, "error", ask)["error"]
    assert (error["status"], "scripted failure 400" in error["message"]) == (400, True)
    assert len(lab.model.calls) == before + 1


@each_driver
@each_target
def test_a_cut_is_an_error_not_an_end(lab: ClientLab, driver: Driver, target: str) -> None:
    report = run(lab, driver, target, "cut", f"[[cut]] {driver.name} {target}")
    # The OpenAI SDK for Node gives the failed response itself, which says so.
    assert report.get("error") or report["stop"] == "failed", report


def numbers(usage: object) -> set[int]:
    """Every number in a usage, at any depth."""
    if isinstance(usage, dict):
        return {number for value in usage.values() for number in numbers(value)}
    return {usage} if isinstance(usage, int) else set()
