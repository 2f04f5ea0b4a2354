"""``lynkrc sign``, ``verify`` and ``build --sign``: what they write, say and refuse."""

import io
import json
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lynkrc import __version__
from lynkrc.bundle.pack import pack
from lynkrc.cli.main import main
from lynkrc.cli.rebuilt import first_difference
from lynkrc.cli.signing_key import PASSPHRASE
from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.bundle import MANIFEST, archive, open_bundle
from lynkrc_runtime.bundle_archive import unzip
from tests.runtime.test_bundle_load import ARTIFACTS, REPORT, replace_honestly
from tests.signing_keys import private_pem, public_pem, signing_key, write_pair
from tests.unit.cli_sample import SPEC

OURS = signing_key(1).public.id
THEIRS = signing_key(2).public.id
Say = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a spec, two pairs of keys and a bundle that nobody has signed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(PASSPHRASE, raising=False)
    (tmp_path / "routing.yaml").write_text(SPEC)
    write_pair(tmp_path, "our", 1)
    write_pair(tmp_path, "their", 2)
    assert main(["build", "-o", "out", "--quiet"]) == 0
    return tmp_path


def told(capsys: Say, code: int, *words: str) -> tuple[str, str]:
    """What a command prints that ends with this code."""
    capsys.readouterr()
    assert main(words) == code, capsys.readouterr()
    return capsys.readouterr()


def test_a_signature_is_written_beside_the_bundle_and_verified(folder: Path, capsys: Say) -> None:
    out, err = told(capsys, 0, "sign", "out", "--key", "our.pem")
    bundle = open_bundle(folder / "out")
    assert out == (
        f"signed out/sample.lynkr\n  sha256    {bundle.sha256}\n  by        {OURS}\n"
        "  signature out/sample.lynkr.intoto.jsonl (1 in all)\n"
    )
    assert err == ""
    source = bundle.manifest.files["source/routing.yaml"].sha256
    assert source == bundle.manifest.source_digest
    expected = (
        f"out/sample.lynkr\n"
        f"  sha256   {bundle.sha256}\n"
        f"  digests  {len(bundle.files)} files are as the manifest says\n"
        f"  signed   by {OURS}\n"
        "  says     urn:lynkrc:build:1\n"
        "  builder  urn:lynkrc:builder:local\n"
        f"  made of  source/routing.yaml {source}\n"
        "  made of  pkg:pypi/lynkrc@0.1.0\n"
    )
    assert told(capsys, 0, "verify", "out", "--trusted-key", "our.pub.pem") == (expected, "")
    rebuilt = told(capsys, 0, "verify", "out", "--trusted-key", "our.pub.pem", "--rebuild")
    assert rebuilt[0] == (
        expected + f"  rebuilt  {len(bundle.files)} files, each the same to the byte\n"
    )


def test_the_statement_has_the_members_of_the_specifications(folder: Path, capsys: Say) -> None:
    assert main(["sign", "out", "--key", "our.pem", "--builder", "https://ci.example/1"]) == 0
    envelope = json.loads((folder / "out" / "sample.lynkr.intoto.jsonl").read_bytes())
    bundle = open_bundle(folder / "out")
    assert json.loads(b64decode(envelope["payload"])) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "sample.lynkr", "digest": {"sha256": bundle.sha256}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:lynkrc:build:1",
                "externalParameters": {"spec": "sample", "native": []},
                "resolvedDependencies": [
                    {
                        "name": "source/routing.yaml",
                        "digest": {"sha256": bundle.manifest.source_digest},
                    },
                    {"uri": "pkg:pypi/lynkrc@0.1.0"},
                ],
            },
            "runDetails": {"builder": {"id": "https://ci.example/1"}},
        },
    }


def test_a_build_can_sign_and_twice_gives_the_same_bytes(folder: Path, capsys: Say) -> None:
    out, _ = told(capsys, 0, "build", "-o", "signed", "--sign", "our.pem")
    assert f"  signed  by {OURS}\n" in out
    assert main(["sign", "out", "--key", "our.pem"]) == 0
    names = ("signed", "out")
    one, other = ((folder / n / "sample.lynkr.intoto.jsonl").read_bytes() for n in names)
    assert one == other
    _, err = told(capsys, 2, "build", "--check", "--sign", "our.pem")
    assert err.startswith("error: --check writes nothing")
    _, err = told(capsys, 2, "build", "-o", "none", "--sign", "our.pub.pem")
    assert "our.pub.pem: is a public key" in err
    assert not (folder / "none").exists()


def test_several_sign_and_one_signs_anew(folder: Path, capsys: Say) -> None:
    assert main(["sign", "out", "--key", "our.pem"]) == 0
    assert main(["sign", "out", "--key", "their.pem"]) == 0
    assert main(["sign", "out", "--key", "our.pem"]) == 0
    file = folder / "out" / "sample.lynkr.intoto.jsonl"
    assert file.read_bytes().count(b"\n") == 2
    both = ("--trusted-key", "our.pub.pem", "--trusted-key", "their.pub.pem")
    out, _ = told(capsys, 0, "verify", "out", *both)
    # Both have signed one statement: it is told once, under both.
    assert out.count("  says     ") == 1
    by = "".join(f"  signed   by {one}\n" for one in sorted((OURS, THEIRS)))
    assert by + "  says     " in out
    seen = told(capsys, 0, "inspect", "out")[0]
    assert all(f"\nsigned   by {one} (not verified" in seen for one in (OURS, THEIRS))
    (folder / "routing.yaml").write_text(SPEC.replace("up_to: 50", "up_to: 60"))
    _, err = told(capsys, 0, "build", "-o", "out", "--sign", "their.pem", "--quiet")
    assert err == f"note: {file.relative_to(folder)}: 1 signature of another bundle left out\n"
    _, err = told(capsys, 1, "verify", "out", "--trusted-key", "our.pub.pem")
    assert f"signed by {THEIRS}, which is not trusted" in err
    file.write_text("nonsense\n")
    _, err = told(capsys, 2, "sign", "out", "--key", "our.pem")
    assert "no JSON; remove it and sign again" in err


def test_an_unsigned_build_tells_of_the_signature_it_leaves(folder: Path, capsys: Say) -> None:
    assert main(["sign", "out", "--key", "our.pem"]) == 0
    again = ("build", "-o", "out", "--quiet")
    assert told(capsys, 0, *again)[1] == ""
    (folder / "routing.yaml").write_text(SPEC.replace("up_to: 50", "up_to: 60"))
    bundle = Path("out", "sample.lynkr")
    assert told(capsys, 0, *again)[1] == (
        f"note: {bundle}.intoto.jsonl is of an older bundle; `lynkrc sign {bundle} --key "
        "KEY` signs this\n"
    )
    Path(f"{bundle}.intoto.jsonl").write_text("nonsense\n")
    assert "no JSON; remove it and sign again" in told(capsys, 0, *again)[1]


def test_what_is_not_signed_is_said(folder: Path, capsys: Say) -> None:
    out, err = told(capsys, 0, "verify", "out")
    assert "  signed   by nobody\n" in out
    assert err.startswith("note: no signature was verified; --trusted-key FILE")
    assert "\nsigned   no\n" in told(capsys, 0, "inspect", "out")[0]
    _, err = told(capsys, 1, "verify", "out", "--trusted-key", "our.pub.pem")
    assert "not signed: there is no sample.lynkr.intoto.jsonl; `lynkrc sign` makes one" in err
    assert main(["sign", "out", "--key", "our.pem", "-o", "elsewhere.jsonl"]) == 0
    elsewhere = ("--trusted-key", "our.pub.pem", "--signature", "elsewhere.jsonl")
    assert f"by {OURS}" in told(capsys, 0, "verify", "out", *elsewhere)[0]
    assert main(["sign", "out", "--key", "our.pem"]) == 0
    assert f"\nsigned   by {OURS} (not verified" in told(capsys, 0, "inspect", "out")[0]
    out, _ = told(capsys, 0, "verify", "out")
    assert f"  signed   by {OURS} (not verified)\n" in out


def test_keys_that_cannot_sign_are_explained(
    folder: Path, capsys: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def why(key: str) -> str:
        out, err = told(capsys, 2, "sign", "out", "--key", key)
        assert out == ""
        assert err.startswith(f"error: {key}: ") or err.startswith("error: cannot read ")
        return err

    rsa = generate_private_key(65537, 2048)
    pem = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "rsa.pem").write_bytes(pem)
    (folder / "rsa.pem").chmod(0o600)
    assert "is no Ed25519 key; `openssl genpkey -algorithm ed25519` makes one" in why("rsa.pem")
    assert "is a public key; a private one signs" in why("our.pub.pem")
    assert "is no private key in PEM" in why("routing.yaml")
    assert "cannot read none.pem: No such file" in why("none.pem")
    assert "environment variable NONE is not set" in why("env:NONE")
    (folder / "locked.pem").write_bytes(private_pem(1, b"open sesame"))
    (folder / "locked.pem").chmod(0o600)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert f"is encrypted; {PASSPHRASE} gives its passphrase" in why("locked.pem")
    monkeypatch.setenv(PASSPHRASE, "open")
    assert "the passphrase is wrong" in why("locked.pem")
    monkeypatch.setenv(PASSPHRASE, "open sesame")
    assert told(capsys, 0, "sign", "out", "--key", "locked.pem")[1] == ""
    monkeypatch.setenv("KEY", private_pem(1).decode())
    assert told(capsys, 0, "sign", "out", "--key", "env:KEY")[1] == ""
    (folder / "our.pem").chmod(0o644)
    _, err = told(capsys, 0, "sign", "out", "--key", "our.pem")
    assert err == (
        "note: others may read the private key our.pem; `chmod 600 our.pem` keeps it yours\n"
    )


def test_keys_that_cannot_be_trusted_are_explained(folder: Path, capsys: Say) -> None:
    def why(key: str) -> str:
        return told(capsys, 2, "verify", "out", "--trusted-key", key)[1]

    assert "our.pem: is a private key, which only who signs may have" in why("our.pem")
    assert "routing.yaml: is no public key in PEM" in why("routing.yaml")
    assert "none.pem: cannot be read: No such file" in why("none.pem")
    damaged = public_pem(1).replace(b"MCow", b"MCox")
    (folder / "damaged.pem").write_bytes(damaged)
    assert "damaged.pem: is no" in why("damaged.pem")
    assert "cannot read none.lynkr" in told(capsys, 2, "verify", "none.lynkr")[1]


def test_a_rebuild_names_the_file_that_differs(folder: Path, capsys: Say) -> None:
    path = folder / "out" / "sample.lynkr"
    files = unzip(path, path.read_bytes())
    changed = files["scorer.py"].replace(b"50", b"51", 1)
    assert changed != files["scorer.py"]
    replace_honestly(files, "scorer.py", changed)
    path.write_bytes(archive(files))
    assert told(capsys, 0, "verify", "out")[1].startswith("note: ")
    _, err = told(capsys, 1, "verify", "out", "--rebuild")
    assert "error: out/sample.lynkr: scorer.py: differs from byte " in err
    line = changed[: changed.index(b"51")].count(b"\n") + 1
    shown = f", in line {line}: `elif score <= 51:`, made anew `elif score <= 50:`\n"
    assert shown in err
    assert f"note: made anew by lynkrc {__version__}; another version may have built" in err
    _, err = told(capsys, 1, "sign", "out", "--key", "our.pem")
    assert "scorer.py differs from byte " in err
    assert err.endswith("sign what this lynkrc builds\n")
    assert not path.with_name("sample.lynkr.intoto.jsonl").exists()


@pytest.mark.parametrize(
    ("held", "made", "told"),
    [
        (b"a\nbc\nd\n", b"a\nbx\nd\n", ", in line 2: `bc`, made anew `bx`"),
        (b"a\n", b"a\nb\n", ", in line 2: nothing more, made anew `b`"),
        (b"a\nb", b"a\nbc", ", in line 2: `b`, made anew `bc`"),
        (b"x" * 90 + b"1", b"x" * 90 + b"2", f"1: `{'x' * 30}1`, made anew `{'x' * 30}2`"),
        (b"\x1b[1m", b"a\xff", ", in line 1: `\\u{1b}[1m`, made anew `a\ufffd`"),
        (b"\0a", b"\0b", "differs from byte 1 on (2 bytes, 2 when made anew)"),
    ],
)
def test_the_first_difference_of_texts_is_shown(held: bytes, made: bytes, told: str) -> None:
    assert first_difference(held, made).endswith(told)


def test_a_report_that_rests_on_another_file_is_not_shown(folder: Path, capsys: Say) -> None:
    claim = "assert:\n  - {name: one, same_as: missing.yaml, waive: not written yet}\n"
    (folder / "routing.yaml").write_text(SPEC + claim)
    assert main(["build", "-o", "out", "--quiet"]) == 0
    _, err = told(capsys, 1, "verify", "out", "--rebuild")
    assert "report.json: not shown to be what its sources make; `--rebuild --without report`" in err
    out, _ = told(capsys, 0, "verify", "out", "--rebuild", "--without", "report")
    assert "  rebuilt  report.json: not compared: it is not asked about\n" in out


def test_a_report_of_what_does_not_hold_is_not_signed(folder: Path, capsys: Say) -> None:
    claim = "assert:\n  - never: target.trust == local\n"
    (folder / "routing.yaml").write_text(SPEC + claim)
    compiled = compile_file(folder / "routing.yaml")
    (folder / "out" / "sample.lynkr").write_bytes(pack_bundle(compiled, native=False)[0])
    why = "report.json: its assertions do not hold, this version finds"
    assert why in told(capsys, 1, "verify", "out", "--rebuild")[1]
    assert why.replace(":", "", 1) in told(capsys, 1, "sign", "out", "--key", "our.pem")[1]


def test_a_manifest_that_says_otherwise_is_no_rebuild(folder: Path, capsys: Say) -> None:
    path = folder / "out" / "sample.lynkr"
    files = unzip(path, path.read_bytes())
    files[MANIFEST] = files[MANIFEST].replace(b'"0.1.0"', b'"0.0.9"')
    path.write_bytes(archive(files))
    assert "manifest.json: says other things" in told(capsys, 1, "verify", "out", "--rebuild")[1]


def test_native_code_of_elsewhere_is_not_signed(folder: Path, capsys: Say) -> None:
    """A signature would let it run, and nothing here can tell what it does."""
    path = folder / "out" / "sample.lynkr"
    files = unzip(path, path.read_bytes())
    tag = "native/cpython-311-nowhere/scorer.so"
    replace_honestly(files, tag, b"\x7fELF")
    manifest = json.loads(files[MANIFEST])
    manifest["native"] = ["cpython-311-nowhere"]
    files[MANIFEST] = json.dumps(manifest).encode()
    path.write_bytes(archive(files))
    out, err = told(capsys, 1, "verify", "out", "--rebuild")
    assert f"  rebuilt  {tag}: not compared: it is for another platform\n" in out
    assert "each the same" not in out
    assert err.endswith(
        "note: native code was not compared: only a trusted signature vouches for it\n"
        f"error: out/sample.lynkr: {tag}: not shown to be what its sources make; "
        "`--rebuild --without native` does not ask\n"
    )
    out, err = told(capsys, 0, "verify", "out", "--rebuild", "--without", "native")
    assert f"  rebuilt  {tag}: not compared: it is not asked about\n" in out
    assert "each the same" in out and err.endswith("vouches for it\n")
    _, err = told(capsys, 2, "verify", "out", "--without", "native")
    assert err == "error: --without says what --rebuild leaves out; give both\n"
    _, err = told(capsys, 1, "sign", "out", "--key", "our.pem")
    assert "cannot be made anew here (it is for another platform)" in err
    assert "`lynkrc build --native --sign KEY`" in err


def test_sources_that_mean_something_else_are_said(folder: Path, capsys: Say) -> None:
    path = folder / "out" / "other.lynkr"
    path.write_bytes(pack(ARTIFACTS, report=REPORT))
    _, err = told(capsys, 1, "verify", str(path), "--rebuild")
    assert "its meaning cannot be rebuilt with this version" in err
