"""Schemas and shipped specs are found beside the package and inside it."""

import json
from pathlib import Path

import pytest

from lynkrc.source import resources


def test_every_schema_is_found_by_its_name() -> None:
    names = resources.schema_names()
    assert {"routing", "diagnostics"} <= set(names)
    for name in names:
        assert "$schema" in json.loads(resources.read_schema(name))


def test_the_shipped_specs_are_found_by_group() -> None:
    for name in (*resources.spec_names("builtin"), *resources.spec_names("catalog")):
        assert resources.read_spec(name)
    assert resources.spec_names("nothing") == ()


@pytest.mark.parametrize("name", ["", "builtin/", "../schema", "builtin/../builtin/lynkr", "none"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(FileNotFoundError):
        resources.read_spec(name)


def test_package_data_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_data" / "schema").mkdir(parents=True)
    (tmp_path / "_data" / "schema" / "routing.schema.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    assert resources.read_schema("routing") == "{}"
    assert resources.schema_names() == ("routing",)
