"""Clients over TLS: official clients by real sockets, and every way to get the files wrong."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from anthropic import Anthropic, DefaultHttpxClient
from cryptography.hazmat.primitives import serialization
from openai import DefaultHttpxClient as DefaultOpenAIClient
from openai import OpenAI

from lynkrc_runtime.settings import Server, Tls
from tests.e2e.doors_lab import written
from tests.e2e.gateway import PATIENCE, GatewayProcess, refused, serving
from tests.e2e.raw_client import NEXT, speak


@dataclass(frozen=True)
class Papers:
    """Files in PEM form: a certificate, its key, and keys that do not do."""

    cert: Path
    key: Path
    other_key: Path
    locked_key: Path
    no_pem: Path
    trust: ssl.SSLContext
    authority: str


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    secret = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    files = {
        "cert": b"".join(one.bytes() for one in issued.cert_chain_pems),
        "key": issued.private_key_pem.bytes(),
        "other_key": authority.issue_cert("localhost").private_key_pem.bytes(),
        "locked_key": secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"sesame"),
        ),
        "no_pem": b"no certificate",
    }
    paths = {name: folder / f"{name}.pem" for name in files}
    for name, data in files.items():
        paths[name].write_bytes(data)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return Papers(**paths, trust=trust, authority=authority.cert_pem.bytes().decode())


@pytest.fixture(scope="module")
def gateway(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("tls")
    files = ["--tls-cert", str(papers.cert), "--tls-key", str(papers.key)]
    with serving(written(folder), folder / "log", files, is_forked=False) as process:
        yield process
        assert process.stop() == 0


def test_addresses_say_https(gateway: GatewayProcess) -> None:
    assert all(url.startswith("https://") for url in gateway.ready["urls"])
    assert gateway.admin.startswith("http://")


def test_anthropic_s_client(gateway: GatewayProcess, papers: Papers) -> None:
    with (
        DefaultHttpxClient(verify=papers.trust) as http,
        Anthropic(base_url=gateway.url, api_key="k", max_retries=0, http_client=http) as client,
    ):
        said = client.messages.create(
            model="auto", max_tokens=50, messages=[{"role": "user", "content": "Hi"}]
        )
        assert said.content
        with client.messages.stream(
            model="auto", max_tokens=50, messages=[{"role": "user", "content": "Hi"}]
        ) as stream:
            assert stream.get_final_message().content


def test_openai_s_client(gateway: GatewayProcess, papers: Papers) -> None:
    with (
        DefaultOpenAIClient(verify=papers.trust) as http,
        OpenAI(
            base_url=f"{gateway.url}/v1", api_key="k", max_retries=0, http_client=http
        ) as client,
    ):
        said = client.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": "Hi"}]
        )
        assert said.choices[0].message.content


def shake_hands(url: str, context: ssl.SSLContext) -> tuple[str | None, str | None]:
    """Version and protocol agreed on."""
    address = urlsplit(url)
    with (
        socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=address.hostname) as secured,
    ):
        return secured.version(), secured.selected_alpn_protocol()


def test_http_1_1_is_what_is_spoken(gateway: GatewayProcess, papers: Papers) -> None:
    context = ssl.create_default_context(cafile=None)
    context.load_verify_locations(cadata=papers.authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert shake_hands(gateway.url, context) == ("TLSv1.3", "http/1.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shake_hands(gateway.url, context) == ("TLSv1.2", "http/1.1")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_not_spoken(gateway: GatewayProcess, papers: Papers) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=papers.authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shake_hands(gateway.url, context)


def test_a_stranger_s_authority_is_not_trusted(gateway: GatewayProcess) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(gateway.url, ssl.create_default_context())


def test_plain_http_gets_nothing(gateway: GatewayProcess) -> None:
    assert speak(gateway.url, NEXT).statuses == []


def test_the_spec_may_name_the_files(papers: Papers, tmp_path: Path) -> None:
    declared = Server(tls=Tls(cert="${CERT}", key=str(papers.key)))
    bundle = written(tmp_path, server=declared)
    environ = {"CERT": str(papers.cert)}
    with serving(bundle, tmp_path / "log", environ=environ) as process:
        assert shake_hands(process.url, papers.trust)[0] == "TLSv1.3"
    options = ["--tls-cert", str(papers.cert), "--tls-key", str(papers.key)]
    # The command line wins: what the spec names is not even looked for.
    with serving(bundle, tmp_path / "log", options) as process:
        assert shake_hands(process.url, papers.trust)[0] == "TLSv1.3"
    assert "CERT is not set" in refused(bundle)


@pytest.mark.parametrize(
    ("cert", "key", "words"),
    [
        ("none.pem", "key.pem", "cannot read the TLS certificate {cert}: No such file"),
        ("cert.pem", "none.pem", "cannot read the TLS key {key}: No such file"),
        (".", "key.pem", "cannot read the TLS certificate {cert}: Is a directory"),
        ("no_pem.pem", "key.pem", "the TLS certificate {cert} holds no certificate in PEM form"),
        ("cert.pem", "cert.pem", "the TLS key {key} holds no private key in PEM form"),
        ("cert.pem", "other_key.pem", "the TLS key {key} does not belong to the certificate"),
        ("cert.pem", "locked_key.pem", "the TLS key {key} is encrypted"),
    ],
)
def test_files_that_cannot_be_used(
    papers: Papers, tmp_path: Path, cert: str, key: str, words: str
) -> None:
    folder = papers.cert.parent
    paths = {"cert": folder / cert, "key": folder / key}
    said = refused(
        written(tmp_path), "--tls-cert", str(paths["cert"]), "--tls-key", str(paths["key"])
    )
    assert words.format(**paths) in said
    assert "Traceback" not in said


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key"])
def test_one_of_the_two_is_not_enough(papers: Papers, tmp_path: Path, option: str) -> None:
    assert "come together" in refused(written(tmp_path), option, str(papers.cert))
