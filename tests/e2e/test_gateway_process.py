"""The gateway as a process: how it starts, refuses to start, serves, and stops.

Where it is about a start or an end, it is a start of Python.
"""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientPayloadError, ClientSession

from lynkrc_runtime.dispatch import Provider
from tests.e2e import small_bundle
from tests.e2e.gateway import PATIENCE, refused, serving
from tests.e2e.scripted_answers import Said, render, stopped_after
from tests.e2e.upstream_server import one_face
from tests.runtime.by_hand import CHAT, MESSAGES, body, dispatch, provider, target

JSON = {"content-type": "application/json"}


def bundle(folder: Path, *providers: Provider) -> Path:
    table = dispatch(providers, [target(f"t{number}", number) for number in range(len(providers))])
    return small_bundle.write(folder / "by-hand.lynkr", small_bundle.files(table))


def test_a_missing_variable_is_named_with_its_provider(tmp_path: Path) -> None:
    made = bundle(
        tmp_path,
        provider("first", "openai", api_key="${FIRST_KEY}"),
        provider("second", "anthropic", api_key="${SECOND_KEY}"),
    )
    said = refused(made, environ={"SECOND_KEY": ""})
    assert "provider first: environment variable FIRST_KEY is not set" in said
    assert "provider second: environment variable SECOND_KEY is not set" in said


def test_an_address_that_lacks_its_place_is_named_with_its_provider(tmp_path: Path) -> None:
    made = bundle(
        tmp_path,
        provider("first", "openai", api_key="${FIRST_KEY}"),
        provider("rock", "bedrock", base_url=None, api_key="${ROCK_KEY}"),
    )
    said = refused(made, environ={"FIRST_KEY": "k", "ROCK_KEY": "k"})
    assert "provider rock: the address of kind bedrock needs a region" in said
    assert "provider first" not in said
    # Simulated, its models answer like any others.
    with serving(made, tmp_path / "log", ["--dry-run"]) as gateway:
        assert not [line for line in gateway.lines if line["event"] == "not-served"]


def test_a_broken_bundle_is_named(tmp_path: Path) -> None:
    assert "nowhere.lynkr" in refused(tmp_path / "nowhere.lynkr")
    made = bundle(tmp_path, provider("sim", "simulator"))
    made.write_bytes(made.read_bytes()[:-40])
    assert "by-hand.lynkr" in refused(made, is_forked=False)


def test_the_network_is_not_opened_by_accident(tmp_path: Path) -> None:
    made = bundle(tmp_path, provider("sim", "simulator"))
    assert "--insecure-open" in refused(made, "--host", "0.0.0.0")


def test_a_taken_port_is_an_error(tmp_path: Path) -> None:
    made = bundle(tmp_path, provider("sim", "simulator"))
    with serving(made, tmp_path / "log") as gateway:
        port = gateway.url.rsplit(":", 1)[1]
        said = refused(made, "--port", port)
        assert f"port {port} of 127.0.0.1 is in use; --port chooses another" in said
        assert "--admin-port chooses another" in refused(made, "--admin-port", port)


def test_one_port_is_not_for_both(tmp_path: Path) -> None:
    made = bundle(tmp_path, provider("sim", "simulator"))
    said = refused(made, "--port", "18181", "--admin-port", "18181")
    assert "--port and --admin-port are both 18181" in said


@pytest.mark.parametrize("port", ["http", "65536", "-1", "8_081"])
def test_what_is_no_port_is_said_in_words(tmp_path: Path, port: str) -> None:
    said = refused(bundle(tmp_path, provider("sim", "simulator")), f"--port={port}")
    assert f"a port is 0 to 65535, not {port!r}" in said


@pytest.mark.parametrize("stream", [False, True])
async def test_a_dry_run_needs_no_credentials(tmp_path: Path, stream: bool) -> None:
    made = bundle(tmp_path, provider("first", "openai", api_key="${FIRST_KEY}"))
    with serving(made, tmp_path / "log", ["--dry-run"], is_forked=False) as gateway:
        async with ClientSession() as session:
            for path, dialect in (("/v1/messages", MESSAGES), ("/v1/chat/completions", CHAT)):
                async with session.post(
                    gateway.url + path, data=body(dialect, stream=stream), headers=JSON
                ) as answer:
                    content = await answer.read()
                assert answer.status == 200
                assert b"simulated" in content
                assert answer.headers["x-lynkr-simulated"] == "1"
            async with session.get(gateway.admin + "/routing/table") as answer:
                assert await answer.text() == "one row\n"
            async with session.get(gateway.admin + "/metrics") as answer:
                assert 'target="t0"' in await answer.text()
        assert gateway.stop() == 0
        assert [line["class"] for line in gateway.requests] == ["served", "served"]
        assert gateway.ready["bundle"] == "d" * 64


async def test_a_leaving_client_makes_the_gateway_hang_up(tmp_path: Path) -> None:
    async with one_face() as upstream:
        made = bundle(tmp_path, provider("far", "anthropic-compatible", base_url=upstream.url))
        upstream.behaviours = ["hang"]
        with serving(made, tmp_path / "log") as gateway:
            async with (
                ClientSession() as session,
                session.post(
                    gateway.url + "/v1/messages", data=body(stream=True), headers=JSON
                ) as answer,
            ):
                assert await answer.content.readany()
                answer.close()
                await asyncio.wait_for(upstream.wait_for_hang_up(), PATIENCE)
            assert gateway.stop() == 0
            assert [line["class"] for line in gateway.requests] == ["aborted"]


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
async def test_a_cut_upstream_ends_in_an_error_event(tmp_path: Path, dialect: str) -> None:
    async with one_face() as upstream:
        made = bundle(tmp_path, provider("far", "anthropic-compatible", base_url=upstream.url))
        whole = render(Said(text="half of it"), MESSAGES, {"stream": True, "model": "model-t0"})
        upstream.behaviours = [stopped_after(whole, b"half of")]
        with serving(made, tmp_path / "log") as gateway:
            path = "/v1/messages" if dialect == MESSAGES else "/v1/chat/completions"
            async with (
                ClientSession() as session,
                session.post(
                    gateway.url + path, data=body(dialect, stream=True), headers=JSON
                ) as answer,
            ):
                content = await answer.content.readuntil(b"half of")
                upstream.let_go.set()
                content += await answer.read()
            assert b'"error"' in content
            assert b"[DONE]" not in content and b"message_stop" not in content
            gateway.stop()
            assert [line["class"] for line in gateway.requests] == ["broken"]


async def test_a_stop_lets_running_requests_end(tmp_path: Path) -> None:
    async with one_face() as upstream:
        made = bundle(tmp_path, provider("far", "anthropic-compatible", base_url=upstream.url))
        upstream.behaviours = ["hang"]
        with serving(made, tmp_path / "log", is_forked=False) as gateway:
            async with (
                ClientSession() as session,
                session.post(
                    gateway.url + "/v1/messages", data=body(stream=True), headers=JSON
                ) as answer,
            ):
                assert await answer.content.readany()
                gateway.process.terminate()
                while True:
                    async with session.get(gateway.admin + "/health/ready") as probe:
                        if probe.status == 503:
                            break
                assert gateway.process.poll() is None, "it waits for the running stream"
                answer.close()
            assert await asyncio.to_thread(gateway.process.wait, PATIENCE) == 0


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with one_face() as upstream:
        made = bundle(tmp_path, provider("far", "anthropic-compatible", base_url=upstream.url))
        upstream.behaviours = ["hang"]
        with serving(made, tmp_path / "log", is_forked=False) as gateway:
            async with (
                ClientSession() as session,
                session.post(
                    gateway.url + "/v1/messages", data=body(stream=True), headers=JSON
                ) as answer,
            ):
                assert await answer.content.readany()
                gateway.process.terminate()
                while True:
                    async with session.get(gateway.admin + "/health/ready") as probe:
                        if probe.status == 503:
                            break
                gateway.process.terminate()
                with pytest.raises(ClientPayloadError):
                    await answer.read()
            assert await asyncio.to_thread(gateway.process.wait, PATIENCE) != 0
