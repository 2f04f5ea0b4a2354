"""``lynkrc build`` proves before it packs, tries what it packed, and keeps what was proved."""

import hashlib
import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lynkrc import passes
from lynkrc.bundle.report import Verdicts
from lynkrc.cli import verified
from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.kept_files import kept_folder
from lynkrc.cli.main import main
from lynkrc.cli.proof_cache import key_of, reads_others
from lynkrc.cli.specs import compile_file
from lynkrc.ir.guard import BoolConst
from lynkrc.ir.table import RouteTable
from lynkrc.pipeline import Compilation, pack_bundle
from lynkrc_runtime.bundle import LoadedBundle, OpenedBundle
from lynkrc_runtime.decide import Scorer, Verdict

SPEC = """\
version: 1
name: small
providers:
  house: {kind: ollama, base_url: "http://localhost:11434", trust: local}
  away: {kind: openai, api_key: "${KEY}", trust: cloud}
targets:
  near: {provider: house, model: m, context: 32k, capabilities: [tools], price: free}
  far: {provider: away, model: gpt-4o-mini}
tiers:
  - {name: LOW, up_to: 50, chain: [near, far]}
  - {name: HIGH, chain: [far]}
otherwise: deny
rules:
  - {name: hard, when: turns > 9, tier: HIGH}
  - {name: home, when: 'header("x-class") == "secret"', require: target.trust == local}
assert:
"""
HOLDS = '  - never: header("x-class") == "secret" and target.trust == cloud\n'
FAILS = "  - {name: stays, never: target.trust == cloud}\n"


NEVER = BoolConst(value=False)
CLAIM = 'never: header("x-class") == "secret" and target.trust == cloud'


def sealed(body: bytes) -> bytes:
    """A body under its digest, as files are kept."""
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def kept_file(verdicts: object, assumptions: object = (), report: object = None) -> bytes:
    document = {"verdicts": verdicts, "assumptions": assumptions, "report": report or {}}
    return json.dumps(document).encode()


def verdict(word: str, claim: str = CLAIM, waived: str | None = None) -> dict[str, object]:
    return {"name": None, "assertion": claim, "verdict": word, "waived": waived}


STRANGE = (
    kept_file([]),
    kept_file([1]),
    kept_file(["ab"]),
    kept_file([verdict("refuted")]),
    kept_file([verdict("unknown", waived="no")]),
    kept_file([verdict("proved", "never: target.trust == cloud")]),
    kept_file([verdict("proved"), verdict("proved")]),
    kept_file([verdict("proved")], [1]),
    kept_file([verdict("proved")], [], "no report"),
    b"[" * 100_000,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = tmp_path / "cache"
    monkeypatch.setenv("LYNKRC_CACHE", str(kept))
    return kept


def build(tmp_path: Path, assertions: str, *words: str) -> tuple[int, Path]:
    spec, out = tmp_path / "routing.yaml", tmp_path / "out"
    spec.write_text(SPEC + assertions, encoding="utf-8")
    return main(["build", str(spec), "-o", str(out), *words]), out


def report(out: Path) -> dict[str, Any]:
    with zipfile.ZipFile(out / "small.lynkr") as bundle:
        return json.loads(bundle.read("report.json"))


def test_what_holds_is_in_the_bundle_and_what_was_found_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = build(tmp_path, HOLDS + "  - reachable: target == near\n")
    assert code == ExitCode.OK
    assert "proofs  2 proved" in capsys.readouterr().out
    assert [one["verdict"] for one in report(out)["assertions"]] == ["proved", "proved"]
    assert any("upstream calls" in one for one in report(out)["assumptions"])
    assert "witnesses" not in json.dumps(report(out))
    whole = json.loads((out / "report.full.json").read_text(encoding="utf-8"))
    assert len(whole["assertions"][1]["witnesses"]) == 1


def test_what_is_refuted_stops_the_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = build(tmp_path, FAILS)
    assert code == ExitCode.FINDINGS
    assert not out.exists()
    told = capsys.readouterr().out
    assert "error[LK530]: refuted (request): `never: target.trust == cloud`" in told
    assert "which reaches far" in told


def test_what_is_unknown_stops_the_build_unless_it_is_waived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = "  - {name: team, same_as: missing.yaml}\n"
    code, _ = build(tmp_path, claim)
    assert code == ExitCode.FINDINGS
    assert "error[LK531]" in capsys.readouterr().out
    code, out = build(tmp_path, claim.replace("}", ", waive: not written yet}"))
    assert code == ExitCode.OK
    (one,) = report(out)["assertions"]
    assert (one["verdict"], one["waived"]) == ("unknown", "not written yet")


def test_a_waiver_of_what_is_proved_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = build(tmp_path, "  - {name: one, never: outcome == respond, waive: who knows}\n")
    assert code == ExitCode.OK
    assert "warning[LK532]" in capsys.readouterr().out


def test_a_proof_is_made_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = build(tmp_path, HOLDS)
    assert code == ExitCode.OK
    assert len(list((cache / "proofs").iterdir())) == 1
    # It is the proof that is asked about.
    shutil.rmtree(cache / "builds")
    first = (out / "small.lynkr").read_bytes(), (out / "report.full.json").read_bytes()

    def proves_again(*_: object) -> None:
        raise AssertionError("it is proved already")

    monkeypatch.setattr(verified, "prove_compiled", proves_again)
    assert build(tmp_path, HOLDS)[0] == ExitCode.OK
    second = (out / "small.lynkr").read_bytes(), (out / "report.full.json").read_bytes()
    assert first == second
    with pytest.raises(AssertionError, match="proved already"):
        build(tmp_path, HOLDS, "--no-cache")
    with pytest.raises(AssertionError, match="proved already"):
        build(tmp_path, HOLDS + "  - reachable: target == far\n")


@pytest.mark.parametrize("junk", [b"", b"{}", b"[1]", b"\xff", b'{"verdicts": 1}', *STRANGE])
def test_a_broken_proof_is_none(tmp_path: Path, cache: Path, junk: bytes) -> None:
    assert build(tmp_path, HOLDS)[0] == ExitCode.OK
    (kept,) = (cache / "proofs").iterdir()
    kept.write_bytes(sealed(junk))
    shutil.rmtree(cache / "builds")
    code, out = build(tmp_path, HOLDS)
    assert code == ExitCode.OK
    assert [one["verdict"] for one in report(out)["assertions"]] == ["proved"]
    assert json.loads(kept.read_bytes().partition(b"\n")[2])["verdicts"]


def test_no_proof_is_kept_where_something_is_told(tmp_path: Path, cache: Path) -> None:
    waived = "  - {name: one, never: outcome == respond, waive: who knows}\n"
    assert build(tmp_path, waived)[0] == ExitCode.OK
    assert not (cache / "proofs").exists()


def test_what_rests_on_another_file_is_not_kept(tmp_path: Path) -> None:
    build(tmp_path, "  - {name: one, same_as: missing.yaml, waive: not written yet}\n")
    compiled = compile_file(tmp_path / "routing.yaml")
    assert reads_others(compiled)
    assert key_of(compiled) is None


def test_what_is_not_kept_has_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path, HOLDS)
    compiled = compile_file(tmp_path / "routing.yaml")
    assert not reads_others(compiled)
    assert key_of(compiled) is not None
    monkeypatch.setenv("LYNKRC_CACHE", "")
    assert key_of(compiled) is None


def test_where_proofs_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LYNKRC_CACHE", "")
    assert kept_folder("proofs") is None
    monkeypatch.delenv("LYNKRC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kept_folder("proofs") == tmp_path / "lynkrc" / "proofs"


def test_a_scorer_that_decides_otherwise_fails_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = verified.portable_scorer

    def wrong(bundle: OpenedBundle) -> Scorer:
        decide = right(bundle)

        def one_off(v: list[int]) -> Verdict:
            outcome, tier, *rest = decide(v)
            return (outcome, 0 if tier == 1 else tier, *rest)

        return one_off

    monkeypatch.setattr(verified, "portable_scorer", wrong)
    code, out = build(tmp_path, HOLDS)
    assert code == ExitCode.FINDINGS
    assert not out.exists()
    told = capsys.readouterr().err
    assert "this is a mistake of lynkrc's, please report it with the spec: engine python" in told
    assert "engine python decides otherwise than the policy means" in told
    # What explains the decision is right, and says what the policy says: that is told once.
    assert "its reasons" not in told
    assert told.count("the policy's") == 1


def test_a_native_scorer_that_decides_otherwise_fails_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = verified.load_opened

    def miscompiled(bundle: OpenedBundle, *, is_just_built: bool) -> LoadedBundle:
        loaded = right(bundle, is_just_built=is_just_built)
        return replace(
            loaded,
            engine="native",
            scorer=lambda v: (*loaded.scorer(v)[:5], 101, -1),
            explain=lambda v: {**loaded.explain(v), "score": 101},
        )

    monkeypatch.setattr(verified, "load_opened", miscompiled)
    code, out = build(tmp_path, HOLDS)
    assert code == ExitCode.FINDINGS
    assert not out.exists()
    told = capsys.readouterr().err
    assert "this is a mistake of lynkrc's or the C compiler's, please report it" in told
    assert "(without --native it can be built): engine native decides otherwise" in told
    assert "its reasons" in told and "the policy's" in told


def test_it_is_told_on_how_many_requests_the_scorers_were_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LYNKRC_CACHE", str(tmp_path / "cache"))

    def tried() -> str:
        assert build(tmp_path, HOLDS)[0] == ExitCode.OK
        (line,) = (one for one in capsys.readouterr().out.splitlines() if "  tried " in one)
        return line

    first = tried()
    meant = "decided as the policy means"
    assert re.fullmatch(rf"  tried   [1-9]\d* requests around the edges: {meant}", first)
    assert tried() == first  # what was built is kept, and how it was tried
    shutil.rmtree(tmp_path / "cache" / "builds")
    assert tried() == f"  tried   by an earlier build of the same files: {meant}"


def test_a_pass_that_changes_the_meaning_fails_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was written is what the scorer is held against, not what the passes made of it."""

    def careless(table: RouteTable) -> RouteTable:
        turns, *others = table.rules
        return replace(table, rules=(replace(turns, guard=NEVER), *others))

    monkeypatch.setattr(passes, "PASSES", (*passes.PASSES, careless))
    code, out = build(tmp_path, HOLDS)
    assert code == ExitCode.FINDINGS
    assert not out.exists()
    assert "engine python decides otherwise than the policy means" in capsys.readouterr().err


def test_a_native_scorer_is_tried_in_every_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No compiler at first, so the portable scorer was tried alone; then there is one."""
    monkeypatch.setattr("lynkrc.pipeline.pack_bundle", without_compiler)
    assert build(tmp_path, HOLDS, "--native")[0] == ExitCode.OK
    monkeypatch.undo()
    monkeypatch.setenv("LYNKRC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("lynkrc.pipeline.pack_bundle", with_compiler)
    tried: list[bytes] = []

    def try_out(_: Compilation, bundle: bytes) -> tuple[int, str | None]:
        tried.append(bundle)
        return 1, "engine native decides otherwise"

    monkeypatch.setattr(verified, "try_out", try_out)
    assert build(tmp_path, HOLDS, "--native")[0] == ExitCode.FINDINGS
    assert len(tried) == 1
    assert "engine native decides otherwise" in capsys.readouterr().err


def without_compiler(
    compilation: Compilation, *, native: bool, verdicts: Verdicts | None, libraries: object
) -> tuple[bytes, str | None]:
    assert native
    return pack_bundle(compilation, native=False, verdicts=verdicts)[0], "no C compiler"


def with_compiler(
    compilation: Compilation, *, native: bool, verdicts: Verdicts | None, libraries: object
) -> tuple[bytes, str | None]:
    assert native
    return pack_bundle(compilation, native=False, verdicts=verdicts)
