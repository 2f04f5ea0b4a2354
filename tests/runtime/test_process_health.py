"""What a process knows of targets, across the bundles it serves one after the other."""

import asyncio
import dataclasses

import pytest
from msgspec.structs import replace

from lynkrc_runtime.dispatch import Dispatch, ProviderSettings
from lynkrc_runtime.server.process import CannotServe, Process, assemble, install
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.settings import Breaker, Key
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.metrics import Metrics
from tests.runtime.by_hand import (
    Said,
    Script,
    Scripted,
    ask,
    body,
    dispatch,
    policy,
    provider,
    route_all,
    target,
)
from tests.runtime.virtual_time import run


def bundle(*names: str) -> Dispatch:
    rest = ProviderSettings(breaker=Breaker(failures=1))
    return dispatch(
        [provider("p", "anthropic", retries=0, rest=rest)], [target(name, 0) for name in names]
    )


def process(upstream: Scripted, said: Said) -> Process:
    return Process(
        settings=Settings(),
        environ={"KEY": "secret-key"},
        http=upstream,
        log=Log(write=said.write, clock=lambda: 1_700_000_000.0),
        metrics=Metrics(version="0"),
    )


def test_a_breaker_stays_open_over_a_reload_and_a_changed_target_starts_anew() -> None:
    upstream, said = Scripted({"one": [Script(status=500)] * 2}), Said()
    made = process(upstream, said)
    first = assemble(policy(bundle("one")), made)
    install(first, made)
    second = assemble(policy(bundle("two", "one")), made)
    changed = bundle("one")
    changed = replace(changed, targets=[replace(changed.targets[0], model="other")])

    async def main() -> None:
        await ask(first, body())
        install(second, made)
        text = made.metrics.render().decode()
        assert 'lynkr_breaker_state{target="one"} 2.0' in text
        assert 'lynkr_breaker_state{target="two"} 0.0' in text
        third = assemble(policy(changed), made)
        install(third, made)
        assert 'lynkr_breaker_state{target="two"}' not in made.metrics.render().decode()
        await ask(third, body())

    run(main())
    assert upstream.called == ["one", "one"]
    opened = [line["target"] for line in said.lines if line["event"] == "breaker"]
    assert opened == ["one", "one"]


def test_a_dry_run_says_which_keys_it_goes_without() -> None:
    said = Said()
    keys = {"a": Key(secret="${NOT_SET}"), "b": Key(secret="${SET}")}
    table = replace(bundle("one"), settings=Declared(keys=keys))
    made = process(Scripted({}), said)
    with pytest.raises(CannotServe, match="key a: environment variable NOT_SET"):
        assemble(
            policy(table, route_all),
            dataclasses.replace(made, environ={"KEY": "k", "SET": "sesame"}),
        )
    dry = dataclasses.replace(made, environ={"SET": "sesame"}, settings=Settings(dry_run=True))
    assert len(assemble(policy(table, route_all), dry).keys) == 1
    assert said.lines[-1]["event"] == "key-left-out" and said.lines[-1]["key"] == "a"


def test_a_bundle_that_cannot_be_served_changes_nothing_that_is_known() -> None:
    upstream, said = Scripted({"one": [Script(status=500)]}), Said()
    made = process(upstream, said)
    first = assemble(policy(bundle("one")), made)
    install(first, made)
    run(ask(first, body()))
    broken = bundle("one")
    broken = replace(broken, providers=[replace(broken.providers[0], api_key="${MISSING}")])
    with pytest.raises(CannotServe):
        assemble(policy(broken), made)
    again = assemble(policy(bundle("one")), made)
    closed = again.watch.closed(0, 1.0)
    assert closed is not None and closed.until == 30.0


@pytest.mark.parametrize("is_there", [True, False])
def test_the_end_of_an_old_bundles_request_tells_nothing_of_what_serves_now(is_there: bool) -> None:
    """Its target is gone: it has no breaker to read of, and one of its name is another."""
    upstream, said = Scripted({"one": [Script(status=500, before=10.0)]}), Said()
    made = process(upstream, said)
    first = assemble(policy(bundle("one")), made)
    install(first, made)
    other = bundle("one" if is_there else "two")
    other = replace(other, targets=[replace(other.targets[0], model="other")])

    async def main() -> None:
        asking = asyncio.create_task(ask(first, body()))
        await asyncio.sleep(5.0)
        second = assemble(policy(other), made)
        install(second, made)
        assert (await asking).status == 529
        text = made.metrics.render().decode()
        assert ('lynkr_breaker_state{target="one"} 0.0' in text) is is_there
        assert 'lynkr_breaker_state{target="one"} 2.0' not in text
        third = assemble(policy(bundle("one")), made)
        install(third, made)
        assert third.watch.closed(0, 11.0) is None

    run(main())
    assert [line for line in said.lines if line["event"] == "breaker"] == []
