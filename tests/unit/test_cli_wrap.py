"""``lynkrc wrap``: what is said and returned where the gateway or its log went away meanwhile."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lynkrc.cli.main import main
from lynkrc.wrapping.gateway import OwnGateway, Ready
from tests.e2e import doors_lab


@pytest.mark.parametrize("dies", [False, True])
def test_the_clients_exit_code_stays_its_own(
    dies: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[dict[str, str]] = []

    @contextmanager
    def own_gateway(words: Sequence[str], *_: Any) -> Iterator[OwnGateway]:
        program = "import os; os.kill(os.getpid(), 9)" if dies else "input()"
        with subprocess.Popen([sys.executable, "-ISc", program], stdin=subprocess.PIPE) as process:
            if dies:
                process.wait()
            ready = Ready(url="http://a.test", admin="http://b.test", name="x", dry_run=True)
            yield OwnGateway(ready, process)

    def run_foreground(_: Sequence[str], environ: dict[str, str]) -> int:
        ran.append(environ)
        return 3

    (tmp_path / "claude").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LYNKRC_BUNDLE", "of a wrap around this one")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("lynkrc.wrapping.gateway.own_gateway", own_gateway)
    monkeypatch.setattr("lynkrc.cli.wrap.run_foreground", run_foreground)
    bundle = doors_lab.written(tmp_path)
    assert main(["wrap", "claude", "--bundle", str(bundle), "--dry-run"]) == 3
    err = capsys.readouterr().err
    assert "error: there is no " in err and "usage.jsonl" in err
    assert ("the gateway ended before claude did, by signal 9; its log: " in err) is dies
    assert len(list(tmp_path.glob("lynkrc-wrap-*"))) == dies  # the log it speaks of is there
    assert "LYNKRC_BUNDLE" not in ran[0]
    assert ran[0]["LYNKRC_ADMIN"] == "http://b.test"
