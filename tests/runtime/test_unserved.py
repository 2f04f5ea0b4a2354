"""What a dispatch table declares and this version does not serve."""

from typing import Any

import pytest
from msgspec.structs import replace

from lynkrc_runtime.dispatch import Dispatch, ProviderSettings
from lynkrc_runtime.served import NOT_SERVED
from lynkrc_runtime.settings import (
    Admin,
    Breaker,
    Cache,
    Concurrency,
    ExactCache,
    Mcp,
    McpServer,
    Memory,
    Observability,
    Optimize,
    Prompts,
    Reload,
    Resilience,
    ResponsesStore,
    RetryBudget,
    Server,
    Settings,
    Timeouts,
)
from lynkrc_runtime.unserved import unserved_parts
from tests.runtime.by_hand import dispatch, provider, target


def table(settings: Settings | None = None, kind: str = "simulator", **rest: Any) -> Dispatch:
    row = provider("one", kind, rest=ProviderSettings(**rest))
    return replace(dispatch([row], [target("one", 0)]), settings=settings or Settings())


def paths(of: Dispatch) -> list[str]:
    return [line.split(": ")[0] for line in unserved_parts(of)]


def test_a_table_without_any_of_it_uses_none() -> None:
    # Looks at every path there is: one that leads nowhere would raise here.
    assert unserved_parts(table()) == []


def test_a_line_says_what_happens_instead() -> None:
    declared = table(Settings(cache=Cache(exact=ExactCache(ttl=60.0))))
    assert unserved_parts(declared) == [f"cache: {NOT_SERVED['cache']}"]


WRITTEN: dict[str, Settings] = {
    "cache": Settings(cache=Cache(exact=ExactCache(ttl=60.0))),
    "optimize": Settings(optimize=Optimize(prompt_cache="auto")),
    "memory": Settings(memory=Memory(scope="key")),
    "mcp": Settings(mcp=Mcp(servers={"one": McpServer(url="https://tools.example")})),
    "observability.prompts": Settings(observability=Observability(prompts=Prompts(store="ask"))),
}


@pytest.mark.parametrize("path", NOT_SERVED)
def test_settings_that_were_written(path: str) -> None:
    assert paths(table(WRITTEN[path])) == [path]


def test_settings_that_are_served_are_not_told() -> None:
    timeouts = Timeouts(connect=1.0, max_stream=60.0, commit_after=1.0)
    declared = Settings(
        resilience=Resilience(
            timeouts=timeouts,
            retry_budget=RetryBudget(share=1),
            breaker=Breaker(failures=1),
            keep_alive=5.0,
        ),
        server=Server(
            body_limit=1_000_000, host="10.0.0.1", admin=Admin(port=9), reload=Reload(watch=True)
        ),
        responses_store=ResponsesStore(ttl=1.0, store="memory"),
    )
    own = {"breaker": Breaker(failures=3), "concurrency": Concurrency(limit=4)}
    assert paths(table(declared, **own)) == []
