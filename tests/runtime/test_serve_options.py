"""Where a process listens: the command line, then the bundle, then what is usual."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.server.control import Assignment, read_assignment, write_assignment
from lynkrc_runtime.server.options import Options, addresses, apart, refuse_memory
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.settings import Admin, Key, Limit, Server, Sessions, Settings, State
from tests.runtime.by_hand import dispatch, provider, target

BUNDLE = Path("a.lynkr")
KEYS = {"k": Key(sha256="0" * 64)}


def test_the_command_line_comes_before_the_bundle() -> None:
    declared = Settings(server=Server(host="${HOST:-::1}", port=90, admin=Admin(port=91)))
    found = addresses(Options(bundle=BUNDLE), declared, {})
    assert (found.hosts, found.port, found.admin_port) == (("::1",), 90, 91)
    chosen = Options(bundle=BUNDLE, host="127.0.0.1", port=0, admin_port=0)
    found = addresses(chosen, declared, {})
    assert (found.hosts, found.port, found.admin_port) == (("127.0.0.1",), 0, 0)


def test_what_nobody_says_is_usual() -> None:
    found = addresses(Options(bundle=BUNDLE), Settings(), {})
    assert found.hosts == found.admin_hosts == ("127.0.0.1", "::1")
    assert (found.port, found.admin_port) == (8081, 8082)


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (Server(host="${NO_SUCH_HOST}"), "NO_SUCH_HOST is not set"),
        (Server(host="0.0.0.0"), "server.host 0.0.0.0"),
        (Server(admin=Admin(host="0.0.0.0")), "server.admin.token"),
        (Server(port=8082), "both 8082"),
    ],
)
def test_what_would_open_the_gateway_is_refused(server: Server, words: str) -> None:
    with pytest.raises(CannotServe, match=words):
        addresses(Options(bundle=BUNDLE), Settings(server=server), {})


def test_keys_and_tokens_are_locks() -> None:
    server = Server(host="0.0.0.0", admin=Admin(host="0.0.0.0", token="${TOKEN}"))
    found = addresses(Options(bundle=BUNDLE), Settings(server=server, keys=KEYS), {})
    assert found.hosts == found.admin_hosts == ("0.0.0.0",)


def test_several_workers_need_one_store() -> None:
    several = Options(bundle=BUNDLE, workers=2)
    limits = [Limit(name="l", requests=1)]
    refuse_memory(several, Settings())
    refuse_memory(Options(bundle=BUNDLE), Settings(limits=limits))
    refuse_memory(several, Settings(limits=limits, state=State(store="redis")))
    with pytest.raises(CannotServe, match="limits, sessions: with 2 workers"):
        refuse_memory(several, Settings(limits=limits, sessions=Sessions(within="session")))


def test_what_workers_know_each_for_itself_is_told() -> None:
    several = Options(bundle=BUNDLE, workers=3)
    far = provider("far", "simulator", rest=ProviderSettings(concurrency=4))
    table = dispatch([far, provider("near", "simulator")], [target("t", 0)])
    turns, calls = apart(several, table)
    assert turns.startswith("sessions: ") and "3 times 4" in calls
    assert calls.startswith("providers.far.concurrency: ")
    assert apart(Options(bundle=BUNDLE), table) == []
    for settings in (
        Settings(sessions=Sessions(within="off")),
        Settings(state=State(store="redis")),
    ):
        assert apart(several, replace(table, settings=settings)) == [calls]


def test_a_dry_run_of_several_says_that_each_counts_for_itself() -> None:
    shared = Settings(state=State(store="sqlite", path="s"), limits=[Limit(name="l", requests=1)])
    table = replace(dispatch([provider("p", "anthropic")], [target("t", 0)]), settings=shared)
    (told,) = apart(Options(bundle=BUNDLE, workers=2, dry_run=True), table)
    assert told.startswith("limits: a dry run keeps them in memory")
    assert apart(Options(bundle=BUNDLE, workers=2), table) == []


def test_an_assignment_survives_a_command_line() -> None:
    options = Options(bundle=BUNDLE, workers=3, drain=1.5, usage_log=Path("u.jsonl"))
    assignment = Assignment(
        version=1,
        number=1,
        options=options,
        bundle=Path("/tmp/copy"),
        folder=Path("/tmp/w"),
        sockets=(3, 4),
        life=5,
    )
    assert read_assignment(write_assignment(assignment)) == assignment
    with pytest.raises(ValueError, match="version 2"):
        read_assignment(write_assignment(assignment).replace('"version":1', '"version":2'))
