"""`lynkrc keys`: what it writes into a spec, what it prints, and what it refuses."""

import errno
import hashlib
import io
import re
from argparse import Namespace
from pathlib import Path

import pytest

from lynkrc.cli import keys
from lynkrc.cli.main import main
from lynkrc.cli.specs import check_bytes, check_file
from lynkrc.pipeline import Checked
from lynkrc_runtime.settings import Key
from tests.unit.cli_sample import SPEC

KEY = re.compile(r"lk_[A-Za-z0-9_-]{43}\n")
DIGESTS = ("a" * 64, "b" * 64)
TWO = f"""\

# Who may call us.
keys:
  # The build.
  ci: {{sha256: {DIGESTS[0]}, team: web}} # ours

  # Nightly.
  bot:
    sha256: {DIGESTS[1]}
    debug: true

# Fair for all.
limits:
  - {{name: fair, requests: 60}}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "routing.yaml"
    path.write_text(SPEC)
    return path


def keys_of(path: Path) -> dict[str, Key]:
    checked: Checked = check_file(path)
    assert not checked.has_errors and checked.typed is not None
    return checked.typed.settings.keys


def test_a_key_is_printed_once_alone_and_kept_as_its_digest(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--team", "web", "--tenant", "acme", "--tiers", "LOW,HIGH", "--targets", "small"]
    assert main(["keys", "create", "ci", *words, "--debug"]) == 0
    out, err = capsys.readouterr()
    assert KEY.fullmatch(out)
    text = spec.read_text()
    assert out.strip() not in text + err
    assert text.startswith(SPEC)
    assert keys_of(spec) == {
        "ci": Key(
            sha256=hashlib.sha256(out.strip().encode()).hexdigest(),
            team="web",
            tenant="acme",
            tiers=["LOW", "HIGH"],
            targets=["small"],
            debug=True,
        )
    }
    assert "asks everybody for a key from now on" in err


def test_a_spec_that_waits_for_its_first_key_gets_it(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = SPEC + "budgets:\n  - {name: month, per: team, usd: 5, period: month}\n"
    spec.write_text(waits)
    assert main(["keys", "create", "ci", "--tenant", "acme"]) == 2
    assert "has errors" in capsys.readouterr().err and spec.read_text() == waits
    assert main(["keys", "create", "ci", "--team", "web"]) == 0
    assert keys_of(spec)["ci"].team == "web"


def test_two_keys_are_two(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "create", "ci"]) == main(["keys", "create", "qa", "--team", "007"]) == 0
    one, two = capsys.readouterr().out.split()
    assert one != two
    found = keys_of(spec)
    assert list(found) == ["ci", "qa"] and found["qa"].team == "007"


def test_comments_and_layout_stay(spec: Path) -> None:
    spec.write_text(SPEC + TWO)
    assert main(["keys", "create", "on", "--spec", "routing.yaml"]) == 0
    text = spec.read_text()
    (line,) = [line for line in text.splitlines() if '"on"' in line]
    assert text.replace(line + "\n", "") == SPEC + TWO
    assert text.index(line) < text.index("# Fair for all.")
    assert list(keys_of(spec)) == ["ci", "bot", "on"]


@pytest.mark.parametrize(
    "written",
    [
        f"keys: {{ci: {{sha256: {DIGESTS[0]}}}}}\n",
        f"keys: {{ci: {{sha256: {DIGESTS[0]}}},}}",
        f"keys:\n    ci: {{sha256: {DIGESTS[0]}}}",
        f"keys:\n  ci:\n    sha256:   {DIGESTS[0]}   # long\n\n\n",
        f"keys:\n  ci:\n    sha256: {DIGESTS[0]}\n    tiers:\n    - LOW\n    - HIGH\n",
    ],
    ids=["flow", "comma", "no line end", "block", "list"],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_however_the_section_is_written(spec: Path, written: str, ends: str) -> None:
    before = (SPEC + written).replace("\n", ends).encode()
    spec.write_bytes(before)
    assert main(["keys", "create", "qa"]) == 0
    after = spec.read_bytes()
    assert list(keys_of(spec)) == ["ci", "qa"]
    assert (b"\r\n" in after) == (ends == "\r\n")
    assert (b"\n" in after.replace(b"\r\n", b"")) == (ends == "\n")
    assert main(["keys", "revoke", "qa"]) == 0
    assert spec.read_bytes().rstrip() == before.rstrip()


def test_a_canonical_spec_stays_canonical(spec: Path) -> None:
    assert main(["fmt", "routing.yaml"]) == 0
    for name in ("a", "b"):
        tags = ["--team", "w" * 40, "--tenant", "t" * 40]
        assert main(["keys", "create", name, *tags]) == 0
        assert main(["fmt", "--check", "routing.yaml"]) == 0
    assert main(["keys", "revoke", "a"]) == 0
    assert main(["fmt", "--check", "routing.yaml"]) == 0


def test_a_byte_order_mark_stays(spec: Path) -> None:
    spec.write_bytes(b"\xef\xbb\xbf" + SPEC.encode())
    assert main(["keys", "create", "ci"]) == 0
    assert spec.read_bytes().startswith(b"\xef\xbb\xbf" + SPEC.encode())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "ci"], "key ci exists already, at routing.yaml:"),
        (["create", "qa", "--tiers", "LWO"], "did you mean `LOW`?"),
        (["create", "qa", "--targets", "smal"], "did you mean `small`?"),
        (["create", "1st"], "1st"),
        (["create", "qa", "--team", "a b"], "a b"),
        (["create", "qa", "--spec", "none.yaml"], "cannot read none.yaml"),
        (["revoke", "boot"], "did you mean `bot`?"),
    ],
)
def test_what_is_refused_changes_nothing(
    spec: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    spec.write_text(SPEC + TWO)
    assert main(["keys", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and said in err
    assert spec.read_text() == SPEC + TWO


def test_a_spec_with_errors_gets_no_key(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for broken, said in ((SPEC.replace("[small]", "[smal]"), "has errors"), ("a: [", "cannot be")):
        spec.write_text(broken)
        assert main(["keys", "create", "ci"]) == 2
        assert said in capsys.readouterr().err
        assert spec.read_text() == broken


def test_a_revoked_key_is_gone_and_nothing_else(spec: Path) -> None:
    spec.write_text(SPEC + TWO)
    assert main(["keys", "revoke", "ci"]) == 0
    assert list(keys_of(spec)) == ["bot"]
    text = spec.read_text()
    assert DIGESTS[0] not in text
    assert [line for line in (SPEC + TWO).splitlines() if line not in text.splitlines()] == [
        f"  ci: {{sha256: {DIGESTS[0]}, team: web}} # ours"
    ]


def test_the_last_key_stays_since_the_gateway_would_be_open(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SPEC + f"keys:\n  ci: {{sha256: {DIGESTS[0]}}}\n"
    spec.write_text(text)
    assert main(["keys", "revoke", "ci"]) == 2
    assert "open to everybody" in capsys.readouterr().err
    assert spec.read_text() == text


def test_a_limit_that_names_a_revoked_key_is_a_finding(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text((SPEC + TWO).replace("requests: 60", "requests: 60, only: [bot]"))
    assert main(["keys", "revoke", "bot"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "there is no key `bot`" in err and "routing.yaml:" in err
    assert DIGESTS[1] not in spec.read_text()


def test_the_list_tells_all_but_what_proves_a_key(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(SPEC + TWO.replace("# Nightly.", 'qa: {secret: "${QA}", tiers: [LOW, HIGH]}'))
    assert main(["keys", "list"]) == 0
    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines()] == [
        ["name", "team", "tenant", "tiers", "targets", "debug", "proved", "by"],
        ["ci", "web", "-", "all", "all", "no", "sha256", "aaaaaaaa..."],
        ["qa", "-", "-", "LOW,HIGH", "all", "no", "secret", "${QA}"],
        ["bot", "-", "-", "all", "all", "yes", "sha256", "bbbbbbbb..."],
    ]


def test_no_keys_are_an_open_gateway(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "list"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "the gateway is open" in err


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("a-key-that-is-long-enough\n", 0, ""),
        ("short", 0, "can be guessed"),
        ("", 2, "no key"),
        ("\n", 2, "no key"),
        ("one\ntwo\n", 2, "more than one line"),
    ],
)
def test_a_digest(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert main(["keys", "digest"]) == code
    out, err = capsys.readouterr()
    key = given.rstrip("\n").encode()
    assert out == ("" if code else hashlib.sha256(key).hexdigest() + "\n")
    assert said in err


def test_the_keys_of_a_base_are_not_replaced(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(SPEC + TWO)
    child = Path("child.yaml")
    child.write_text("version: 1\nname: child\nextends: routing.yaml\n")
    for words, code in ((["create", "qa"], 2), (["revoke", "ci"], 2), (["list"], 0)):
        assert main(["keys", *words, "--spec", "child.yaml"]) == code
        out, err = capsys.readouterr()
        assert out == "" and "`ci` and `bot` come from a base" in err
        assert "open" not in err
    assert child.read_text() == "version: 1\nname: child\nextends: routing.yaml\n"


def test_what_an_editor_saved_meanwhile_stays(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def saved(path: Path, data: bytes) -> Checked:
        path.write_text(SPEC + "# new\n")
        return check_bytes(path, data)

    monkeypatch.setattr(keys, "check_bytes", saved)
    assert main(["keys", "create", "qa"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "changed meanwhile" in err
    assert spec.read_text() == SPEC + "# new\n"


def test_a_key_nobody_saw_is_told(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", Full())
        arguments = Namespace(
            action="create",
            name="qa",
            spec=spec,
            team=None,
            tenant=None,
            tiers=None,
            targets=None,
            debug=False,
        )
        assert keys.run(arguments) == 2
    assert "could not be shown (No space left on device); `lynkrc keys revoke qa`" in (
        capsys.readouterr().err
    )
