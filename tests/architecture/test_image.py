"""The Dockerfile, done step by step in clean trees; what comes out serves as an engine runs it."""

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lynkrc.cli.main import main as lynkrc
from tests.image_tree import (
    PATIENCE,
    SYSTEM,
    Built,
    check_namespaces,
    context_of,
    environ,
    make,
)
from tests.made_packages import EPOCH, SPEC, one, packages

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
KEYS = "keys: {team: {secret: '${TEAM_KEY}'}}\n"
CLIENT = """\
import http.client, json, sys
def ask(port, method, path, headers, body):
    one = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"content-type": "application/json", **headers}
    one.request(method, path, body and json.dumps(body), headers)
    answer = one.getresponse()
    return answer.status, answer.read().decode()
print(json.dumps([ask(*one) for one in json.loads(sys.argv[1])]))
"""
MESSAGE = {"model": "auto", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    check_namespaces()
    context = context_of(ROOT, DOCKERFILE, tmp_path_factory.mktemp("kept"))
    folder = tmp_path_factory.mktemp("image")
    return make(DOCKERFILE, context, folder, {"SOURCE_DATE_EPOCH": EPOCH})


def mounted(built: Built, folder: Path) -> None:
    """Put a bundle where an operator mounts it."""
    (folder / "routing.yaml").write_text(SPEC + KEYS, encoding="utf-8")
    assert lynkrc(["build", str(folder / "routing.yaml"), "-o", str(folder / "out")]) == 0
    file = one(folder / "out", "*.lynkr")
    target = built.image.path("/bundle") / file.name
    target.write_bytes(file.read_bytes())
    target.chmod(0o444)


@contextmanager
def container(built: Built, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """The image's process, the first of its namespace, on a root that nobody can write to."""
    image = built.image
    image.env["TEAM_KEY"] = "k" * 40
    words = [*image.words["ENTRYPOINT"], *image.words["CMD"], "--dry-run", *options]
    running = subprocess.Popen(
        image.command(words, "bare"),
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield running
    finally:
        # The namespace ends with its first process, which a change of user keeps from hearing that
        # its parent has ended.
        with suppress(IndexError, FileNotFoundError, ProcessLookupError):
            os.kill(first_process(running), signal.SIGKILL)
        running.kill()
        running.communicate()


def first_process(running: "subprocess.Popen[str]") -> int:
    """The id, outside, of the process that is 1 inside."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text()
    return int(children.split()[0])


def within(
    running: "subprocess.Popen[str]", *words: str, root: bool
) -> "subprocess.CompletedProcess[str]":
    """A command in the container's network; `root`: in its tree as well, as `docker exec` does."""
    enter = [*SYSTEM, "nsenter", "--target", str(first_process(running)), "--net"]
    inside = ["--mount", "--pid"] if root else []
    return subprocess.run(
        [*enter, *inside, *words],
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def asked(running: "subprocess.Popen[str]", *requests: tuple[Any, ...]) -> list[tuple[int, str]]:
    """The answers to these requests: port, method, path, headers, body."""
    done = within(running, sys.executable, "-c", CLIENT, json.dumps(requests), root=False)
    assert done.returncode == 0, done.stderr
    return [(status, body) for status, body in json.loads(done.stdout)]


def test_every_step_was_done_but_the_debian_packages(built: Built) -> None:
    [left_out] = built.left_out
    assert re.fullmatch(
        r"apt-get update && apt-get install --yes --no-install-recommends [a-z0-9 -]+", left_out
    )
    installs = [one for one in built.ran if " install " in one]
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-index" in one for one in installs)


def test_nothing_of_the_build_is_left(built: Built) -> None:
    root = built.image.root
    assert sorted(path.name for path in root.iterdir()) == ["bundle", "opt"]
    [site] = root.glob("opt/lynkrc/lib/python3.*/site-packages")
    packages = {path.name.partition("-")[0].lower() for path in site.iterdir()}
    assert {"lynkrc_runtime", "aiohttp", "redis"} <= packages
    assert not packages & {
        "lynkrc",
        "z3",
        "lark",
        "jinja2",
        "jsonschema",
        "numpy",
        "cython",
        "hatchling",
        "pip",
        "yaml",
    }
    assert (site / "lynkrc_runtime" / "scan" / "_kernel.abi3.so").is_file()


def test_its_wheel_is_the_one_that_is_published(
    built: Built, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two builds in two folders: the same bytes, but for the platform that the other names."""
    ours = one(built.stages["build"].path("dist"), "*.whl")
    published = one(packages(tmp_path_factory), "lynkrc_runtime-*.whl")
    found = []
    for wheel in (ours, published):
        with zipfile.ZipFile(wheel) as archive:
            found.append(
                {
                    info.filename: (info.date_time, info.external_attr, archive.read(info))
                    for info in archive.infolist()
                    if not info.filename.endswith((".dist-info/WHEEL", ".dist-info/RECORD"))
                }
            )
    assert found[0] == found[1]
    assert list(found[0]) == list(found[1])
    assert {date[0] for date, _, _ in found[0].values()} == {2023}


def test_it_serves_as_process_1_and_stops(built: Built, tmp_path: Path) -> None:
    """On a root that is to read only, without a folder to write to."""
    image = built.image
    assert image.user == "65532:65532"
    mounted(built, tmp_path)
    with container(built, "--stop-delay", "0") as running:
        assert running.stdout is not None and running.stderr is not None
        first = running.stdout.readline()
        assert first, running.stderr.read()
        assert json.loads(first)["url"] == "http://0.0.0.0:8081"
        pid = first_process(running)
        status = Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^Uid:\t65532\t65532\t65532\t65532$", status, re.MULTILINE)
        assert re.search(r"^NSpid:\t\d+\t1$", status, re.MULTILINE)
        key = {"x-api-key": "k" * 40}
        answers = asked(
            running,
            (8081, "POST", "/v1/messages", key, MESSAGE),
            (8081, "POST", "/v1/messages", {}, MESSAGE),
            (8081, "GET", "/health/live", {}, None),
        )
        assert [status for status, _ in answers] == [200, 401, 200]
        assert json.loads(answers[0][1])["role"] == "assistant"
        healthy = within(running, *image.inside(image.words["HEALTHCHECK"]), root=True)
        assert (healthy.returncode, healthy.stdout) == (0, ""), healthy.stderr
        os.kill(pid, signal.SIGTERM)
        _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, err
