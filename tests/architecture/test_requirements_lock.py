"""The locks: every dependency of a whole install, of the image and of its build, by its hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {
    "requirements.lock": ("pyproject.toml", ("redis",)),
    "deploy/requirements-image.lock": ("runtime/pyproject.toml", ("aws", "gcp", "otel", "redis")),
    "deploy/requirements-build.lock": ("deploy/requirements-build.in", ()),
}
"""Each with what it locks, and the extras: an image has all that a gateway can use."""
_ENTRY = re.compile(
    r"(?P<pin>[^\\\n]+?) \\\n(?P<hashes>(?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
)


def locked(lock: str) -> dict[str, Requirement]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    found = [Requirement(match["pin"]) for match in _ENTRY.finditer(text)]
    assert "".join(match[0] for match in _ENTRY.finditer(text)) == text, "nothing else stands there"
    return {canonicalize_name(one.name): one for one in found}


def declared(path: str, extras: tuple[str, ...]) -> list[Requirement]:
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".in"):
        return [Requirement(line) for line in text.splitlines()]
    project = tomllib.loads(text)["project"]
    optional = project["optional-dependencies"]
    texts = [*project["dependencies"], *(text for name in extras for text in optional[name])]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_one_version_with_hashes(lock: str) -> None:
    for pin in locked(lock).values():
        (one,) = pin.specifier
        assert one.operator == "==" and "*" not in one.version, pin
        assert pin.url is None


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_there_in_a_version_that_does(lock: str) -> None:
    pins = locked(lock)
    for wanted in declared(*LOCKS[lock]):
        (one,) = pins[canonicalize_name(wanted.name)].specifier
        assert wanted.specifier.contains(one.version), f"{wanted}: `make lock` after a change"


def test_the_image_has_the_versions_of_a_whole_install() -> None:
    whole, image = locked("requirements.lock"), locked("deploy/requirements-image.lock")
    shared = whole.keys() & image.keys()
    assert {name for name in shared if whole[name].specifier != image[name].specifier} == set()
    assert not image.keys() & {"z3-solver", "lark", "jinja2", "jsonschema", "numpy", "pyyaml"}


@pytest.mark.parametrize("lock", LOCKS)
def test_no_registry_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
