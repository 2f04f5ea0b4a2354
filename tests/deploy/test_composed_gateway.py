"""The composed gateway really runs: its spec, its command, its secrets and its Redis, on this host.

Bundle and secrets are those that the commands of docs/scaling.md make in a copy of `deploy`. Only
addresses differ, which are the containers' own. Nobody is called: the provider is a cloud's.
"""

import json
import os
import shutil
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
from tests.architecture.page_walk import FENCE, ROOT, Walk
from tests.redis_server import RedisServer, redis_server

DEPLOY = Path("deploy") / "compose"
PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
VARIABLE = "${ANTHROPIC_API_KEY:?}"
"""What the reader's shell has: without it the command fails, and no empty secret is made."""
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
def made(tmp_path: Path) -> Path:
    """The folder of Compose after the page's commands."""
    shutil.copytree(
        ROOT / DEPLOY, tmp_path / DEPLOY, ignore=shutil.ignore_patterns("bundle", "secrets")
    )
    walk = Walk(folder=tmp_path)
    blocks = (body for language, body in FENCE.findall(PAGE) if language == "sh")
    text = "".join(f"```sh\n{body}```\n" for body in blocks)
    assert text.count(VARIABLE) == 1
    walk.page(text.replace(VARIABLE, "planted-of-anthropic"))
    assert [one for one in walk.steps if one.code != one.wanted] == []
    folder = tmp_path / DEPLOY
    for one in yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))["secrets"].values():
        assert (folder / one["file"]).stat().st_mode & 0o777 == 0o444
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    return folder


@pytest.fixture
def composed(made: Path) -> Iterator[Composed]:
    with redis_server(made) as redis:
        yield from _composed(made, redis)


def _composed(folder: Path, redis: RedisServer) -> Iterator[Composed]:
    secrets = folder / "secrets"
    replace(secrets / "REDIS_PASSWORD", redis.password)
    service = yaml.safe_load((folder / "compose.yaml").read_text(encoding="utf-8"))
    words = service["services"]["gateway"]["command"]
    words = [word.replace("/bundle/", f"{folder}/bundle/") for word in words]
    words[words.index("0.0.0.0")] = "127.0.0.1"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(PATIENCE)
        with (
            (folder / "said").open("w+") as said,
            subprocess.Popen(
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
                stderr=said,
                encoding="utf-8",
            ) as process,
        ):
            assert process.stdout is not None
            try:
                first = process.stdout.readline()
                assert first, (folder / "said").read_text()
                ready = json.loads(first)
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
    key, token = ((composed.secrets / name).read_text() for name in ("TEAM_KEY", "ADMIN_TOKEN"))
    assert composed.status(models, key.strip())[0] == 200
    assert composed.status(models, "another")[0] == 401

    metrics = f"{composed.admin}/metrics"
    assert composed.status(metrics)[0] == 401
    status, said = composed.status(metrics, token.strip())
    assert status == 200
    assert 'lynkr_store_up{store="redis"} 1.0' in said

    replace(composed.secrets / "TEAM_KEY", "planted-key-of-the-team-2")
    composed.process.send_signal(signal.SIGHUP)
    assert composed.heard()[0] == "RELOADING=1"
    assert composed.heard() == ["READY=1"]
    assert composed.status(models, "planted-key-of-the-team-2")[0] == 200
    assert composed.status(models, key.strip())[0] == 401

    # No process holds a secret in its environment, not even a worker's.
    pids = [composed.process.pid, *children(composed.process.pid)]
    assert len(pids) == 3
    for pid in pids:
        held = Path(f"/proc/{pid}/environ").read_bytes()
        assert not any(text.encode() in held for text in (key.strip(), token.strip(), "planted"))

    composed.process.terminate()
    assert composed.heard() == ["STOPPING=1"]
    assert composed.process.wait(PATIENCE) == 0


def replace(secret: Path, text: str) -> None:
    """Another text in a file that nobody may write to."""
    secret.unlink()
    secret.write_text(f"{text}\n")


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in text.split()]
