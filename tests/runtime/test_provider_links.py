"""How a provider is connected to: what the spec and the environment say of proxies and files."""

from pathlib import Path

import pytest
import trustme

from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.providers.address import Address, UnresolvedProvider
from lynkrc_runtime.providers.links import Links, is_exempt, proxy_of, told
from lynkrc_runtime.upstream import DIRECT, Link
from tests.runtime.by_hand import provider

FAR, NEAR = "https://api.acme.test/v1", "http://127.0.0.1:8080"
PROXY, OTHER = "http://proxy.test:3128", "http://other.test:3128"


def link(base: str = FAR, environ: dict[str, str] | None = None, **rest: str) -> Link:
    row = provider("one", "openai", rest=ProviderSettings(**rest))
    address = Address(provider="one", base=base, headers={})
    return Links(environ or {}).of(row, address)


def refused(environ: dict[str, str] | None = None, **rest: str) -> str:
    with pytest.raises(UnresolvedProvider) as fault:
        link(FAR, environ, **rest)
    return str(fault.value)


def test_nothing_said_is_direct() -> None:
    assert link() is DIRECT


@pytest.mark.parametrize(
    ("environ", "base", "found"),
    [
        ({"HTTPS_PROXY": PROXY}, FAR, ("HTTPS_PROXY", PROXY)),
        ({"https_proxy": PROXY}, FAR, ("https_proxy", PROXY)),
        ({"https_proxy": PROXY, "HTTPS_PROXY": OTHER}, FAR, ("https_proxy", PROXY)),
        ({"https_proxy": "", "HTTPS_PROXY": OTHER}, FAR, ("HTTPS_PROXY", OTHER)),
        ({"HTTP_PROXY": PROXY}, FAR, ("", None)),
        ({"HTTP_PROXY": PROXY}, "http://api.acme.test", ("HTTP_PROXY", PROXY)),
        ({"HTTPS_PROXY": "proxy.test:3128"}, FAR, ("HTTPS_PROXY", PROXY)),
        ({"HTTPS_PROXY": PROXY, "HTTP_PROXY": PROXY}, NEAR, ("", None)),
        ({"HTTP_PROXY": PROXY}, "http://localhost:1", ("", None)),
        ({"HTTP_PROXY": PROXY}, "http://[::1]:1", ("", None)),
        ({"HTTP_PROXY": PROXY}, "http://llama.localhost:1", ("", None)),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "acme.test"}, FAR, ("", None)),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "*"}, FAR, ("", None)),
        ({"ALL_PROXY": PROXY}, FAR, ("", None)),
    ],
)
def test_the_environment(environ: dict[str, str], base: str, found: tuple[str, str | None]) -> None:
    assert proxy_of(base, environ) == found


@pytest.mark.parametrize(
    ("host", "port", "exempt", "expected"),
    [
        ("api.test", 443, "", False),
        ("api.test", 443, " api.test ", True),
        ("api.test", 443, "API.TEST", True),
        ("api.test", 443, ".api.test", True),
        ("api.test", 443, "*.test", True),
        ("myapi.test", 443, "api.test", False),
        ("api.test.evil", 443, "api.test", False),
        ("api.test", 443, "api.test:443", True),
        ("api.test", 443, "api.test:80", False),
        ("10.0.0.7", 443, "10.0.0.0/24", True),
        ("10.0.1.7", 443, "10.0.0.0/24", False),
        ("10.0.0.7", 443, "10.0.0.7", True),
        ("10.0.0.70", 443, "10.0.0.7", False),
        ("fd00::7", 443, "fd00::/8", True),
        ("fd00::7", 443, "[fd00::7]", True),
        ("api.test", 443, "10.0.0.0/8,,other.test", False),
        ("api.test", 443, ".", False),
    ],
)
def test_who_is_exempt(host: str, port: int, exempt: str, expected: bool) -> None:
    assert is_exempt(host, port, exempt) is expected


def test_the_spec_comes_before_the_environment() -> None:
    found = link(environ={"HTTPS_PROXY": OTHER, "NO_PROXY": "*"}, proxy=PROXY)
    assert (found.proxy, found.source) == (PROXY, "providers.proxy")
    # Also for this machine: there it was written on purpose.
    assert link(NEAR, proxy=PROXY).proxy == PROXY


def test_a_login_is_by_reference_and_never_shown() -> None:
    written = "http://${NAME}:${WORD}@proxy.test:3128"
    found = link(environ={"NAME": "me", "WORD": "pa55"}, proxy=written)
    assert found.proxy == "http://me:pa55@proxy.test:3128"
    assert "pa55" not in repr(found)
    (line,) = told([("one", found), ("one", found), ("two", DIRECT)])
    assert (line.provider, line.proxy, line.source) == ("one", PROXY, "providers.proxy")


@pytest.mark.parametrize(
    "proxy",
    ["https://p.test", "socks5://p.test", "http://p.test/path", "http://p.test?a", "http://"],
)
def test_other_proxies_are_refused_without_their_login(proxy: str) -> None:
    secret = proxy.replace("://", "://me:pa55@")
    for said in (refused(proxy=secret), refused({"HTTPS_PROXY": secret})):
        assert "pa55" not in said
        assert "must be http://" in said
    assert "HTTPS_PROXY" in refused({"HTTPS_PROXY": secret})


def test_a_missing_variable_is_named() -> None:
    assert "NOWHERE is not set" in refused(proxy="${NOWHERE}")
    assert "NOWHERE is not set" in refused(ca_file="${NOWHERE}")


def test_certificates_of_a_file(tmp_path: Path) -> None:
    authority = trustme.CA()
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    found = link(ca_file=str(file))
    assert found.tls is not None
    # Instead of the system's: no other is trusted.
    assert found.tls.cert_store_stats()["x509_ca"] == 1
    (tmp_path / "bad.pem").write_text("nothing")
    assert "holds no certificates" in refused(ca_file=str(tmp_path / "bad.pem"))
    assert "No such file" in refused(ca_file=str(tmp_path / "none.pem"))


def test_equal_files_are_read_once(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    links = Links({})
    address = Address(provider="one", base=FAR, headers={})
    row = provider("one", "openai", rest=ProviderSettings(ca_file=str(file)))
    assert links.of(row, address).tls is links.of(row, address).tls


def test_a_file_that_is_as_it_was_is_trusted_by_the_same_and_a_new_one_is_not(
    tmp_path: Path,
) -> None:
    """From reload to reload: connections are kept by who trusts them."""
    file, other = tmp_path / "ca.pem", tmp_path / "new.pem"
    for path in (file, other):
        trustme.CA().cert_pem.write_to_path(str(path))
    first = link(ca_file=str(file)).tls
    assert link(ca_file=str(file)).tls is first
    other.replace(file)
    assert link(ca_file=str(file)).tls is not first
