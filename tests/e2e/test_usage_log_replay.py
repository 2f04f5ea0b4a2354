"""Requests over sockets to a usage log, and the log to a plan: who would move, and at what cost."""

import json
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.e2e.gateway import built, environment, refused, serving
from tests.unit.diff_sample import SPEC, edited
from tests.warm_lynkrc import run

SECRET = "a planted secret of the user"


def diffed(*words: str, cwd: Path) -> tuple[int, Any]:
    done = run(["diff", *words, "--format", "json"], cwd=cwd, env=environment())
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def messages(text: str) -> dict[str, Any]:
    return {
        "model": "auto",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": text}],
    }


async def test_logged_requests_are_replayed_against_a_changed_spec(tmp_path: Path) -> None:
    old = tmp_path / "routing.yaml"
    old.write_text(SPEC)
    bundle = built(old, tmp_path / "out", "shop")
    log = tmp_path / "usage.jsonl"
    with serving(bundle, tmp_path / "log", ["--usage-log", str(log)], is_forked=False) as gateway:
        async with ClientSession() as session:
            for words in (1, 1, 5, 30):
                async with session.post(
                    gateway.url + "/v1/messages", json=messages("word " * words)
                ) as answer:
                    assert answer.status == 200
            chat = {"model": "auto", "messages": [{"role": "user", "content": SECRET}]}
            headers = {"x-team": "legal", "authorization": f"Bearer {SECRET}"}
            async with session.post(
                gateway.url + "/v1/chat/completions", json=chat, headers=headers
            ) as answer:
                assert answer.status == 403
            responses = {"model": "auto", "input": "word " * 6, "stream": True}
            async with session.post(gateway.url + "/v1/responses", json=responses) as answer:
                assert answer.status == 200
                await answer.read()
        assert gateway.stop() == 0
        requests = gateway.requests
    assert SECRET not in log.read_text()

    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert [record["kind"] for record in records] == ["bundle", *["request"] * 6]
    for told, record in zip(requests, records[1:], strict=True):
        for member in ("request_id", "tier", "rule", "score", "target", "status", "fallback"):
            assert record[member] == told[member], member
        assert record["cost_micro_usd"] == told["cost_micro_usd"]
        assert record["ending"] == told["class"]

    new = tmp_path / "new.yaml"
    new.write_text(edited(("up_to: 50", "up_to: 20")))
    code, plan = diffed("routing.yaml", "new.yaml", "--replay", str(log), cwd=tmp_path)
    assert code == 1
    replay = plan["replay"]
    assert (replay["records"], replay["replayed"], replay["missing"]) == (6, 6, [])
    assert {(one["before"], one["after"]): one["count"] for one in replay["tiers"]} == {
        ("LOW", "LOW"): 2,
        ("LOW", "HIGH"): 2,
        ("HIGH", "HIGH"): 1,
        ("(deny)", "(deny)"): 1,
    }
    assert replay["moved"] == 2
    assert replay["cost"]["after"] > replay["cost"]["before"] > 0

    # The bundle is as good as its spec.
    code, plan = diffed(str(bundle), "routing.yaml", "--replay", str(log), cwd=tmp_path)
    assert (code, plan["replay"]["moved"]) == (0, 0)


def test_a_usage_log_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    spec = tmp_path / "routing.yaml"
    spec.write_text(SPEC)
    bundle = built(spec, tmp_path / "out", "shop")
    said = refused(bundle, "--usage-log", str(tmp_path / "nowhere" / "log"))
    assert "cannot write the usage log" in said
