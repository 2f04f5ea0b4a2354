"""Claude Code, Codex and aider with keys of a gateway: what each does at a no, or a not yet."""

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.clients.conftest import PATIENCE, ClientLab
from tests.clients.programs import Done, Task, model_of, ran
from tests.clients.situations import FAILURES, KEYS, asked, situations, spec
from tests.e2e.gateway import GatewayProcess, built, serving

PROGRAMS = ("claude", "codex", "aider")
each_program = pytest.mark.parametrize("program", PROGRAMS)
each_agent = pytest.mark.parametrize("program", ["claude", "codex"])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientLab]:
    with situations(tmp_path_factory.mktemp("situations")) as made:
        yield made
        assert made.gateway.stop() == 0
        text = made.gateway.log.read_text()
        assert not [line for line in made.gateway.lines if line["event"] == "mistake"]
        assert not [key for key in KEYS.values() if key in text]


def go(
    lab: ClientLab, program: str, folder: Path, ask: str, *, key: str = "work", pin: str = "LOW"
) -> Done:
    """The program on a task, with a key by its name or else this text."""
    model = model_of(program, pin)
    return ran(program, Task(lab.gateway.url, model, ask, folder, KEYS.get(key, key)))


def until(found: Callable[[], Any]) -> Any:
    """What is found, once it is there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.02)
    raise AssertionError("it never came")


def lines_of(gateway: GatewayProcess, **members: Any) -> list[Mapping[str, Any]]:
    """The log's lines that say all of this."""
    return [line for line in gateway.lines if members.items() <= line.items()]


@pytest.mark.parametrize("program", [*PROGRAMS, "claude-api-key"])
def test_a_key_is_let_in(lab: ClientLab, program: str, tmp_path: Path) -> None:
    done = go(lab, program, tmp_path, "[[say: Good evening.]]")
    assert (done.code, "Good evening." in done.text) == (0, True), done.text
    for call in lab.model.calls:
        assert KEYS["work"] not in str(call.headers)


UNKNOWN = {
    "claude": "Failed to authenticate. API Error: 401 ",
    "claude-api-key": "Failed to authenticate. API Error: 401 ",
    "codex": "unexpected status 401 Unauthorized: ",
    "aider": "a key of this gateway is needed",
}


@pytest.mark.parametrize("program", UNKNOWN)
def test_an_unknown_key(lab: ClientLab, program: str, tmp_path: Path) -> None:
    before = len(lab.model.calls)
    done = go(lab, program, tmp_path, "[[say: Never.]]", key="lk_of_nobody")
    assert UNKNOWN[program] in done.text, done.text
    assert "lk_of_nobody" not in lab.gateway.log.read_text()
    assert len(lab.model.calls) == before


@each_program
def test_over_its_rate_it_waits_and_goes_on(lab: ClientLab, program: str, tmp_path: Path) -> None:
    key = f"hasty-{program}"
    asked(lab, key)
    done = go(lab, program, tmp_path, f"[[say: At last.]] {program}", key=key)
    assert (done.code, "At last." in done.text) == (0, True), done.text
    assert lines_of(lab.gateway, key=key, **{"class": "limited"})


SPENT = {
    "claude": "budget pocket of 0.000001 USD a month for key poor is spent; it begins anew at 20",
    "codex": "hit your usage limit. Try again at ",
    "aider": "budget pocket of 0.000001 USD a month for key poor is spent; it begins anew at 20",
}


@pytest.mark.parametrize("program", ["claude", "codex"])
def test_a_spent_budget_stops_it_at_once(lab: ClientLab, program: str, tmp_path: Path) -> None:
    if not lines_of(lab.gateway, key="poor", status=200):
        asked(lab, "poor")
    before = len(lines_of(lab.gateway, key="poor"))
    done = go(lab, program, tmp_path, "[[say: Never.]]", key="poor")
    assert done.code != 0
    assert SPENT[program] in done.text
    assert len(lines_of(lab.gateway, key="poor")) == before + 1


FORBIDDEN = {
    "claude": (1, "API Error: 403 key low does not reach tier HIGH"),
    "codex": (6, "403 Forbidden: key low does not reach tier HIGH"),
}


@pytest.mark.parametrize("program", FORBIDDEN)
def test_a_tier_out_of_reach(lab: ClientLab, program: str, tmp_path: Path) -> None:
    count, words = FORBIDDEN[program]
    before = len(lines_of(lab.gateway, key="low"))
    done = go(lab, program, tmp_path, "[[say: Never.]]", key="low", pin="HIGH")
    assert words in done.text
    assert len(lines_of(lab.gateway, key="low")) == before + count


@each_program
def test_behind_an_open_breaker_the_next_target_serves(
    lab: ClientLab, program: str, tmp_path: Path
) -> None:
    for _ in range(FAILURES):
        asked(lab, "work", "MIDDLE")
    done = go(lab, program, tmp_path, "[[say: Served.]]", pin="MIDDLE")
    assert (done.code, "Served." in done.text) == (0, True), done.text
    served = lines_of(lab.gateway, tier="MIDDLE", target="second", status=200)[-1]
    assert (served["fallback"], served["calls"]) == (True, 1)


SHELL: Mapping[str, Callable[[str], str]] = {
    "claude": lambda command: f"[[call: Bash {json.dumps({'command': command})}]]",
    "codex": lambda command: f"[[call: exec_command {json.dumps({'cmd': command})}]]",
}


@each_agent
def test_a_turn_stays_with_who_serves_it(lab: ClientLab, program: str, tmp_path: Path) -> None:
    before = len(lines_of(lab.gateway, tier="HIGH", status=200))
    # The first target fails the first step, and would serve the second.
    ask = f"[[fail: 503 1]] {SHELL[program]('echo word-$((6 * 7))')} {program}"
    done = go(lab, program, tmp_path, ask, pin="HIGH")
    assert (done.code, "word-42" in done.text) == (0, True), done.text
    steps = lines_of(lab.gateway, tier="HIGH", status=200)[before:]
    assert [(step["target"], step["calls"]) for step in steps] == [("second", 2), ("second", 1)]
    again = go(lab, program, tmp_path, f"[[say: A new turn.]] {program}", pin="HIGH")
    assert again.code == 0
    assert lines_of(lab.gateway, tier="HIGH", status=200)[-1]["target"] == "first"


@each_program
def test_what_was_shed_comes_again(program: str, tmp_path: Path) -> None:
    with situations(tmp_path, active=1) as lab, ThreadPoolExecutor() as pool:
        client = OpenAI(base_url=lab.gateway.url + "/v1", api_key=KEYS["work"], max_retries=0)
        said: list[Any] = [{"role": "user", "content": "[[endless]]"}]
        with (
            client,
            client.chat.completions.create(model="lynkr/LOW", messages=said, stream=True) as held,
        ):
            next(iter(held))
            running = pool.submit(go, lab, program, tmp_path, "[[say: My turn.]]")
            until(lambda: lines_of(lab.gateway, event="refused", reason="overloaded"))
        done = running.result(PATIENCE)
        assert (done.code, "My turn." in done.text) == (0, True), done.text
        assert lab.gateway.stop() == 0


@each_agent
def test_a_reload_in_the_middle_of_a_turn(program: str, tmp_path: Path) -> None:
    with situations(tmp_path) as lab:
        bundle = tmp_path / "situations.lynkr"
        changed = tmp_path / "changed"
        changed.mkdir()
        (changed / "routing.yaml").write_text(spec(failures=6), encoding="utf-8")
        other = built(changed / "routing.yaml", changed, "situations")
        pid = lab.gateway.process.pid
        command = f"mv {other} {bundle} && kill -HUP {pid} && echo word-$((6 * 7))"
        done = go(lab, program, tmp_path, SHELL[program](command))
        assert (done.code, "word-42" in done.text) == (0, True), done.text
        (reload,) = until(lambda: lines_of(lab.gateway, event="reload"))
        assert reload["result"] == "reloaded", reload
        assert [line["status"] for line in lab.gateway.requests] == [200, 200]
        assert lab.gateway.stop() == 0


@each_agent
def test_a_restart_in_the_middle_of_a_turn(program: str, tmp_path: Path) -> None:
    with situations(tmp_path) as lab, ThreadPoolExecutor() as pool:
        command = f"kill -TERM {lab.gateway.process.pid} && echo word-$((6 * 7))"
        model = model_of(program, "LOW")
        # As often as it does by itself: while nobody listens, every try fails at once.
        more = {"CLAUDE_CODE_MAX_RETRIES": "10"}
        url, ask = lab.gateway.url, SHELL[program](command)
        task = Task(url, model, ask, tmp_path, KEYS["work"], more)
        running = pool.submit(ran, program, task)
        assert lab.gateway.process.wait(PATIENCE) == 0
        port = lab.gateway.url.rpartition(":")[2]
        environ = {"MODEL_URL": lab.model.url, "GONE_URL": "http://127.0.0.1:9"}
        bundle = tmp_path / "situations.lynkr"
        with serving(bundle, tmp_path / "log-2", ["--port", port], environ) as gateway:
            done = running.result(PATIENCE)
            assert (done.code, "word-42" in done.text) == (0, True), done.text
            assert [line["status"] for line in gateway.requests] == [200]
            assert gateway.stop() == 0


@each_program
def test_an_answer_under_way_is_finished_by_a_stop(program: str, tmp_path: Path) -> None:
    with situations(tmp_path) as lab, ThreadPoolExecutor() as pool:
        # More than 40,000 characters: the model takes its time over such.
        text = " ".join(f"{number:0400d}" for number in range(102))
        running = pool.submit(go, lab, program, tmp_path, f"[[say: {text}]]")
        until(lambda: lab.model.calls)
        lab.gateway.process.send_signal(signal.SIGTERM)
        done = running.result(PATIENCE)
        assert (done.code, f"{101:0400d}" in done.text) == (0, True), done.text[-1000:]
        assert lab.gateway.process.wait(PATIENCE) == 0
        assert [line["status"] for line in lab.gateway.requests] == [200]
