"""The composed gateway really runs: its spec, its command, its secrets and its Redis, on this host.

Only addresses differ, which are the containers' own. Nobody is called: the provider is a cloud's.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from lynkrc_runtime.credentials import FOLDER
from tests.redis_server import RedisServer, redis_server
from tests.warm_lynkrc import run
from tests.warm_server import ROOT

COMPOSE = ROOT / "deploy" / "compose"
PATIENCE = 60


@dataclass(frozen=True, kw_only=True)
class Composed:
    """What runs, where it answers, and what its service manager hears."""

    process: "subprocess.Popen[str]"
    url: str
    admin: str
    secrets: Path
    manager: socket.socket

    def heard(self) -> list[str]:
        return self.manager.recv(400).decode().split("\n")

    def status(self, url: str, token: str = "") -> tuple[int, str]:
        asked = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, ""


@pytest.fixture
def composed(tmp_path: Path) -> Iterator[Composed]:
    with redis_server(tmp_path) as redis:
        yield from _composed(tmp_path, redis)


def _composed(folder: Path, redis: RedisServer) -> Iterator[Composed]:
    build = ["build", str(COMPOSE / "routing.yaml"), "-o", str(folder / "bundle"), "--quiet"]
    assert run(build, cwd=folder, env=os.environ).returncode == 0
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    for name, text in (
        ("ANTHROPIC_API_KEY", "planted-of-anthropic"),
        ("TEAM_KEY", "planted-key-of-the-team-1"),
        ("ADMIN_TOKEN", "planted-token-of-operators"),
        ("REDIS_PASSWORD", redis.password),
    ):
        (secrets / name).write_text(text + "\n")
    service = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
    words = service["services"]["gateway"]["command"]
    words = [word.replace("/bundle/", f"{folder}/bundle/") for word in words]
    words[words.index("0.0.0.0")] = "127.0.0.1"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(PATIENCE)
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "lynkrc_runtime", "serve", *words),
                *("--port=0", "--admin-port=0", "--stop-delay=0"),
            ],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT / "runtime"),
                "REDIS_PORT": str(redis.port),
                "NOTIFY_SOCKET": str(folder / "notify"),
                FOLDER: str(secrets),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        ) as process:
            assert process.stdout is not None
            try:
                ready = json.loads(process.stdout.readline())
                yield Composed(
                    process=process,
                    url=ready["url"],
                    admin=ready["admin"],
                    secrets=secrets,
                    manager=manager,
                )
            finally:
                process.kill()


def test_secrets_of_files_serve_and_are_replaced_by_a_reload(composed: Composed) -> None:
    assert composed.heard() == ["READY=1"]
    status, said = composed.status(f"{composed.url}/health/ready")
    assert (status, json.loads(said)["status"]) == (200, "ready")
    models = f"{composed.url}/v1/models"
    assert composed.status(models, "planted-key-of-the-team-1")[0] == 200
    assert composed.status(models, "another")[0] == 401

    metrics = f"{composed.admin}/metrics"
    assert composed.status(metrics)[0] == 401
    status, said = composed.status(metrics, "planted-token-of-operators")
    assert status == 200
    assert 'lynkr_store_up{store="redis"} 1.0' in said

    (composed.secrets / "TEAM_KEY").write_text("planted-key-of-the-team-2\n")
    composed.process.send_signal(signal.SIGHUP)
    assert composed.heard()[0] == "RELOADING=1"
    assert composed.heard() == ["READY=1"]
    assert composed.status(models, "planted-key-of-the-team-2")[0] == 200
    assert composed.status(models, "planted-key-of-the-team-1")[0] == 401

    # No process holds a secret in its environment, not even a worker's.
    pids = [composed.process.pid, *children(composed.process.pid)]
    assert len(pids) == 3
    for pid in pids:
        assert b"planted" not in Path(f"/proc/{pid}/environ").read_bytes()

    composed.process.terminate()
    assert composed.heard() == ["STOPPING=1"]
    assert composed.process.wait(PATIENCE) == 0


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in text.split()]
