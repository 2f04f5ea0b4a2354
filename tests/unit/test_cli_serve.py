"""`lynkrc serve` to the runtime's own command: every argument, and no module of a stranger's."""

import os
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc_runtime.__main__ import main as runtime_main
from lynkrc_runtime.__main__ import parser

GIVEN = {
    "host": "::1",
    "port": 1,
    "admin_port": 2,
    "workers": 3,
    "stop_delay": 4.0,
    "drain": 5.5,
    "dry_run": True,
    "insecure_open": True,
    "trusted_key": [Path("one.pem"), Path("two.pem")],
    "require_signature": True,
    "usage_log": Path("u.db"),
    "log_level": "debug",
    "log_file": Path("log"),
    "tls_cert": Path("cert.pem"),
    "tls_key": Path("key.pem"),
    "bundle": "https://bundles.test/a.lynkr",
    "bundle_poll": (30.0, 90.0),
    "bundle_token_env": "NAME",
    "bundle_token_file": Path("token"),
    "bundle_ca": Path("ca.pem"),
    "bundle_cache": Path("cache"),
}


def handed_over(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """The command line of the program that takes this one's place."""
    found: list[str] = []

    def execute(_: str, command: list[str]) -> None:
        found.extend(command)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", execute)
    with pytest.raises(SystemExit):
        main(["serve", *words])
    return found


def test_every_option_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["a.lynkr"]
    for name, value in GIVEN.items():
        option = "--" + name.replace("_", "-")
        for one in value if isinstance(value, list) else [value]:
            written = "30-90" if one == (30.0, 90.0) else str(one)
            words += [option] if one is True else [option, written]
    command = handed_over(monkeypatch, *words)
    read = parser().parse_args(command[command.index("serve") :])
    assert vars(read) == {"command": "serve", "place": "a.lynkr"} | GIVEN
    # None is left out here.
    every: Namespace = parser().parse_args(["serve", "a.lynkr"])
    assert set(vars(every)) == set(vars(read))


@pytest.mark.parametrize("words", [["--port", "x"], ["none.lynkr"]])
def test_messages_name_the_command_that_was_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    command = handed_over(monkeypatch, *words)
    try:
        assert runtime_main(command[command.index("lynkrc_runtime") + 1 :]) == 2
    except SystemExit as end:
        assert end.code == 2
    said = capsys.readouterr().err
    assert "error: " in said and "lynkrc" in said and "lynkrc-runtime" not in said


@pytest.mark.parametrize("words", [["--polt", "1"], ["a.lynkr", "--polt"], ["a.lynkr", "--polt=1"]])
def test_an_option_it_does_not_have_is_told_with_those_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    command = handed_over(monkeypatch, *words)
    with pytest.raises(SystemExit) as end:
        runtime_main(command[command.index("lynkrc_runtime") + 1 :])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: lynkrc serve [-h]") and "--port PORT" in said
    assert "lynkrc serve: error: unrecognized arguments: --polt" in said


def test_its_help_says_what_it_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = handed_over(monkeypatch, "--help")
    with pytest.raises(SystemExit):
        runtime_main(command[command.index("lynkrc_runtime") + 1 :])
    assert "\n\nStart the gateway on a bundle; " in capsys.readouterr().out


def test_the_working_directory_lends_no_modules(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one])
    assert "-P" in handed_over(monkeypatch, "a.lynkr")
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert "-P" not in handed_over(monkeypatch, "a.lynkr")
