"""A bundle from a server, over TLS: fetched, polled for, tampered with, kept, and served again."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from aiohttp import web

from lynkrc_runtime.server.begin import _first as begin_with
from lynkrc_runtime.server.begin import begin
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.server.remote import SOON, RemoteBundle
from lynkrc_runtime.server.remote_server import Asked
from lynkrc_runtime.settings import Server
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.signature import signature_path
from lynkrc_runtime.telemetry.reloads import Result
from tests.e2e import versions
from tests.e2e.hostile_server import Hostile, reply
from tests.e2e.proxy_server import proxy_before
from tests.runtime.bundle_host import BUNDLE, SIGNATURES, BundleHost, Papers, papers, signed
from tests.runtime.bundle_lab import TRUST, WRONG, Lab, gone, lab_of, status


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture
async def lab(tmp_path: Path, ours: Papers) -> AsyncIterator[Lab]:
    async with lab_of(tmp_path, ours) as made:
        yield made


# -- what is as it should be -------------------------------------------------------------------


async def test_a_bundle_is_fetched_once_and_then_asked_for(lab: Lab) -> None:
    lab.asked = Asked(ca=lab.asked.ca, cache=lab.asked.cache, poll=(60, 100))
    served = await lab.started()
    assert served.version == 1 and served.degraded == []
    await served.polls(3)
    assert lab.host.answers == {
        (BUNDLE, 200): 1,
        (SIGNATURES, 200): 1,
        (BUNDLE, 304): 3,
        (SIGNATURES, 304): 3,
    }
    assert lab.waits == [80.0] * 4
    assert (served.counted("fetched"), served.counted("unchanged")) == (1, 3)
    lab.offers(2)
    await served.polls()
    assert served.version == 2
    told = [(one["old_sha256"] is None, len(one["sha256"])) for one in lab.events("bundle-fetched")]
    assert told == [(True, 64), (False, 64)]
    text = served.remote.fetches.render().decode()
    assert "lynkr_bundle_last_success_timestamp_seconds 1.8e+09" in text


async def test_without_etags_digests_are_compared(lab: Lab) -> None:
    lab.host.has_tags = False
    served = await lab.started()
    await served.polls(2)
    assert lab.host.answers == {(BUNDLE, 200): 3, (SIGNATURES, 200): 3}
    assert served.counted("unchanged") == 2
    assert lab.events("reload") == []
    lab.offers(2)
    await served.polls()
    assert served.version == 2


async def test_a_bundle_that_is_only_signed_anew_is_kept_so(lab: Lab) -> None:
    served = await lab.started()
    lab.offers(1, 1, 2)
    await served.polls()
    assert lab.host.answers[BUNDLE, 304] == 1
    assert served.counted("fetched") == 2
    assert lab.host.pair[1] in lab.server().kept.read_bytes()


async def test_an_operator_s_order_asks_at_once(lab: Lab) -> None:
    served = await lab.started()
    assert (await served.remote.reload()).result is Result.UNCHANGED
    lab.offers(2)
    ended = await served.remote.reload()
    assert (ended.result, ended.new) == (Result.RELOADED, versions.digest(2))
    lab.host.instead[BUNDLE] = status(503)
    ended = await served.remote.reload()
    assert (ended.result, ended.old) == (Result.FAILED, ended.new)
    assert ended.reason == f"{lab.host.url}: answered 503"
    assert served.degraded == ["bundle-server"]


# -- what is not -------------------------------------------------------------------------------


async def test_what_a_server_does_wrong_is_told_and_changes_nothing(lab: Lab) -> None:
    served = await lab.started()
    lab.offers(2)
    for path, answer, result, words in WRONG:
        lab.host.instead = {path: answer}
        before = served.counted(result)
        await served.polls()
        assert served.counted(result) == before + 1, result
        told = lab.events("bundle-fetch-failed")[-1]
        assert told["result"] == result and words in told["reason"], told
        assert served.version == 1 and served.degraded == ["bundle-server"]
    assert told["failures"] == len(WRONG)
    lab.host.instead = {}
    await served.polls()
    assert served.version == 2 and served.degraded == []
    assert lab.events("bundle-server-back")[0]["failures"] == len(WRONG)
    assert lab.events("reload")[0]["result"] == "reloaded"


async def test_a_server_that_fails_is_asked_less_and_less(lab: Lab) -> None:
    served = await lab.started()
    lab.host.instead = {BUNDLE: status(503)}
    lab.draws = 0.25
    await served.polls(9)
    assert lab.waits == [75.0, *(0.625 * min(SOON * 2**n, 120) for n in range(9))]
    lab.draws = 0.999
    assert 59 < served.remote.pause() < 120


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


async def test_no_byte_that_was_changed_on_the_way_is_served(lab: Lab) -> None:
    served = await lab.started()
    bundle, signatures = signed(lab.folder, 2)
    stranger = signed(lab.folder, 2, 9)[1]
    other = signed(lab.folder, 3)[1]
    pairs = [
        *((_flipped(bundle, at), signatures) for at in range(0, len(bundle), len(bundle) // 3)),
        *((bundle, _flipped(signatures, at)) for at in range(0, len(signatures), 400)),
        (bundle[:-1], signatures),
        (bundle + b"\0", signatures),
        (bundle, signatures[:-1]),
        (bundle, b""),
        (b"", signatures),
        (bundle, stranger),
        (bundle, other),
        (signatures, bundle),
    ]
    for pair in pairs:
        lab.host.pair = pair
        assert (await served.remote.reload()).result is Result.FAILED
        assert served.version == 1
    assert served.counted("untrusted") == len(pairs)
    assert lab.events("reload") == []
    lab.host.pair = bundle, signatures
    await served.remote.reload()
    assert served.version == 2 and served.degraded == []


async def test_a_pair_that_changes_between_two_questions_is_asked_for_again(lab: Lab) -> None:
    served = await lab.started()
    second, third = signed(lab.folder, 2), signed(lab.folder, 3)
    lab.host.pair = second

    def swap(path: str) -> None:
        lab.host.pair = third

    lab.host.after = swap
    assert (await served.remote.reload()).result is Result.RELOADED
    assert served.version == 3 and lab.agains == 1
    assert served.counted("untrusted") == 0


async def test_a_half_that_is_said_to_be_unchanged_and_is_not(lab: Lab) -> None:
    """A server that makes ETags of times and sizes says so of what came within the same second."""
    served = await lab.started()
    await served.polls()

    async def stale(request: web.Request) -> web.StreamResponse:
        if "if-none-match" in request.headers:
            return web.Response(status=304)
        return web.Response(body=lab.host.pair[0])

    lab.host.instead = {BUNDLE: stale}
    lab.offers(2)
    assert (await served.remote.reload()).result is Result.RELOADED
    assert served.version == 2 and lab.agains == 1


async def test_a_signed_bundle_that_cannot_serve_here_is_tried_again_ever_later(lab: Lab) -> None:
    served = await lab.started()
    lab.offers(2, settings=Declared(server=Server(port=9)))
    await served.polls(9)
    assert served.version == 1
    assert served.degraded == ["reload", "bundle-server"]
    assert served.counted("refused") == 9
    # At the first question, and after 1, 2, 4 and 8 that failed.
    assert len(lab.events("reload")) == 5
    assert "server.port" in lab.events("bundle-fetch-failed")[-1]["reason"]
    ended = await served.remote.reload()
    assert ended.reason == f"{lab.host.url}: a change of server.port needs a restart"
    assert len(lab.events("reload")) == 6
    lab.offers(1)
    await served.polls()
    assert served.degraded == []
    # What never served is not what a restart gets.
    assert lab.host.pair[0] in lab.server().kept.read_bytes()


async def test_a_token_is_shown_and_told_to_nobody(lab: Lab) -> None:
    lab.host.token = "secret-of-the-bundle-server"
    lab.environ["BUNDLE_TOKEN"] = lab.host.token
    lab.asked = Asked(ca=lab.asked.ca, cache=lab.asked.cache, token_env="BUNDLE_TOKEN")
    served = await lab.started()
    assert served.version == 1
    assert lab.host.token not in f"{lab.server()!r}{lab.log}"
    # One in a file is read at every question.
    file = lab.folder / "token"
    file.write_text(f"{lab.host.token}\n")
    lab.asked = Asked(ca=lab.asked.ca, cache=lab.asked.cache, token_file=file)
    served = await lab.started()
    file.write_text("another")
    assert "answered 401" in str((await served.remote.reload()).reason)
    file.unlink()
    assert "cannot be read" in str((await served.remote.reload()).reason)
    assert (served.counted("denied"), served.counted("token")) == (1, 1)


async def test_nobody_without_the_certificate_is_heard(lab: Lab, tmp_path: Path) -> None:
    other = papers(tmp_path)
    lab.asked = Asked(ca=other.ca, cache=lab.asked.cache)
    with pytest.raises(CannotServe, match=r"its certificate is not trusted: .*issuer"):
        await lab.remote().first()
    wrong = papers(tmp_path, "elsewhere.test")
    host = BundleHost(pair=lab.host.pair)
    async with host.running(wrong.context):
        lab.host, lab.asked = host, Asked(ca=wrong.ca, cache=lab.asked.cache)
        with pytest.raises(CannotServe, match=r"its certificate is not trusted: .*127\.0\.0\.1"):
            await lab.remote().first()
    assert host.answers == {}


async def test_a_server_behind_a_proxy(tmp_path: Path) -> None:
    """No such name is known to anybody but the proxy."""
    theirs = papers(tmp_path, "bundles.test")
    host = BundleHost(pair=signed(tmp_path, 1), token="hush-hush")
    async with host.running(theirs.context):
        upstream = Hostile(says=reply("", []), url=host.url.removesuffix(BUNDLE))
        async with proxy_before(upstream) as proxy:
            environ = {"https_proxy": f"http://me:pa55@{proxy.address}", "TOKEN": "hush-hush"}
            asked = Asked(ca=theirs.ca, cache=tmp_path / "cache", token_env="TOKEN")
            lab = Lab(folder=tmp_path, host=host, asked=asked, environ=environ)
            host.url = f"https://bundles.test{BUNDLE}"
            served = await lab.started()
            assert served.version == 1
            told = lab.events("bundle-server")[0]["proxy"]
            assert told == f"http://{proxy.address}" and "pa55" not in "".join(lab.log)
            assert proxy.heads[0].startswith(b"CONNECT bundles.test:443 ")
            assert not any(b"hush" in head for head in proxy.heads)
            proxy.refuses = b"407 Proxy Authentication Required"
            ended = await served.remote.reload()
            assert "the proxy refused the connection (407)" in str(ended.reason)


async def test_a_stop_before_the_first_bundle_is_there(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stopping(_: web.Request) -> web.StreamResponse:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(60)
        raise AssertionError

    lab.host.instead = {BUNDLE: stopping}
    monkeypatch.setattr(tempfile, "tempdir", str(lab.folder / "process-0"))
    (lab.folder / "process-0").mkdir()
    options = Options(bundle=Path("a.lynkr"), trust=TRUST)
    await begin(lab.server(), options, {})
    assert list((lab.folder / "process-0").iterdir()) == []


async def test_a_stop_while_the_first_bundle_is_looked_at() -> None:
    class Looking:
        async def first(self) -> object:
            signal.raise_signal(signal.SIGTERM)
            return object()

    assert await begin_with(cast(RemoteBundle, Looking())) is None


async def test_a_full_disk_is_told_as_one(lab: Lab) -> None:
    served = await lab.started()
    lab.offers(2)
    for file in (served.remote._incoming, signature_path(served.remote._incoming)):
        file.unlink(missing_ok=True)
        file.symlink_to("/dev/full")
        reason = str((await served.remote.reload()).reason)
        assert reason.endswith("cannot be written to disk: No space left on device")
        file.unlink()
    assert served.counted("disk") == 2 and served.version == 1
    # One that has not begun yet serves what is kept, or says both.
    remote = lab.remote()
    remote.path.mkdir()
    with pytest.raises(CannotServe, match=r"(?s)written to disk: Is a directory.*last good"):
        await remote.first()


async def test_an_address_is_asked_for_as_it_is_written(lab: Lab) -> None:
    paths: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        paths.append(request.raw_path)
        return web.Response(status=404)

    lab.host.instead = dict.fromkeys(("/a/b~.lynkr", "/"), note)
    lab.host.url = lab.host.url.replace(BUNDLE, "/a%2Fb%7e.lynkr?sig=a%2Fb%2Bc%3d")
    with pytest.raises(CannotServe, match="answered 404"):
        await lab.remote().first()
    assert paths == ["/a%2Fb%7e.lynkr?sig=a%2Fb%2Bc%3d"]


# -- the last good one -------------------------------------------------------------------------


async def test_a_restart_without_the_server_serves_the_last_good_bundle(lab: Lab) -> None:
    async with gone(lab.host):
        with pytest.raises(CannotServe) as neither:
            await lab.remote().first()
    assert "broke off" in str(neither.value) and "none is kept at" in str(neither.value)
    served = await lab.started()
    await served.polls()
    lab.offers(2)
    await served.polls()
    async with gone(lab.host):
        again = await lab.started()
        assert again.version == 2 and again.degraded == ["bundle-server"]
        (told,) = lab.events("served-from-cache")
        assert told["level"] == "warning" and "broke off" in told["reason"]
        assert "lynkr_bundle_last_success_timestamp_seconds 0.0" in (
            again.remote.fetches.render().decode()
        )
        await again.polls()
        assert again.version == 2
    await again.polls()
    assert again.degraded == []
    assert again.counted("unchanged") == 1
    lab.offers(3)
    await again.polls()
    assert again.version == 3


async def test_a_last_good_bundle_is_verified_again(lab: Lab) -> None:
    served = await lab.started()
    await served.polls()
    place = lab.server().kept
    good = place.read_bytes()
    assert place.stat().st_mode & 0o777 == 0o600
    lab.offers(2, 9)
    stranger = signed(lab.folder, 1, 9)[1]
    assert len(stranger) == len(lab.host.pair[1])
    async with gone(lab.host):
        for wrong in (
            *(_flipped(good, at) for at in range(0, len(good), len(good) // 16)),
            good[:-1],
            b"",
            good + b"\0",
        ):
            place.write_bytes(wrong)
            with pytest.raises(CannotServe, match="no last good bundle"):
                await lab.remote().first()
        place.unlink()
        place.mkdir()
        with pytest.raises(CannotServe, match="Is a directory"):
            await lab.remote().first()
        place.rmdir()
        place.write_bytes(good)
        assert (await lab.started()).version == 1


async def test_what_cannot_be_kept_serves_and_is_told(lab: Lab) -> None:
    served = await lab.started()
    place = lab.server().kept
    place.mkdir()
    await served.polls()
    assert served.version == 1 and served.degraded == ["bundle-cache"]
    await served.polls(2)
    (told,) = lab.events("bundle-not-kept")
    assert str(place) in told["reason"]
    # There is room again: it is kept, though nothing is new.
    place.rmdir()
    await served.remote.reload()
    assert served.degraded == [] and lab.host.pair[0] in place.read_bytes()
    assert [one.name for one in place.parent.iterdir()] == [place.name]


async def test_a_start_that_a_new_bundle_refuses_is_made_with_the_last_good_one(lab: Lab) -> None:
    served = await lab.started()
    await served.polls()
    remote = lab.remote()
    await remote.first()
    assert remote.instead("it is the same") is None
    lab.offers(2)
    remote = lab.remote()
    await remote.first()
    start = remote.instead("environment variable KEY is not set")
    assert start is not None and start.policy.digest == versions.digest(1)
    assert "KEY is not set" in str(remote.fetches.trouble)
    lab.server().kept.unlink()
    remote = lab.remote()
    await remote.first()
    assert remote.instead("why") is None
