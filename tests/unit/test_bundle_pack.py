"""The bundle's bytes: the same every time, with a manifest over all of them."""

import io
import json
import zipfile
from pathlib import Path

import jsonschema

from lynkrc.bundle.pack import pack
from lynkrc.bundle.report import print_report
from lynkrc.codegen.artifacts import SpecSource, generate
from lynkrc.diagnostics.model import Code, Diagnostic, Severity
from lynkrc.ir.digest import meaning_digest, source_digest
from lynkrc.passes import run_passes
from lynkrc_runtime.bundle import archive
from tests.unit.sample_table import SPAN, SPEC, TABLE

SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "manifest.schema.json"
SOURCES = (
    SpecSource(path="routing.yaml", name="routing.yaml", data=SPEC),
    SpecSource(path="somewhere/lynkr.yaml", name="builtin/lynkr.yaml", data=b"version: 1\n"),
)
ARTIFACTS = generate(
    run_passes(TABLE),
    sources=SOURCES,
    source_digest=source_digest(SPEC),
    meaning_digest=meaning_digest(TABLE),
)
REPORT = print_report(TABLE, (), SOURCES)


def test_equal_input_gives_equal_bytes() -> None:
    again = generate(
        run_passes(TABLE),
        sources=SOURCES,
        source_digest=source_digest(SPEC),
        meaning_digest=meaning_digest(TABLE),
    )
    assert pack(again, report=REPORT) == pack(ARTIFACTS, report=REPORT)


def test_the_archive_is_stored_sorted_and_dateless() -> None:
    with zipfile.ZipFile(io.BytesIO(pack(ARTIFACTS, report=REPORT))) as zipped:
        entries = zipped.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {(entry.create_system, entry.external_attr >> 16) for entry in entries} == {
        (3, 0o100644)
    }
    assert "source/builtin/lynkr.yaml" in {entry.filename for entry in entries}


def test_the_order_files_are_given_in_does_not_matter() -> None:
    assert archive({"b": b"2", "a": b"1"}) == archive({"a": b"1", "b": b"2"})


def test_the_manifest_follows_its_schema() -> None:
    with zipfile.ZipFile(io.BytesIO(pack(ARTIFACTS, report=REPORT))) as zipped:
        manifest = json.loads(zipped.read("manifest.json"))
        names = set(zipped.namelist())
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(manifest, schema)
    assert set(manifest["files"]) == names - {"manifest.json"}
    assert manifest["source_digest"] == source_digest(SPEC)
    assert "kind:ollama" in manifest["capabilities"]
    assert "feature:ask.words" in manifest["capabilities"]


def test_native_code_changes_the_bytes_and_is_listed() -> None:
    library = {"native/some-tag/scorer.so": b"\x7fELF"}
    data = pack(ARTIFACTS, report=REPORT, native=library)
    assert data != pack(ARTIFACTS, report=REPORT)
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert json.loads(zipped.read("manifest.json"))["native"] == ["some-tag"]


def test_the_report_holds_warnings_and_assumptions() -> None:
    found = [
        Diagnostic(
            code=Code(id="LK900", name="some-thing", severity=severity),
            message=f"a {severity.value}",
            span=SPAN,
        )
        for severity in (Severity.WARNING, Severity.NOTE)
    ]
    report = json.loads(print_report(TABLE, found, SOURCES))
    assert [warning["message"] for warning in report["warnings"]] == ["a warning"]
    assert (report["warnings"][0]["file"], report["warnings"][0]["line"]) == ("routing.yaml", 2)
    assert report["assumptions"] == [
        "provider ollama: its address comes from OLLAMA; trust `local` is declared, not checked"
    ]


def test_the_source_map_names_files_as_the_bundle_does() -> None:
    places = json.loads(ARTIFACTS.source_map)
    assert places["rules"]["greetings"] == "routing.yaml:2"
    assert places["dimensions"]["builtin/length"] == "routing.yaml:2"
