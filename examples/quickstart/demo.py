"""What `make run` does: build the quickstart, serve it on the simulator, send requests through it.

Every provider is replaced by the built-in simulator, so nothing leaves this machine and nothing is
spent. Exits 0 when every request went where the compiled table says it goes.
"""

import http.client
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUTPUT = ROOT / "build" / "quickstart"
WIDTH = 100

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


@dataclass(frozen=True)
class Demo:
    """One request: what it shows, where it goes, and the tier it must get."""

    title: str
    path: str
    ask: str
    tier: str
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"

DEMOS = (
    Demo("a greeting, in Anthropic's dialect", MESSAGES, "Hello there!", "SIMPLE"),
    Demo(
        "everyday work, in OpenAI's dialect",
        CHAT,
        "Compare the trade-offs of optimistic and pessimistic locking in PostgreSQL, "
        "with an example of each.",
        "MEDIUM",
    ),
    Demo(
        "a large change, streamed",
        MESSAGES,
        "Refactor the entire ingestion pipeline so that every stage can be tested alone.",
        "COMPLEX",
        body={"stream": True},
    ),
    Demo(
        "an audit, streamed to an OpenAI client from an Anthropic target",
        CHAT,
        "Do a security audit of the session handling and list what an attacker would try first.",
        "REASONING",
        body={"stream": True},
    ),
    Demo(
        "with a tool, which the answer calls",
        MESSAGES,
        "Use the weather tool for Oslo.",
        "SIMPLE",
        body={
            "tools": [
                {"name": "weather", "description": "Weather of a city", "input_schema": WEATHER}
            ]
        },
    ),
    Demo(
        "the first target fails: the chain goes on",
        CHAT,
        "Thanks, that helped.",
        "SIMPLE",
        headers={"x-lynkr-simulate": "small=fail:503"},
    ),
    Demo(
        "confidential: a rule keeps it on the local model",
        MESSAGES,
        "Summarise this note.",
        "SIMPLE",
        headers={"x-data-class": "confidential"},
    ),
)


def main() -> int:
    """Run the demonstration; 0 when every request got the tier it must get."""
    say(f"building {HERE.relative_to(ROOT) / 'routing.yaml'}")
    lynkrc("build", str(HERE / "routing.yaml"), "-o", str(OUTPUT))
    print()
    print((OUTPUT / "routes.txt").read_text(encoding="utf-8").rstrip())
    print()
    say("serving it on the SIMULATOR: no provider is called, no money is spent")
    wrong = 0
    with gateway(OUTPUT / "quickstart.lynkr") as address:
        for number, demo in enumerate(DEMOS, start=1):
            wrong += not show(number, demo, address)
    print()
    if wrong:
        say(f"{wrong} of {len(DEMOS)} requests did not go where they must")
        return 1
    say(f"all {len(DEMOS)} requests went where the table says; `make serve` serves for real")
    return 0


def say(text: str) -> None:
    """A line of the demonstration's own."""
    print(f"== {text}", flush=True)


def lynkrc(*arguments: str) -> None:
    """Run a lynkrc command; stops the demonstration when it fails."""
    subprocess.run([sys.executable, "-m", "lynkrc", *arguments], cwd=ROOT, check=True)


@contextmanager
def gateway(bundle: Path) -> Iterator[tuple[str, int]]:
    """The gateway on free ports, its log in build/; yields its host and port."""
    command = [sys.executable, "-m", "lynkrc_runtime", "serve", str(bundle), "--dry-run"]
    log = OUTPUT / "gateway.log"
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            [*command, "--port", "0", "--admin-port", "0", "--stop-delay", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=dict(os.environ),
        ) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait()
            sys.exit(f"the gateway did not start:\n{log.read_text(encoding='utf-8')}")
        url = urlsplit(json.loads(line)["url"])
        try:
            yield str(url.hostname), int(url.port or 80)
        finally:
            process.terminate()


def show(number: int, demo: Demo, address: tuple[str, int]) -> bool:
    """Send one request and print what became of it; whether it got its tier."""
    body: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": demo.ask}]}
    if demo.path == MESSAGES:
        body["max_tokens"] = 512
    body.update(demo.body)
    headers = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request("POST", demo.path, json.dumps(body), headers | dict(demo.headers))
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    told = {name.removeprefix("x-lynkr-"): value for name, value in answer.getheaders()}
    tier = told.get("tier", "-")
    print(f"\n{number}. {demo.title}  [POST {demo.path}{', stream' * bool(body.get('stream'))}]")
    rows = [
        ("ask", demo.ask),
        ("decision", f"score {told.get('score', '-')} · {tier} · rule {told.get('rule', '-')}"),
        (
            "served by",
            f"{told.get('provider', '-')} / {told.get('model', '-')} · "
            f"attempts {told.get('attempts', '-')} · fallback {told.get('fallback', '-')}",
        ),
        ("changes", told.get("transforms", "none")),
        ("answer", f"{answer.status} · {text_of(data, demo.path, bool(body.get('stream')))}"),
    ]
    for label, value in rows:
        print(
            textwrap.fill(
                value, WIDTH, initial_indent=f"   {label:<10}", subsequent_indent=" " * 13
            )
        )
    as_expected = answer.status == 200 and tier == demo.tier
    if not as_expected:
        print(f"   {'!':<10}expected 200 and {demo.tier}")
    return as_expected


def text_of(data: bytes, path: str, streamed: bool) -> str:
    """The words and tool calls of an answer, streamed or whole."""
    if not streamed:
        return whole(json.loads(data), path)
    parts = []
    for line in data.decode().splitlines():
        if not line.startswith("data: {"):
            continue
        event = json.loads(line.removeprefix("data: "))
        if path == MESSAGES:
            parts.append(event.get("delta", {}).get("text", ""))
        elif event["choices"]:
            parts.append(event["choices"][0]["delta"].get("content") or "")
    pieces = [part for part in parts if part]
    return f"{''.join(pieces)} ({len(pieces)} pieces)"


def whole(answer: dict[str, Any], path: str) -> str:
    """The words and tool calls of an answer that came at once."""
    if "error" in answer:
        return str(answer["error"]["message"])
    if path == CHAT:
        return str(answer["choices"][0]["message"]["content"])
    return " ".join(
        block["text"]
        if block["type"] == "text"
        else f"calls {block['name']}({json.dumps(block['input'])})"
        for block in answer["content"]
    )


if __name__ == "__main__":
    sys.exit(main())
