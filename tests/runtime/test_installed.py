"""Two packages that own the same files are told, each by its version."""

from pathlib import Path

import pytest

from lynkrc_runtime import __main__ as runtime
from lynkrc_runtime import __version__, installed


def test_one_package_is_nothing_to_tell(tmp_path: Path) -> None:
    (tmp_path / "lynkrc-0.1.0.dist-info").mkdir()
    (tmp_path / "lynkrc_tools-9.dist-info").mkdir()
    assert installed.owners_notice(tmp_path) == ""


def test_both_packages_are_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lynkrc-0.2.0.dist-info").mkdir()
    (tmp_path / "lynkrc_runtime-0.1.0.dist-info").mkdir()
    notice = installed.owners_notice(tmp_path)
    assert notice.startswith("lynkrc 0.2.0 and lynkrc-runtime 0.1.0 are both installed in ")
    assert "pip uninstall lynkrc lynkrc-runtime" in notice
    monkeypatch.setattr(installed, "owners_notice", lambda: notice)
    monkeypatch.setattr(runtime, "owners_notice", lambda: notice)
    with pytest.raises(SystemExit):
        runtime.main(["--version"])
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(f"{__version__} (warning: lynkrc 0.2.0 and lynkrc-runtime 0.1.0")
    # The start says so too, whatever becomes of it.
    assert runtime.main(["serve", str(tmp_path / "none.lynkr")]) == 2
    assert f"lynkrc-runtime: warning: {notice}" in capsys.readouterr().err
