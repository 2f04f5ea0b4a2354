"""Loading bundles: what is broken is said, what is whole decides."""

import hashlib
import io
import json
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lynkrc.bundle.pack import pack
from lynkrc.bundle.report import print_report
from lynkrc.codegen.artifacts import SpecSource, generate
from lynkrc.interp.evaluate import evaluate
from lynkrc.passes import run_passes
from lynkrc_runtime import bundle_archive
from lynkrc_runtime.bundle import (
    BrokenBundle,
    archive,
    load_bundle,
    load_opened,
    open_bundle,
)
from lynkrc_runtime.decide import Decider, Outcome
from lynkrc_runtime.native_tag import native_path, native_tag
from tests.native_tools import library_of, needs_compiler
from tests.unit.sample_table import SPEC, TABLE, vector

SOURCES = (SpecSource(path="routing.yaml", name="routing.yaml", data=SPEC),)
ARTIFACTS = generate(
    run_passes(TABLE), sources=SOURCES, source_digest="0" * 64, meaning_digest="1" * 64
)
REPORT = print_report(TABLE, (), SOURCES)
WHOLE = pack(ARTIFACTS, report=REPORT)

Files = dict[str, bytes]


def files_of(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def put(path: Path, data: bytes) -> Path:
    file = path / "acme-coding.lynkr"
    file.write_bytes(data)
    return file


def edit_manifest(files: Files, edit: Callable[[dict], None]) -> None:
    manifest = json.loads(files["manifest.json"])
    edit(manifest)
    files["manifest.json"] = json.dumps(manifest).encode()


def replace_honestly(files: Files, name: str, data: bytes) -> None:
    """Change a file and the manifest with it, as a broken compiler would."""
    files[name] = data
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    edit_manifest(files, lambda manifest: manifest["files"].update({name: entry}))


def test_a_whole_bundle_decides_and_explains(tmp_path: Path) -> None:
    loaded = load_bundle(put(tmp_path, WHOLE))
    assert loaded.engine == "python"
    assert loaded.notice == (
        f"no native code in the bundle for {native_tag()}: the Python scorer serves"
    )
    found = vector(words=9, results=7, images=1, data=2)
    assert loaded.scorer(found) == evaluate(TABLE, found)
    assert loaded.explain(found)["tier"] == "COMPLEX"
    assert loaded.manifest.meaning_digest == "1" * 64
    assert loaded.tables.entries == 6


def test_a_decision_in_names(tmp_path: Path) -> None:
    loaded = load_bundle(put(tmp_path, WHOLE))
    decider = Decider(loaded.dispatch, loaded.scorer)
    decision = decider.decide(vector(words=9, results=7, images=1, data=2))
    assert (decision.outcome, decision.tier, decision.rule) == (
        Outcome.ROUTE, "COMPLEX", "long-loops",
    )  # fmt: skip
    assert [loaded.dispatch.targets[t].name for t in decision.targets] == ["big"]
    denied = decider.decide(vector(data=1))
    assert denied.deny is not None and denied.deny.status == 403


def test_a_folder_with_one_bundle_is_that_bundle(tmp_path: Path) -> None:
    put(tmp_path, WHOLE)
    assert open_bundle(tmp_path).path == tmp_path / "acme-coding.lynkr"
    (tmp_path / "second.lynkr").write_bytes(WHOLE)
    with pytest.raises(BrokenBundle, match="holds 2 files"):
        open_bundle(tmp_path)


def test_every_file_can_be_looked_at_without_running_any(tmp_path: Path) -> None:
    files = files_of(WHOLE)
    replace_honestly(files, "scorer.py", b"raise SystemExit(1)\n")
    opened = open_bundle(put(tmp_path, archive(files)))
    assert opened.files["routes.txt"].startswith(b"acme-coding\n")
    files_of_it: Any = opened.files
    with pytest.raises(TypeError):
        files_of_it["routes.txt"] = b""


def without(name: str) -> Callable[[Files], None]:
    return lambda files: files.pop(name) and None


def manifest_with(**changes: object) -> Callable[[Files], None]:
    return lambda files: edit_manifest(files, lambda manifest: manifest.update(changes))


def set_file(name: str, data: bytes) -> Callable[[Files], None]:
    return lambda files: files.update({name: data})


def honest(name: str, data: bytes) -> Callable[[Files], None]:
    return lambda files: replace_honestly(files, name, data)


def forget_scorer(files: Files) -> None:
    del files["scorer.py"]
    edit_manifest(files, lambda manifest: manifest["files"].pop("scorer.py"))


BREAKS: dict[str, tuple[Callable[[Files], None], str]] = {
    "no manifest": (without("manifest.json"), "manifest.json is missing"),
    "manifest no JSON": (set_file("manifest.json", b"{"), "manifest.json: "),
    "manifest member": (manifest_with(colour="red"), "unknown field `colour`"),
    "newer format": (manifest_with(format=2), "bundle format 2 is newer than this runtime reads"),
    "newer format of another shape": (
        set_file("manifest.json", b'{"format": 3, "parts": []}'),
        "bundle format 3 is newer",
    ),
    "no such format": (manifest_with(format=0), "there is no bundle format 0"),
    "newer runtime": (manifest_with(minimum_runtime="99.1"), "needs lynkrc-runtime 99.1"),
    "odd version": (manifest_with(minimum_runtime="soon"), "'soon' is no version"),
    "endless version": (manifest_with(minimum_runtime="9" * 5_000), "is no version"),
    "deep manifest": (
        set_file("manifest.json", b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b', "format": 1}'),
        "manifest.json: ",
    ),
    "capability": (
        manifest_with(capabilities=["kind:abacus"]),
        "needs kind:abacus, which this runtime does not have",
    ),
    "missing file": (without("dispatch.json"), "dispatch.json is missing"),
    "missing and unlisted": (forget_scorer, "scorer.py is missing"),
    "extra file": (set_file("extra.txt", b"x"), "extra.txt is not in the manifest"),
    "wrong digest": (set_file("scorer.py", b"x = 1\n"), "scorer.py is not what the manifest says"),
    "native tags": (manifest_with(native=["x"]), "native tags are not the libraries' ones"),
    "path upwards": (set_file("../up", b"x"), "'../up' is no name a bundle may hold"),
    "absolute path": (set_file("/up", b"x"), "'/up' is no name a bundle may hold"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_what_is_broken_is_said(tmp_path: Path, case: str) -> None:
    change, message = BREAKS[case]
    files = files_of(WHOLE)
    change(files)
    path = put(tmp_path, archive(files))
    with pytest.raises(BrokenBundle) as caught:
        open_bundle(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_rule_may_have_effects_that_never_apply(tmp_path: Path) -> None:
    # A spec may say both; the denial comes first, and the compiler only warns.
    files = files_of(WHOLE)
    deny = {"status": 403, "message": "no"}
    edit_dispatch(lambda table: table["rules"][0].update(deny=deny, respond="yes"))(files)
    rule = load_bundle(put(tmp_path, archive(files))).dispatch.rules[0]
    assert rule.deny is not None and rule.respond == "yes"


def edit_dispatch(edit: Callable[[dict], None]) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        table = json.loads(files["dispatch.json"])
        edit(table)
        replace_honestly(files, "dispatch.json", json.dumps(table).encode())

    return change


HONEST_BREAKS: dict[str, tuple[Callable[[Files], None], str]] = {
    "dispatch member": (honest("dispatch.json", b'{"name": "x"}'), "unreadable table"),
    "lexicons": (honest("lexicons.dfa", b"LKD1"), "unreadable table"),
    "scorer syntax": (honest("scorer.py", b"def decide(v:\n"), "scorer.py: "),
    "scorer empty": (honest("scorer.py", b"x = 1\n"), "scorer.py defines no decide"),
    "other slots": (
        honest("scorer.py", b"def decide(v):\n    a, b = v\n"),
        "the scorer does not take its slots",
    ),
    "scorer raises": (honest("scorer.py", b"import nothing_of_this_name\n"), "scorer.py: "),
    "deep scorer": (honest("scorer.py", b"x = " + b"-" * 200_000 + b"1\n"), "scorer.py: "),
    "more slots": (
        honest("scorer.py", b"def decide(v):\n    return v[9999]\n"),
        "the scorer does not take its slots",
    ),
    "no verdict": (
        honest("scorer.py", b"def decide(v):\n    return None\n"),
        "the scorer does not take its slots",
    ),
    "target of no provider": (
        edit_dispatch(lambda table: table["targets"][0].update(provider=77)),
        "dispatch.json: there is no provider 77",
    ),
    "chain of no target": (
        edit_dispatch(lambda table: table["chains"][0].update(groups=[[-1]])),
        "dispatch.json: there is no target -1",
    ),
    "tier of no chain": (
        edit_dispatch(lambda table: table["tiers"][0].update(chain=99)),
        "dispatch.json: there is no chain 99",
    ),
    "preferred target": (
        edit_dispatch(lambda table: table["rules"][0].update(prefer={"pick": None, "target": 99})),
        "dispatch.json: there is no target 99",
    ),
    "preferred twice": (
        edit_dispatch(
            lambda table: table["rules"][0].update(prefer={"pick": "fastest", "target": 0})
        ),
        "it prefers a pick or a target, one of the two",
    ),
    "preferred order": (
        edit_dispatch(
            lambda table: table["rules"][0].update(prefer={"pick": "weighted", "target": None})
        ),
        "there is no pick 'weighted' to prefer",
    ),
    "unknown pick": (
        edit_dispatch(lambda table: table["chains"][0].update(pick="dearest")),
        "there is no pick 'dearest'",
    ),
    "weights of another chain": (
        edit_dispatch(
            lambda table: table["chains"][0].update(
                groups=[[0], [1]], pick="weighted", weights=[1, 2, 3]
            )
        ),
        "3 weights for 2 targets, picked by weighted",
    ),
    "weights nobody reads": (
        edit_dispatch(lambda table: table["chains"][0].update(groups=[[0]], weights=[1])),
        "1 weights for 1 targets, picked by order",
    ),
    "no weight": (
        edit_dispatch(
            lambda table: table["chains"][0].update(groups=[[0]], pick="weighted", weights=[0])
        ),
        "a weight is less than 1",
    ),
    "empty group": (
        edit_dispatch(lambda table: table["chains"][0].update(groups=[[0], []])),
        "an empty group",
    ),
    "other decision": (
        honest("scorer.py", b"def decide(v):\n    return (0, 0, 0, 0, 1, 7, -1)\n"),
        "scorer and explanation disagree",
    ),
}


@pytest.mark.parametrize("case", HONEST_BREAKS)
def test_what_does_not_fit_together_is_said(tmp_path: Path, case: str) -> None:
    change, message = HONEST_BREAKS[case]
    files = files_of(WHOLE)
    change(files)
    with pytest.raises(BrokenBundle, match=message):
        load_bundle(put(tmp_path, archive(files)))


def test_a_file_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BrokenBundle, match="cannot be read: No such file"):
        load_bundle(tmp_path / "none.lynkr")
    with pytest.raises(BrokenBundle, match=r"not a whole zip file$"):
        load_bundle(put(tmp_path, b"PK nonsense"))
    with pytest.raises(BrokenBundle, match=r"not a whole zip file$"):
        load_bundle(put(tmp_path, WHOLE[: len(WHOLE) // 2]))
    with pytest.raises(BrokenBundle, match="not a whole zip file: Bad CRC-32 for file"):
        load_bundle(put(tmp_path, WHOLE.replace(b"def decide", b"def decade")))
    spec = tmp_path / "routing.yaml"
    spec.write_text("version: 1\n")
    with pytest.raises(BrokenBundle, match="is a spec, not a bundle; `lynkrc build"):
        load_bundle(spec)


@pytest.mark.parametrize("place", ["before", "after"])
def test_bytes_beside_the_files_are_refused(tmp_path: Path, place: str) -> None:
    data = b"junk" + WHOLE if place == "before" else WHOLE + b"junk"
    with pytest.raises(BrokenBundle, match="belong to none of its files"):
        open_bundle(put(tmp_path, data))


def test_files_that_overlap_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second file lies inside the first: a chain of such files unpacks to any size."""
    inner = archive({"b": b"x" * 100})
    local = inner[: 30 + 1 + 100]
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as zipped:
        zipped.writestr("a", local)
        with zipfile.ZipFile(io.BytesIO(inner)) as other:
            (within,) = other.infolist()
        within.header_offset = 30 + 1
        zipped.filelist.append(within)
        zipped.NameToInfo["b"] = within

    def read(*_: object) -> bytes:
        raise AssertionError("read before its size was checked")

    monkeypatch.setattr(zipfile.ZipFile, "read", read)
    with pytest.raises(BrokenBundle, match="belong to none of its files, or to several"):
        open_bundle(put(tmp_path, outer.getvalue()))


def test_a_compressed_entry_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("bomb", b"0" * 100_000)
    with pytest.raises(BrokenBundle, match="bomb is compressed"):
        open_bundle(put(tmp_path, out.getvalue()))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("a", b"1")
        zipped.writestr("a", b"2")
    with pytest.raises(BrokenBundle, match="a is there twice"):
        open_bundle(put(tmp_path, out.getvalue()))


def test_sizes_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, WHOLE)
    monkeypatch.setattr(bundle_archive, "LARGEST_FILE", 100)
    with pytest.raises(BrokenBundle, match="more than 100 bytes"):
        open_bundle(path)
    monkeypatch.setattr(bundle_archive, "MOST_FILES", 3)
    with pytest.raises(BrokenBundle, match="at most 3 are read"):
        open_bundle(path)
    monkeypatch.setattr(bundle_archive, "LARGEST_BUNDLE", 100)
    with pytest.raises(BrokenBundle, match="more than a bundle may have"):
        open_bundle(path)


@needs_compiler
def test_native_code_serves_where_it_fits_and_is_mapped_once(tmp_path: Path) -> None:
    built = library_of(ARTIFACTS)
    path = put(tmp_path, pack(ARTIFACTS, report=REPORT, native={built.path: built.library}))
    first, second = (load_opened(open_bundle(path), is_just_built=True) for _ in range(2))
    assert (first.engine, first.notice) == ("native", None)
    assert first.scorer is second.scorer
    assert "scorer" not in sys.modules
    found = vector(words=9, results=7, images=1, data=2, terms=-5000)
    assert first.scorer(found) == second.scorer(found) == evaluate(TABLE, found)
    with pytest.raises(ValueError):
        first.scorer(found[:-1])


@needs_compiler
def test_two_versions_serve_side_by_side(tmp_path: Path) -> None:
    """Each load is a library of its own: a later one changes nothing of an earlier one."""
    other = replace(TABLE, offset64=TABLE.offset64 + 64 * 40, rules=())
    files = []
    for name, table in (("old", TABLE), ("new", other)):
        artifacts = generate(
            run_passes(table), sources=SOURCES, source_digest="1" * 64, meaning_digest="1" * 64
        )
        built = library_of(artifacts)
        folder = tmp_path / name
        folder.mkdir()
        native = {built.path: built.library}
        files.append(put(folder, pack(artifacts, report=REPORT, native=native)))
    modules = set(sys.modules)
    old, new, again = (
        load_opened(open_bundle(files[number]), is_just_built=True) for number in (0, 1, 0)
    )
    assert (old.engine, new.engine, again.engine) == ("native",) * 3
    assert set(sys.modules) == modules
    differ = 0
    for words in range(200):
        found = vector(words=words, results=words % 11, images=words % 2, terms=words * 64)
        assert old.scorer(found) == again.scorer(found) == evaluate(TABLE, found)
        assert new.scorer(found) == evaluate(other, found)
        differ += old.scorer(found) != new.scorer(found)
    assert differ > 50
    del old, new
    found = vector(words=3)
    assert again.scorer(found) == evaluate(TABLE, found)


class Shrinks:
    """A number that takes the list apart it is read from."""

    def __init__(self, holder: list[Any]) -> None:
        self.holder = holder

    def __index__(self) -> int:
        self.holder.clear()
        return 1


@needs_compiler
def test_native_code_refuses_what_is_no_vector(tmp_path: Path) -> None:
    built = library_of(ARTIFACTS)
    path = put(tmp_path, pack(ARTIFACTS, report=REPORT, native={built.path: built.library}))
    decide: Any = load_opened(open_bundle(path), is_just_built=True).scorer
    whole = vector()
    for wrong, expected in (
        (None, TypeError),
        (tuple(whole), TypeError),
        ([], ValueError),
        ([*whole, 0], ValueError),
        ([*whole[:-1], None], TypeError),
        ([*whole[:-1], "1"], TypeError),
        ([*whole[:-1], 0.5], TypeError),
        ([*whole[:-1], 2**63], OverflowError),
        ([*whole[:-1], -(2**200)], OverflowError),
    ):
        with pytest.raises(expected):
            decide(wrong)
    shrinking: list[Any] = [*whole]
    shrinking[0] = Shrinks(shrinking)
    with pytest.raises(IndexError):
        decide(shrinking)
    for number in (2**63 - 1, -(2**63)):
        assert len(decide([number] * len(whole))) == 7
    assert decide([True, *whole[1:]]) == decide([1, *whole[1:]])
    assert decide(whole) == evaluate(TABLE, whole)


def test_native_code_of_another_platform_gives_way_with_a_notice(tmp_path: Path) -> None:
    data = pack(ARTIFACTS, report=REPORT, native={"native/other-tag/scorer.so": b"\x7fELF"})
    loaded = load_bundle(put(tmp_path, data))
    assert loaded.engine == "python"
    told = f"no native code in the bundle for {native_tag()}, only for other-tag: the Python"
    assert loaded.notice is not None and told in loaded.notice


def test_native_code_that_cannot_be_loaded_gives_way_with_a_notice(tmp_path: Path) -> None:
    data = pack(ARTIFACTS, report=REPORT, native={native_path(): struct.pack("<Q", 0)})
    loaded = load_opened(open_bundle(put(tmp_path, data)), is_just_built=True)
    assert loaded.engine == "python"
    assert loaded.notice is not None and "cannot be loaded" in loaded.notice
    assert loaded.scorer(vector()) == evaluate(TABLE, vector())
