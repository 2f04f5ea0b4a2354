"""The clients we run: a command each, a task on stdin, a report on stdout."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.conftest import CLIENTS, PATIENCE

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Driver:
    """A client library in one of its forms: `provider` chooses the surface where it has several."""

    name: str
    program: tuple[str, ...]
    provider: str = ""

    def run(self, url: str, model: str, mode: str, ask: str) -> dict[str, Any]:
        """The report of one task. Raises where the client failed at it."""
        task = {"url": url, "model": model, "mode": mode, "ask": ask, "provider": self.provider}
        done = subprocess.run(
            self.program,
            input=json.dumps(task),
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{self.name}: {done.stderr[-4000:]}"
        report: dict[str, Any] = json.loads(done.stdout.strip().split("\n")[-1])
        return report


def clean_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the caller's: no keys, no settings."""
    home = CLIENTS / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home)} | dict(more or {})


def _node(script: str) -> tuple[str, ...]:
    # The packages are found from the script's own folder upwards: a link leads there.
    return ("node", "--preserve-symlinks-main", str(CLIENTS / "node" / script))


def _python(script: str) -> tuple[str, ...]:
    return (str(CLIENTS / "python" / "bin" / "python"), str(HERE / "python" / script))


DRIVERS = (
    Driver("anthropic-node", _node("anthropic.mjs")),
    Driver("openai-node-chat", _node("openai_chat.mjs")),
    Driver("openai-node-responses", _node("openai_responses.mjs")),
    Driver("vercel-anthropic", _node("vercel.mjs"), "anthropic"),
    Driver("vercel-chat", _node("vercel.mjs"), "chat"),
    Driver("vercel-responses", _node("vercel.mjs"), "responses"),
    Driver("vercel-compatible", _node("vercel.mjs"), "compatible"),
    Driver("anthropic-python", _python("anthropic_sdk.py")),
    Driver("openai-python-chat", _python("openai_sdk.py"), "chat"),
    Driver("openai-python-responses", _python("openai_sdk.py"), "responses"),
    Driver("langchain-anthropic", _python("langchain_sdk.py"), "anthropic"),
    Driver("langchain-chat", _python("langchain_sdk.py"), "chat"),
    Driver("langchain-responses", _python("langchain_sdk.py"), "responses"),
)
