"""The lock of the image to its bill of materials, as CycloneDX: the same bytes for the same lock.

Its serial number follows from both, and no time stands in it. What the gateway's package is made
of is known from its own metadata; which packages are beside it, and by which hashes, from the lock.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

DEPLOY = Path(__file__).resolve().parent
LOCK = DEPLOY / "requirements-image.lock"
PROJECT = DEPLOY.parent / "runtime" / "pyproject.toml"
_ENTRY = re.compile(r"^(?P<pin>[^\s#][^\\\n]*?) \\\n(?P<hashes>(?: {4}--hash=sha256:.*\n)+)", re.M)
_HASH = re.compile(r"sha256:([0-9a-f]{64})")


def print_sbom(lock: str, project: str) -> str:
    """The bill of materials of a lock and the `pyproject.toml` that it was made for."""
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"urn:lynkrc:sbom:{project}{lock}"))
    bom.metadata.timestamp = None
    bom.metadata.tools.components.add(this_component())
    package = tomllib.loads(project)["project"]
    ours = Component(
        type=ComponentType.APPLICATION,
        name=package["name"],
        version=package["version"],
        description=package["description"],
        licenses=[LicenseExpression(package["license"])],
        purl=PackageURL("pypi", name=package["name"], version=package["version"]),
        bom_ref=f"{package['name']}@{package['version']}",
    )
    bom.metadata.component = ours
    others = list(_locked(lock))
    for one in others:
        bom.components.add(one)
    bom.register_dependency(ours, others)
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _locked(lock: str) -> Iterator[Component]:
    for match in _ENTRY.finditer(lock):
        pin = Requirement(match["pin"])
        (version,) = (one.version for one in pin.specifier)
        marker = [] if pin.marker is None else [Property(name="lynkrc:when", value=str(pin.marker))]
        files = ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(f"https://pypi.org/project/{pin.name}/{version}/"),
            hashes=[
                HashType(alg=HashAlgorithm.SHA_256, content=h) for h in _HASH.findall(match[0])
            ],
        )
        yield Component(
            type=ComponentType.LIBRARY,
            name=pin.name,
            version=version,
            purl=PackageURL("pypi", name=pin.name, version=version),
            bom_ref=f"{pin.name}@{version}",
            external_references=[files],
            properties=marker,
        )


def main() -> None:
    """Print that of this tree."""
    print(print_sbom(LOCK.read_text("utf-8"), PROJECT.read_text("utf-8")), end="")


if __name__ == "__main__":
    main()
