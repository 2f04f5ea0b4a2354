"""An extra of this package, to what to say where its packages are not installed."""

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType

_PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "aws": ("botocore",),
        "gcp": ("google.auth", "requests"),
        "otel": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
        "redis": ("redis",),
    }
)
"""Extras and the packages they bring that are imported."""


def missing_extra(extra: str) -> str | None:
    """What must be installed, None where everything is there.

    >>> missing_extra("aws") is None
    True
    """
    for package in _PACKAGES[extra]:
        if not _is_there(package):
            ours = "lynkrc" if _is_there("lynkrc") else "lynkrc-runtime"
            return f"it needs the package {package}: pip install '{ours}[{extra}]'"
    return None


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        # The package around it is not there either.
        return False
