"""Signers whose credentials cannot be had: a fault of the attempt, without what the error said."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from google.auth.exceptions import RefreshError

from lynkrc_runtime.providers.signing_aws import AwsSigner
from lynkrc_runtime.providers.signing_gcp import GcpSigner
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest

CALL = UpstreamRequest(
    url="https://h.test/model/m/converse",
    headers={},
    body=b"{}",
    connect=1.0,
    fresh=False,
    target="t",
    dialect="bedrock-converse",
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "error",
    [
        NoCredentialsError(),
        ClientError({"Error": {"Code": "AccessDenied", "Message": "secret"}}, "AssumeRole"),
        json.JSONDecodeError("secret", "", 0),
        FileNotFoundError("secret"),
        RuntimeError("Credentials were refreshed, but are still expired: secret"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_keeps_aws_credentials_away_moves_on(error: Exception) -> None:
    def find() -> Any:
        raise error

    with pytest.raises(UpstreamFault) as fault:
        asyncio.run(AwsSigner("eu-west-1", find).headers(CALL))
    assert type(error).__name__ in fault.value.failure.message
    assert "secret" not in fault.value.failure.message


class Token:
    token = "old"
    quota_project_id = None

    def __init__(self, lasts: timedelta) -> None:
        self.expiry: datetime | None = (NOW + lasts).replace(tzinfo=None)


@pytest.mark.parametrize(
    "error",
    [RefreshError("secret"), PermissionError("secret"), ValueError("secret")],
)
def test_whatever_keeps_a_google_token_away_moves_on(error: Exception) -> None:
    def find() -> Any:
        raise error

    with pytest.raises(UpstreamFault) as fault:
        asyncio.run(GcpSigner(find, lambda _: None, lambda: NOW).headers(CALL))
    assert type(error).__name__ in fault.value.failure.message
    assert "secret" not in fault.value.failure.message


def test_others_go_out_with_the_old_token_while_one_renews() -> None:
    token = Token(timedelta(hours=1))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        started, release = asyncio.Event(), asyncio.Event()
        renewals = []

        def refresh(_: Any) -> None:
            renewals.append(1)
            if len(renewals) == 1:
                return
            loop.call_soon_threadsafe(started.set)
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result()
            token.token, token.expiry = "new", None

        signer = GcpSigner(lambda: token, refresh, lambda: NOW)
        # The first is asked for before anything is sent.
        token.expiry = None
        await signer.headers(CALL)
        token.expiry = (NOW + timedelta(minutes=2)).replace(tzinfo=None)
        renewing = asyncio.ensure_future(signer.headers(CALL))
        await started.wait()
        async with asyncio.timeout(60):
            assert (await signer.headers(CALL))["authorization"] == "Bearer old"
        release.set()
        assert (await renewing)["authorization"] == "Bearer new"
        assert len(renewals) == 2

    asyncio.run(main())
