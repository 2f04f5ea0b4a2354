"""Building native code, and what is said where that cannot be."""

import json
import re
import shutil
import sys
import sysconfig
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from lynkrc.codegen.artifacts import Artifacts, SpecSource, generate
from lynkrc.native import build
from lynkrc.native.build import NativeBuilt, NativeMissing, build_native
from lynkrc.native.toolchain import toolchain
from lynkrc.passes import run_passes
from tests.native_tools import needs_compiler
from tests.unit.sample_table import SPEC, TABLE

ARTIFACTS: Artifacts = generate(
    run_passes(TABLE),
    sources=(SpecSource(path="routing.yaml", name="routing.yaml", data=SPEC),),
    source_digest="0" * 64,
    meaning_digest="0" * 64,
)
LIMITED = frozenset(
    (
        *("PyErr_Format", "PyErr_Occurred", "PyErr_SetString"),
        *("PyExc_TypeError", "PyExc_ValueError"),
        *("PyList_GetItem", "PyList_Size", "PyTuple_New", "PyTuple_SetItem"),
        *("PyLong_AsLongLong", "PyLong_FromLong", "PyLong_FromLongLong"),
        *("PyModuleDef_Init", "PyModule_GetState", "PyType_GetFlags"),
        *("Py_NewRef", "Py_DecRef", "_Py_DecRef", "_Py_Dealloc"),
    )
)
"""What of CPython a library may call: all of it is in the stable ABI of 3.11."""


@pytest.fixture(scope="module")
def first() -> NativeBuilt:
    built = build_native(ARTIFACTS)
    assert isinstance(built, NativeBuilt)
    return built


@needs_compiler
def test_a_toolchain_makes_the_same_bytes_wherever_and_whenever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: NativeBuilt
) -> None:
    assert re.fullmatch(r"native/abi3-[\w-]+/scorer\.so", first.path)
    assert re.match(r"Cython \d\S+ and \S", toolchain())
    elsewhere = tmp_path / "a folder with another and a longer name"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    for name, value in (
        ("PYTHONHASHSEED", "12345"),
        ("SOURCE_DATE_EPOCH", "1700000000"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("LANGUAGE", "ja"),
        ("TZ", "Asia/Kathmandu"),
        ("USER", "somebody"),
        ("HOME", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
    assert build_native(ARTIFACTS) == first
    assert str(elsewhere).encode() not in first.library
    assert list(elsewhere.iterdir()) == []


def names_in(built: NativeBuilt) -> set[str]:
    return {name.decode() for name in re.findall(rb"\0(_?Py[A-Z_]\w+)(?=\0)", built.library)}


@needs_compiler
def test_a_library_calls_the_limited_api_alone_and_is_small(first: NativeBuilt) -> None:
    names = names_in(first)
    assert "PyInit_scorer" in names and names - {"PyInit_scorer"} <= LIMITED
    assert len(first.library) < 64 * 1024


@needs_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="other linkers must be told more")
def test_what_is_not_called_is_dropped_before_it_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Else the arithmetic would be compiled twice: once for Cython's module, which refers to it.
    monkeypatch.setattr(build, "_LINKED_ON_LINUX", ("-s",))
    built = build_native(ARTIFACTS)
    assert isinstance(built, NativeBuilt)
    assert names_in(built) - {"PyInit_scorer"} <= LIMITED


def test_without_cython_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_spec", lambda _: None)
    result = build_native(ARTIFACTS)
    assert isinstance(result, NativeMissing)
    assert result.reason == "Cython is not installed (pip install 'lynkrc[native]')"


def test_without_a_compiler_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    result = build_native(ARTIFACTS)
    assert isinstance(result, NativeMissing) and "there is no C compiler" in result.reason


def test_a_python_without_the_limited_api_has_no_native_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build, "native_tag", lambda: "cpython-314t-x86_64-linux-gnu")
    result = build_native(ARTIFACTS)
    assert isinstance(result, NativeMissing)
    assert result.reason == "this Python (cpython-314t-x86_64-linux-gnu) has no limited API"


@needs_compiler
def test_targets_beyond_the_bits_of_an_integer_are_told() -> None:
    dispatch = json.loads(ARTIFACTS.dispatch)
    dispatch["targets"] *= 63
    count = len(dispatch["targets"])
    result = build_native(replace(ARTIFACTS, dispatch=json.dumps(dispatch).encode()))
    assert isinstance(result, NativeMissing)
    assert result.reason == f"it takes at most 62 targets, and the spec has {count}"


@needs_compiler
def test_a_refusal_of_cython_is_shown() -> None:
    result = build_native(replace(ARTIFACTS, scorer="def decide(v:\n"))
    assert isinstance(result, NativeMissing)
    assert result.reason == "Cython refused the scorer" and "scorer.py" in result.detail


@needs_compiler
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo there is no memory >&2; exit 1", "there is no memory"),
        ("kill -SEGV $$", "was ended by signal 11"),
        ("exit 3", "it said nothing"),
    ],
)
def test_a_compiler_that_fails_or_dies_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o700)
    monkeypatch.setattr(sysconfig, "get_config_var", {"CC": str(compiler)}.get)
    monkeypatch.setattr(build, "native_tag", lambda: "abi3-some")
    # Only the compiler is asked for anything here.
    monkeypatch.setattr(build, "_CYTHON", ("-c", "pass"))
    result = build_native(ARTIFACTS)
    assert isinstance(result, NativeMissing)
    assert result.reason == "the C compiler refused the scorer"
    assert said in result.detail
