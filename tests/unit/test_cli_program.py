"""``lynkrc`` as a program: exit codes, pipes and terminals, NO_COLOR, what it imports, `serve`."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lynkrc import __version__
from lynkrc.__main__ import LASTING
from lynkrc.cli.main import COMMANDS
from tests.unit.cli_sample import BROKEN, ROOT, SPEC, environment, program

QUICKSTART = ROOT / "examples" / "quickstart" / "routing.yaml"
pty = pytest.importorskip("pty", reason="no terminals here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "routing.yaml").write_text(SPEC)
    (tmp_path / "broken.yaml").write_text(BROKEN)
    return tmp_path


def on_a_terminal(*words: str, cwd: Path, env: Mapping[str, str]) -> str:
    """What the program writes when its output is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "lynkrc", *words],
        cwd=cwd,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        pieces = []
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError as error:
                # Linux says so when the other end of a terminal is closed.
                assert error.errno == errno.EIO
                break
            if not piece:
                break
            pieces.append(piece)
        process.wait()
    os.close(ours)
    return b"".join(pieces).decode()


def test_exit_codes_of_the_program(folder: Path) -> None:
    assert program("check", cwd=folder).returncode == 0
    assert program("check", "broken.yaml", cwd=folder).returncode == 1
    assert program("check", "missing.yaml", cwd=folder).returncode == 2


def test_the_version_and_the_help(folder: Path) -> None:
    assert program("--version", cwd=folder).stdout == f"lynkrc {__version__}\n"
    helped = program("--help", cwd=folder)
    assert helped.returncode == 0
    for name, summary in COMMANDS:
        # The longest names have a line of their own.
        assert re.search(rf"^    {name}\s+{re.escape(summary)}$", helped.stdout, re.M)


@pytest.mark.parametrize("words", [[], ["chek"], ["check", "--colour"], ["check", "a", "b"]])
def test_words_that_mean_nothing_exit_2(words: list[str], folder: Path) -> None:
    done = program(*words, cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("usage: lynkrc")


@pytest.mark.parametrize(
    ("words", "usage", "told"),
    [
        (["trce", "r.json"], "lynkrc", "there is no command `trce`; did you mean `trace`?"),
        (["frobnicate"], "lynkrc", "no command `frobnicate`; `lynkrc --help` lists all"),
        (
            ["trace", "r.json", "--sufrace", "chat"],
            "lynkrc trace",
            "no option of `lynkrc trace`: --sufrace chat; did you mean `--surface`?",
        ),
        (
            ["check", "--formta=json"],
            "lynkrc check",
            "no option of `lynkrc check`: --formta=json; did you mean `--format`?",
        ),
        (
            ["keys", "create", "ana", "--tem", "web"],
            "lynkrc keys create",
            "no option of `lynkrc keys create`: --tem web; did you mean `--team`?",
        ),
        (["check", "--zz"], "lynkrc check", "no option of `lynkrc check`: --zz\n"),
        (["check", "a", "b\x1b[1m"], "lynkrc check", "too many arguments: b\\u{1b}[1m\n"),
        (["check", "a", "-"], "lynkrc check", "too many arguments: -\n"),
        (
            ["wrap", "claude", "-p", "Hi\x1b[1m"],
            "lynkrc wrap",
            "no option of `lynkrc wrap`: -p Hi\\u{1b}[1m; put the program's own after `--`\n",
        ),
    ],
)
def test_a_slip_is_told_with_what_was_meant(
    words: list[str], usage: str, told: str, folder: Path
) -> None:
    done = program(*words, cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: {usage} [-h]")
    assert told in done.stderr
    assert f"\n{usage}: error: " in done.stderr


def test_a_pipe_gets_plain_text(folder: Path) -> None:
    assert "\x1b" not in program("check", "broken.yaml", cwd=folder).stdout


def test_a_terminal_gets_colour(folder: Path) -> None:
    text = on_a_terminal("check", "broken.yaml", cwd=folder, env=environment(TERM="xterm"))
    assert "\x1b[1;31merror[LK401]\x1b[0m" in text


def test_colour_can_be_forced(folder: Path) -> None:
    done = program("check", "broken.yaml", cwd=folder, env=environment(FORCE_COLOR="1"))
    assert "\x1b[1;31merror[LK401]\x1b[0m" in done.stdout
    env = environment(FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b" not in program("check", "broken.yaml", cwd=folder, env=env).stdout
    env = environment(FORCE_COLOR="1")
    assert (
        "\x1b"
        not in program("check", "broken.yaml", "--format", "concise", cwd=folder, env=env).stdout
    )


def test_a_page_is_set_for_the_terminal(folder: Path) -> None:
    env = environment(TERM="xterm", COLUMNS="50")
    lines = on_a_terminal("explain", "LK101", cwd=folder, env=env).splitlines()
    assert lines[0] == "\x1b[1mLK101: unknown-key\x1b[0m"
    assert "\x1b[1mFails\x1b[0m" in lines
    assert not any(line.startswith("```") for line in lines)
    plain = on_a_terminal("explain", "LK101", cwd=folder, env=env | {"NO_COLOR": "1"})
    assert "\x1b" not in plain
    assert max(len(line) for line in plain.splitlines() if not line.startswith("    ")) <= 50


@pytest.mark.parametrize("change", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_declined(change: dict[str, str], folder: Path) -> None:
    env = environment(**({"TERM": "xterm"} | change))
    text = on_a_terminal("check", "broken.yaml", cwd=folder, env=env)
    assert "error[LK401]" in text
    assert "\x1b" not in text


def test_lines_fit_the_terminal(folder: Path) -> None:
    spec = SPEC.replace("model: tiny}", "model: tiny, context: 128k, capabilitys: [tools, vision]}")
    (folder / "wide.yaml").write_text(spec)
    env = environment(TERM="xterm", NO_COLOR="1", COLUMNS="60")
    lines = on_a_terminal("check", "wide.yaml", cwd=folder, env=env).splitlines()
    marked = [line for line in lines if line.startswith(("6 |", "  |"))]
    assert len(marked) > 2
    assert max(len(line) for line in marked) <= 60
    under = next(line for line in marked if "^" in line)
    source = next(line for line in marked if "capabilitys" in line)
    assert source[under.index("^") :].startswith("capabilitys")


def test_a_screen_without_such_letters_still_shows_the_finding(folder: Path) -> None:
    (folder / "words.yaml").write_text(SPEC.replace("name: legal", "name: größe"), encoding="utf-8")
    env = environment(PYTHONIOENCODING="ascii")
    done = program("check", "words.yaml", cwd=folder, env=env)
    assert done.returncode == 1
    assert "`gr\\xf6\\xdfe` is not a valid `name`" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["schema", "routing"], ["check", "broken.yaml"], ["explain"]])
def test_a_reader_who_leaves_is_no_failure(words: list[str], unbuffered: str, folder: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "lynkrc", *words],
            cwd=folder,
            env=environment() | {"PYTHONUNBUFFERED": unbuffered},
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def imported(folder: Path, *words: str, **changes: str) -> set[str]:
    """The packages and modules a command has imported when it ends."""
    code = (
        "import sys\n"
        "from lynkrc.cli.main import main\n"
        f"code = main({list(words)!r})\n"
        "sys.stderr.write(' '.join(sorted(sys.modules)))\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


HEAVY = {
    "aiohttp",
    "Cython",
    "jinja2",
    "jsonschema",
    "lark",
    "msgspec",
    "uvloop",
    "yaml",
    "asyncio",
}


@pytest.mark.parametrize("words", [["explain", "LK101"], ["explain"], ["schema", "routing"]])
def test_reading_imports_nothing_heavy(words: list[str], folder: Path) -> None:
    modules = imported(folder, *words)
    assert modules & HEAVY == set()
    assert not any(name.startswith("lynkrc.sema") for name in modules)


def test_a_check_imports_nothing_that_only_a_build_needs(folder: Path) -> None:
    modules = imported(folder, "check")
    # The catalog's facts are the runtime's structs, hence msgspec.
    assert modules & HEAVY == {"yaml", "lark", "jsonschema", "msgspec"}
    rooms = {name.split(".")[1] for name in modules if name.startswith("lynkrc.")}
    assert rooms & {"codegen", "native", "bundle"} == set()
    # Facts of providers and dialects, and none of the code that speaks to them; proofs know what
    # a conversation is made of.
    known = {"conversation", "embeddings", "embeddings.takes", "losses", "shapes"}
    rest = {
        name.removeprefix("lynkrc_runtime.protocol.")
        for name in modules
        if name.startswith("lynkrc_runtime.protocol.")
    }
    assert {name for name in rest if not name.startswith("losses.")} == known
    assert (
        modules & {"botocore", "google.auth", "email", "lynkrc_runtime.providers.signers"} == set()
    )


def test_a_build_imports_no_gateway(folder: Path) -> None:
    modules = imported(folder, "build", "--quiet", "-o", "out", LYNKRC_CACHE="")
    # Mails: what is kept follows from what is installed, which is written as one.
    assert modules & {"aiohttp", "uvloop", "Cython", "email"} == set()


def test_a_build_is_over_before_the_collector_looks(folder: Path) -> None:
    """Commands that last have theirs look sooner."""
    assert {name for name, _ in COMMANDS} > LASTING
    code = (
        "import gc, sys\n"
        "from lynkrc.__main__ import main\n"
        "looked = []\n"
        "gc.collect()\n"
        "gc.callbacks.append(lambda phase, _: looked.append(phase))\n"
        f"sys.argv[1:] = ['build', {str(QUICKSTART)!r}, '--quiet', '-o', 'out']\n"
        "code = main()\n"
        "sys.exit(code or len(looked))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(LYNKRC_CACHE=""), check=False
    )
    assert done.returncode == 0


def test_serve_takes_the_runtime_s_arguments_in_any_order(folder: Path) -> None:
    helped = program("serve", "--help", cwd=folder)
    assert helped.returncode == 0
    assert "--dry-run" in helped.stdout and "--admin-port" in helped.stdout
    for words in (["--dry-run", "missing.lynkr"], ["missing.lynkr", "--dry-run"]):
        done = program("serve", *words, cwd=folder)
        assert done.returncode == 2
        assert "missing.lynkr: cannot be read" in done.stderr
        assert done.stdout == ""


def test_serve_without_a_bundle_exits_2(folder: Path) -> None:
    assert program("serve", cwd=folder).returncode == 2
    done = program("serve", ".", cwd=folder)
    assert done.returncode == 2
    assert "holds 0 files *.lynkr, not one" in done.stderr


AT_THE_END = """\
import gc, sys
from lynkrc.__main__ import main
code = main()
assert gc.isenabled() and gc.get_freeze_count() > 10_000, gc.get_freeze_count()
sys.exit(code)
"""


@pytest.mark.parametrize(("spec", "code"), [("routing.yaml", 0), ("broken.yaml", 1)])
def test_nothing_is_collected_when_the_program_ends(folder: Path, spec: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END, "check", spec],
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "AssertionError" not in done.stderr
