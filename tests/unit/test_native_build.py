"""Building native code, and what is said where that cannot be."""

import shutil
import sysconfig
from dataclasses import replace

import pytest

from lynkrc.codegen.artifacts import Artifacts, SpecSource, generate
from lynkrc.native import build
from lynkrc.native.build import NativeBuilt, NativeMissing, build_native
from lynkrc.passes import run_passes
from tests.native_tools import needs_compiler
from tests.unit.sample_table import SPEC, TABLE

ARTIFACTS: Artifacts = generate(
    run_passes(TABLE),
    sources=(SpecSource(path="routing.yaml", name="routing.yaml", data=SPEC),),
    source_digest="0" * 64,
    meaning_digest="0" * 64,
)


@needs_compiler
def test_a_library_is_for_this_interpreter_and_always_the_same() -> None:
    first, second = build_native(ARTIFACTS), build_native(ARTIFACTS)
    assert first == second
    assert isinstance(first, NativeBuilt)
    tag = sysconfig.get_config_var("EXT_SUFFIX").split(".")[1]
    assert first.path == f"native/{tag}/scorer.so"


def test_without_cython_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_spec", lambda _: None)
    result = build_native(ARTIFACTS)
    assert isinstance(result, NativeMissing)
    assert result.reason == "Cython is not installed (pip install 'lynkrc[native]')"


def test_without_a_compiler_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    result = build_native(ARTIFACTS)
    assert isinstance(result, NativeMissing) and "there is no C compiler" in result.reason


@needs_compiler
def test_a_refusal_of_cython_is_shown() -> None:
    result = build_native(replace(ARTIFACTS, scorer="def decide(v:\n"))
    assert isinstance(result, NativeMissing)
    assert result.reason == "Cython refused the scorer" and "scorer.py" in result.detail
