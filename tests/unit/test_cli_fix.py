"""``lynkrc check --fix``: what is mended, what is only shown, and what remains."""

from pathlib import Path

import pytest

from lynkrc.cli.main import main
from tests.unit.cli_sample import SPEC

MISTAKEN = SPEC.replace("kind:", "Kind:").replace("chain: [", "chian: [", 1) + "# the end\n"


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "routing.yaml"
    path.write_text(MISTAKEN)
    return path


def test_the_sample_has_mistakes() -> None:
    assert MISTAKEN.count("Kind:") >= 1
    assert "chian" in MISTAKEN


def test_safe_fixes_are_made_and_the_rest_is_shown(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.chmod(0o600)
    assert main(["check", "--fix"]) == 1
    assert spec.read_text() == MISTAKEN.replace("Kind:", "kind:")
    out = capsys.readouterr().out
    assert "fix: write `chain` (lynkrc check --fix --unsafe-fixes)" in out
    assert "Kind" not in out
    assert out.endswith(f"{MISTAKEN.count('Kind:')} fixes made\n") or out.endswith("1 fix made\n")


def test_unsafe_fixes_are_asked_for(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--fix", "--unsafe-fixes"]) == 0
    assert spec.read_text() == SPEC + "# the end\n"
    assert "no findings" in capsys.readouterr().out
    assert main(["check", "--fix", "--unsafe-fixes"]) == 0
    assert capsys.readouterr().out.endswith("0 fixes made\n")


def test_a_difference_is_shown_and_nothing_written(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--fix", "--unsafe-fixes", "--diff"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("--- routing.yaml\n+++ routing.yaml\n@@")
    assert "would be made" in err
    assert spec.read_text() == MISTAKEN


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_difference_shows_no_secret(
    spec: Path, mark: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "sk-ant-api03-" + "a" * 24
    keyed = f"  far: {{kind: anthropic, api_key: {secret}, trust: cloud}}\n"
    text = MISTAKEN.replace("providers:\n", f"providers:\n{keyed}")
    assert secret in text
    spec.write_bytes(mark + text.encode())
    assert main(["check", "--fix", "--unsafe-fixes", "--diff"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("--- ")
    assert secret not in out + err
    assert f"api_key: {'*' * len(secret)}" in out


def test_line_ends_and_mark_stay(spec: Path) -> None:
    spec.write_bytes(b"\xef\xbb\xbf" + MISTAKEN.replace("\n", "\r\n").encode())
    assert main(["check", "--fix", "--unsafe-fixes"]) == 0
    wanted = (SPEC + "# the end\n").replace("\n", "\r\n")
    assert spec.read_bytes() == b"\xef\xbb\xbf" + wanted.encode()


@pytest.mark.parametrize("option", ["--diff", "--unsafe-fixes"])
def test_how_to_fix_without_fixing_is_refused(
    spec: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", option]) == 2
    assert "--fix" in capsys.readouterr().err
