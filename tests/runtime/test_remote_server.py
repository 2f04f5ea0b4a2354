"""What may be said of a bundle's server on the command line, and what is refused, by name."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from lynkrc_runtime.__main__ import main, parser
from lynkrc_runtime.server.begin import place_of, trust_in
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.server.remote_server import (
    POLL,
    Asked,
    BundleServer,
    bundle_server,
)
from tests.signing_keys import write_pair

FAR = "https://bundles.test/policies/house.lynkr"


def server(address: str = FAR, environ: dict[str, str] | None = None, **asked: Any) -> BundleServer:
    return bundle_server(address, Asked(**asked), environ or {})


def test_an_address_says_where_both_files_are(tmp_path: Path) -> None:
    found = server(f"{FAR}?sig=hush%2F", cache=tmp_path)
    assert found.signatures == f"{FAR}.intoto.jsonl?sig=hush%2F"
    assert found.told == f"{FAR}?..." and "hush" not in repr(found)
    assert (found.name, found.poll, found.kept.parent) == ("house.lynkr", POLL, tmp_path)
    assert found.kept != server(cache=tmp_path).kept
    assert server("https://b.test/v1/%2e%2e", cache=tmp_path).name == "bundle.lynkr"
    for near in ("http://127.0.0.1:1/a.lynkr", "http://localhost/a.lynkr", "http://[::1]/a.lynkr"):
        assert server(near, cache=tmp_path).name == "a.lynkr"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://bundles.test/a.lynkr", "http is spoken to this machine alone"),
        ("s3://bucket/a.lynkr", "fetched over https"),
        ("https://me:hush@bundles.test/a.lynkr", "a login does not belong"),
        ("https://bundles.test", "names no file"),
        ("https:///a.lynkr", "names no file"),
        ("https://bundles.test/a.lynkr#hush", "behind #"),
        ("https://bundles.test/a b", "%20 for a space"),
        ("https://b\u00fcndles.test/a", "xn--"),
        ("https://bundles.test/a\nb.lynkr", "printable"),
        ("https://bundles.test:port/a", "cannot be read"),
        ("https://bundles.test/a\r\nx: y", "cannot be read|printable"),
    ],
)
def test_other_addresses_are_refused(tmp_path: Path, address: str, words: str) -> None:
    with pytest.raises(CannotServe, match=words) as refused:
        server(address, cache=tmp_path)
    assert "hush" not in str(refused.value)


def test_where_the_last_good_bundle_is_kept(tmp_path: Path) -> None:
    places = {"STATE_DIRECTORY": "state", "XDG_CACHE_HOME": "xdg", "HOME": "home"}
    environ = {name: str(tmp_path / folder) for name, folder in places.items()}
    for under in ("state/bundles", "xdg/lynkrc/bundles", "home/.cache/lynkrc/bundles"):
        kept = server(environ=environ).kept
        assert kept.parent == tmp_path / under and kept.parent.is_dir()
        assert kept.parent.stat().st_mode & 0o777 == 0o700
        del environ[next(iter(environ))]
    with pytest.raises(CannotServe, match="--bundle-cache DIR does"):
        server()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotServe, match="--bundle-cache DIR names another folder"):
        server(cache=tmp_path / "file")


def test_tokens_authorities_and_proxies(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("hush hush")

    def refused(environ: dict[str, str] | None = None, **asked: Any) -> str:
        with pytest.raises(CannotServe) as found:
            server(environ=environ, cache=tmp_path, **asked)
        assert "hush" not in str(found.value)
        return str(found.value)

    assert "NAME is not set" in refused(token_env="NAME")
    assert "is no token" in refused({"NAME": "hush\r\nx: y"}, token_env="NAME")
    assert "holds no token" in refused(token_file=file)
    assert "cannot be read" in refused(token_file=tmp_path / "none")
    assert "one token" in refused({"NAME": "a"}, token_env="NAME", token_file=file)
    assert "holds no certificates" in refused(ca=file)
    assert "cannot be read" in refused(ca=tmp_path / "none")
    assert "HTTPS_PROXY must be" in refused({"HTTPS_PROXY": "socks5://me:hush@p.test"})
    trustme.CA().cert_pem.write_to_path(str(file))
    through = server(environ={"https_proxy": "http://me:hush@p.test:3128"}, ca=file, cache=tmp_path)
    assert through.proxy_told == "http://p.test:3128" and "hush" not in repr(through)
    assert through.tls is not None
    past = {"https_proxy": "http://p.test", "no_proxy": "bundles.test"}
    assert server(environ=past, cache=tmp_path).proxy is None


def test_one_bundle_is_named_and_what_is_said_of_a_server_is_of_one(tmp_path: Path) -> None:
    asked = Asked()
    assert place_of("out", None, asked, {}) == place_of(None, "out", asked, {}) == Path("out")
    with pytest.raises(CannotServe, match="one of them"):
        place_of("out", "out", asked, {})
    with pytest.raises(CannotServe, match="no bundle"):
        place_of(None, None, asked, {})
    with pytest.raises(CannotServe, match="--bundle-token-env is for a bundle from a server"):
        place_of("out", None, Asked(token_env="NAME"), {})
    place = place_of(FAR, None, Asked(cache=tmp_path), {})
    with pytest.raises(CannotServe, match="must be signed: --trusted-key FILE"):
        trust_in(place, (), is_required=False)
    _, public = write_pair(tmp_path, "one", 1)
    assert trust_in(place, (public,), is_required=False).is_required
    assert not trust_in(Path("out"), (public,), is_required=False).is_required


def test_how_often_a_server_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    def read(text: str) -> object:
        return parser().parse_args(["serve", "a", "--bundle-poll", text]).bundle_poll

    assert read("60-120") == (60, 120)
    assert read("10") == (10, 11)
    for wrong in ("0", "0.5-3", "120-60", "1-2-3", "-5", "ten"):
        with pytest.raises(SystemExit):
            read(wrong)
    assert "--bundle-poll" in capsys.readouterr().err


def test_a_start_without_a_key_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--bundle", FAR, "--bundle-cache", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"lynkrc-runtime: error: {FAR}: a bundle from a ")
