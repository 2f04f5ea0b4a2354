"""The composed services agree with each other, with what they mount, and with the runtime."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema

from lynkrc_runtime.__main__ import parser
from lynkrc_runtime.credentials import FOLDER
from lynkrc_runtime.server.options import ADMIN_PORT, PORT

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE = DEPLOY / "compose"
MADE = {"bundle", "secrets"}
"""Folders that the page has the reader make."""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    found: dict[str, Any] = read(COMPOSE / "compose.yaml")
    return found


def test_it_is_what_compose_reads(project: dict[str, Any]) -> None:
    schema = get_builtin_schema("vendor.compose-spec")
    jsonschema.Draft202012Validator(schema).validate(project)
    wrong = {**project, "services": {"gateway": {"image": "a", "restrat": "always"}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(wrong)


def test_no_service_has_more_rights_than_it_needs(project: dict[str, Any]) -> None:
    for name, service in project["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == "unless-stopped", name
        assert not {"privileged", "cap_add", "network_mode", "pid", "env_file"} & set(service)
        for volume in service["volumes"]:
            assert isinstance(volume, str) or volume["read_only"] is True, name


def test_every_image_is_a_whole_version(project: dict[str, Any]) -> None:
    images = {name: one["image"] for name, one in project["services"].items()}
    assert images.pop("gateway").startswith("lynkrc:")
    for image in images.values():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+(-alpine)?", image), image


def test_every_path_that_is_mounted_exists(project: dict[str, Any]) -> None:
    sources = [
        volume["source"]
        for service in project["services"].values()
        for volume in service["volumes"]
        if not isinstance(volume, str)
    ]
    sources += [one["file"] for one in project["secrets"].values()]
    build = project["services"]["gateway"]["build"]
    sources.append(f"{build['context']}/{build['dockerfile']}")
    for source in sources:
        if Path(source).parts[0] not in MADE:
            assert (COMPOSE / source).exists(), source
    named = {
        volume.split(":")[0]
        for service in project["services"].values()
        for volume in service["volumes"]
        if isinstance(volume, str)
    }
    assert named == set(project["volumes"])


def test_networks_let_through_what_is_needed_and_no_more(project: dict[str, Any]) -> None:
    services = project["services"]
    published = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert published == {
        "gateway": [f"127.0.0.1:{PORT}:{PORT}"],
        "grafana": ["127.0.0.1:3000:3000"],
    }
    of = {name: set(one["networks"]) for name, one in services.items()}
    assert of["gateway"] & of["redis"] == {"state"}
    assert of["gateway"] & of["prometheus"] == of["grafana"] & of["prometheus"] == {"metrics"}
    assert not of["redis"] & (of["prometheus"] | of["grafana"])
    internal = {name for name, one in project["networks"].items() if one.get("internal")}
    assert of["redis"] | of["prometheus"] == internal == {"state", "metrics"}


def test_the_runtime_takes_the_command_and_its_bundle(project: dict[str, Any]) -> None:
    gateway = project["services"]["gateway"]
    options = parser().parse_args(["serve", *gateway["command"]])
    (mount,) = gateway["volumes"]
    name = read(COMPOSE / "routing.yaml")["name"]
    assert str(options.place) == f"{mount['target']}/{name}.lynkr"
    assert options.port in (None, PORT) and options.admin_port in (None, ADMIN_PORT)
    assert options.host == "0.0.0.0"
    period = re.fullmatch(r"(\d+)m(\d+)s", gateway["stop_grace_period"])
    assert period is not None
    assert int(period[1]) * 60 + int(period[2]) >= options.stop_delay + options.drain + 10
    assert any("/tmp:" in one and "exec," in one for one in gateway["tmpfs"])


def test_every_reference_of_the_spec_has_a_value(project: dict[str, Any]) -> None:
    text = (COMPOSE / "routing.yaml").read_text(encoding="utf-8")
    gateway = project["services"]["gateway"]
    assert gateway["environment"][FOLDER] == "/run/secrets"
    references = set(re.findall(r"\$\{(\w+)\}", text))
    assert references == set(gateway["secrets"])
    with_default = set(re.findall(r"\$\{(\w+):-", text))
    assert set(gateway["environment"]) - {FOLDER} <= with_default
    assert gateway["environment"]["REDIS_HOST"] in project["services"]
    used = {name for one in project["services"].values() for name in one.get("secrets", ())}
    assert used == set(project["secrets"])
    for name, one in project["secrets"].items():
        assert one == {"file": f"./secrets/{name}"}


def test_redis_keeps_all_it_is_told() -> None:
    settings = dict(
        line.split(maxsplit=1)
        for line in (COMPOSE / "redis.conf").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["appendonly"] == "yes"
    assert "requirepass" not in settings


def test_prometheus_asks_where_operators_are_answered(project: dict[str, Any]) -> None:
    settings = read(COMPOSE / "prometheus.yml")
    (job,) = settings["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert found["names"] == ["gateway"] and "gateway" in project["services"]
    assert found["port"] == ADMIN_PORT
    prometheus = project["services"]["prometheus"]
    token = job["authorization"]["credentials_file"]
    assert token.removeprefix("/run/secrets/") in prometheus["secrets"]
    mounted = {one["target"] for one in prometheus["volumes"] if not isinstance(one, str)}
    assert set(settings["rule_files"]) < mounted
    assert "--config.file=/etc/prometheus/prometheus.yml" in prometheus["command"]
    assert "/etc/prometheus/prometheus.yml" in mounted


def test_grafana_finds_prometheus_and_the_dashboards(project: dict[str, Any]) -> None:
    grafana = project["services"]["grafana"]
    mounted = {
        one["target"]: one["source"] for one in grafana["volumes"] if not isinstance(one, str)
    }
    (provider,) = read(COMPOSE / "grafana/dashboards/lynkrc.yaml")["providers"]
    assert mounted[provider["options"]["path"]] == "../grafana"
    assert mounted["/etc/grafana/provisioning"] == "./grafana"
    (source,) = read(COMPOSE / "grafana/datasources/prometheus.yaml")["datasources"]
    assert source["type"] == "prometheus" and source["url"] == "http://prometheus:9090"
    assert grafana["depends_on"]["prometheus"] == {"condition": "service_healthy"}
    password = grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"]
    assert password.removeprefix("/run/secrets/") in grafana["secrets"]
