"""The unit runs what the runtime takes, gives it time to stop, and leaves it no rights."""

import re
import shlex
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from lynkrc_runtime.__main__ import parser

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "deploy" / "systemd"
UNIT = SYSTEMD / "lynkrc.service"
DROP_IN = SYSTEMD / "lynkrc.service.d" / "credentials.conf"

Settings = dict[tuple[str, str], list[str]]


def read(path: Path) -> Settings:
    """The settings of a unit by section and name, in their order; a line is one setting."""
    found: Settings = defaultdict(list)
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if head := re.fullmatch(r"\[(\w+)\]", line):
            section = head[1]
            continue
        name, equals, value = line.partition("=")
        assert equals and section and name.isalnum(), line
        found[section, name].append(value)
    return found


@pytest.fixture(scope="module")
def unit() -> Settings:
    return read(UNIT)


def test_the_runtime_takes_the_command_and_has_time_to_stop(unit: Settings) -> None:
    (command,) = unit["Service", "ExecStart"]
    program, *words = shlex.split(command)
    assert Path(program).name == "lynkrc-runtime"
    options = parser().parse_args(words)
    (stop,) = unit["Service", "TimeoutStopSec"]
    assert int(stop) >= options.stop_delay + options.drain + 10
    assert unit["Service", "Type"] == ["notify"]
    assert unit["Service", "ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    # A file it writes lies in the one folder it may write to.
    assert options.usage_log.is_relative_to("%S/" + unit["Service", "StateDirectory"][0])
    # Exit code 2 is a mistake of the operator; starting again would loop.
    assert unit["Service", "RestartPreventExitStatus"] == ["2"]


def test_it_has_no_rights(unit: Settings) -> None:
    wanted = {
        "DynamicUser": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "PrivateDevices": "yes",
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "MemoryDenyWriteExecute": "yes",
        "RestrictNamespaces": "yes",
        "SystemCallArchitectures": "native",
        "UMask": "0077",
    }
    assert {name: unit["Service", name] for name in wanted} == {
        name: [value] for name, value in wanted.items()
    }
    # Shedding reads how much memory the machine has from /proc.
    assert ("Service", "ProcSubset") not in unit


def test_secrets_are_credentials_and_those_of_the_spec() -> None:
    loaded = [one.split(":") for one in read(DROP_IN)["Service", "LoadCredential"]]
    assert all(Path(path).name == name for name, path in loaded)
    spec = (ROOT / "deploy" / "compose" / "routing.yaml").read_text(encoding="utf-8")
    assert {name for name, _ in loaded} == set(re.findall(r"\$\{(\w+)\}", spec))


def test_systemd_reads_it(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd is installed")
    text = UNIT.read_text(encoding="utf-8")
    (tmp_path / UNIT.name).write_text(text.replace("/opt/lynkrc/bin/lynkrc-runtime", "/bin/true"))
    shutil.copytree(DROP_IN.parent, tmp_path / DROP_IN.parent.name)
    done = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / UNIT.name)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert (done.returncode, said) == (0, [])
