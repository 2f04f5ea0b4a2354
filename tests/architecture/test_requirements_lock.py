"""What the image installs: every dependency of the project, at one version, by its hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
IMAGE = ("redis",)
"""Extras that an image needs: replicas that enforce one budget share a store."""
_ENTRY = re.compile(
    r"(?P<pin>[^\\\n]+?) \\\n(?P<hashes>(?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
)


def locked() -> dict[str, Requirement]:
    text = LOCK.read_text(encoding="utf-8")
    found = [Requirement(match["pin"]) for match in _ENTRY.finditer(text)]
    assert "".join(match[0] for match in _ENTRY.finditer(text)) == text, "nothing else stands there"
    return {canonicalize_name(one.name): one for one in found}


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"], *(text for name in IMAGE for text in extras[name])]
    return [Requirement(text) for text in texts]


def test_every_entry_is_one_version_with_hashes() -> None:
    for pin in locked().values():
        (one,) = pin.specifier
        assert one.operator == "==" and "*" not in one.version, pin
        assert pin.url is None


@pytest.mark.parametrize("wanted", declared(), ids=lambda one: one.name)
def test_every_dependency_is_there_in_a_version_that_does(wanted: Requirement) -> None:
    pin = locked()[canonicalize_name(wanted.name)]
    (one,) = pin.specifier
    assert wanted.specifier.contains(one.version), f"{wanted}: `make lock` after a change"


def test_no_registry_is_named() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
