"""The commands of docs/signing.md do what the page says, one after the other."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lynkrc_runtime.signature import read_trusted_key
from tests.unit.cli_sample import ROOT, SPEC, environment

PAGE = (ROOT / "docs" / "signing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    assert len(BLOCKS) == 6
    tools = tmp_path / "bin"
    tools.mkdir()
    program = tools / "lynkrc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lynkrc "$@"\n')
    program.chmod(0o755)
    (tmp_path / "routing.yaml").write_text(SPEC)
    done = subprocess.run(
        ["sh", "-eu"],
        input="".join(BLOCKS),
        cwd=tmp_path,
        env=environment(PATH=f"{tools}{os.pathsep}{os.environ['PATH']}"),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # The id is what OpenSSL says of the same key.
    assert read_trusted_key(tmp_path / "signing.pub.pem").id in done.stdout.splitlines()[0]
    lines = (tmp_path / "out" / "sample.lynkr.intoto.jsonl").read_bytes().count(b"\n")
    assert lines == 2
    assert "each the same to the byte" in done.stdout
    assert "https://ci.example.com/pipelines/routing" in done.stdout
    assert "PRIVATE KEY" not in done.stdout + done.stderr
