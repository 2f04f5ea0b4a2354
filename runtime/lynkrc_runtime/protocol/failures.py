"""Upstream error answers of any provider, to one classified `Failure`.

Readers, waits and classes follow the wire reference, section D, and "Attempts" of the runtime
design. Nothing here reads a clock: a wait given as a date counts from the answer's own `date`.

>>> failure = read_failure(429, {"retry-after": "2"}, b'{"error":{"message":"slow, sk-abcdef12"}}')
>>> failure.kind.name, failure.message, failure.retry_after
('THROTTLED', 'slow, [key]', 2.0)
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec.structs import replace

from lynkrc_runtime.protocol.conversation import Failure, FailureClass, StreamError
from lynkrc_runtime.protocol.dialect import Problem
from lynkrc_runtime.protocol.google_details import QUOTA_EXHAUSTED, Details, read_details
from lynkrc_runtime.protocol.outside import NOT_JSON

MAX_MESSAGE = 2000
"""Characters of an upstream message that may reach the client."""

MAX_WAIT = 120.0
"""Seconds; a longer wait is cut to this (wire reference D: wait readers)."""

_SECRETS = re.compile(
    r"\b(?:sk-|gsk_|xai-|AIza|hf_|ghp_)[\w*.\-]{4,}"
    r"|(?P<label>\bbearer\s+|\b(?:x-)?api[-_]key[\"']?\s*[:=]\s*[\"']?)[\w.~+/=*\-]{8,}",
    re.IGNORECASE,
)

_OVERFLOW_CODES = frozenset(
    ("context_length_exceeded", "exceed_context_size_error", "tokens_too_long", "1261")
)
_OVERFLOW_TEXT = re.compile(
    r"prompt is too long|context_length_exceeded|maximum context length|input is too long"
    r"|available context size|exceeds? (?:the |model'?s? )*(?:context (?:limit|window|length)"
    r"|maximum number of tokens)|input token count.{0,200}exceeds",
    re.IGNORECASE | re.DOTALL,
)
# What makers say of reasoning that is not theirs: Claude of an invalid signature in a thinking
# block, OpenAI of encrypted content that could not be verified or decrypted, Gemini of a
# `thought_signature` that is corrupted or not there.
_UNREADABLE_THINKING = re.compile(
    r"signature.{0,40}thinking|thinking.{0,40}signature|thought.?signature"
    r"|encrypted content.{0,200}could not be (?:verified|decrypted)"
    r"|expected .?thinking.? or .?redacted_thinking",
    re.IGNORECASE | re.DOTALL,
)
_FILTERED = frozenset(("content_filter", "content_policy_violation", "1301"))
_FILTERED_TEXT = re.compile(r"moderation|content (?:management )?policy", re.IGNORECASE)
_UNSUPPORTED_CODES = frozenset(("unsupported_parameter", "unsupported_value"))
_UNSUPPORTED_TEXT = re.compile(
    r"(?:does|do) not support|doesn't support|not supported|isn't supported|unsupported",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(r"api key not valid|invalid api key|api_key_invalid", re.IGNORECASE)
_QUOTA = frozenset(
    (
        "insufficient_quota",
        "credit_balance_exhausted",
        "billing_error",
        "exceeded_current_quota_error",
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "1113",
        "1309",
    )
)
_BAD_KEY_CODES = frozenset(("invalid_api_key", "API_KEY_INVALID"))
_NO_MODEL = frozenset(("1211", "1311", "invalid_model"))
"""The model is not there for us, though the status calls the request bad (B.13, B.16)."""
_OVERLOADED = frozenset(("engine_overloaded_error", "slow_down", "overloaded_error"))

_STATUS_OF_WORD: Mapping[str, int] = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "invalid_encrypted_content": 400,
    "invalid_prompt": 400,
    "data_residency_mismatch": 400,
    "bio_policy": 400,
    "misalignment_policy_violation": 400,
    "invalid_image": 400,
    "invalid_image_format": 400,
    "invalid_base64_image": 400,
    "invalid_image_url": 400,
    "invalid_image_mode": 400,
    "image_too_large": 400,
    "image_too_small": 400,
    "image_parse_error": 400,
    "image_content_policy_violation": 400,
    "unsupported_image_media_type": 400,
    "empty_image_file": 400,
    "failed_to_download_image": 400,
    "image_file_not_found": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "image_file_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "service_unavailable_error": 503,
    "server_is_overloaded": 503,
    "vector_store_timeout": 504,
    "timeout_error": 504,
    "overloaded_error": 529,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    # Z.AI's numbers (wire reference B.13).
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), 401),
    **dict.fromkeys(("1220", "1221", "1222", "1311"), 403),
    **dict.fromkeys(("1113", "1309"), 402),
    **dict.fromkeys(("1302", "1303", "1304", "1305", "1308", "1310", "1312", "1313"), 429),
    **dict.fromkeys(("1210", "1212", "1213", "1214", "1215", "1261", "1301"), 400),
    "1211": 404,
    "1234": 502,
}
"""What an error without an HTTP status of its own (in a stream, in a 200) would have had."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_WAIT_IN_TEXT = re.compile(
    r"(?:try again in|retry in|retry after|again after|after)\s+(\d+(?:\.\d+)?)\s*"
    r"(ms|milliseconds?|minutes?|m|s|seconds?)\b",
    re.IGNORECASE,
)


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """An upstream's error answer, classified. `headers` have lower-case names."""
    try:
        value = msgspec.json.decode(body)
    except NOT_JSON:
        return failure_of(status, _plain(body) or status_phrase(status), headers=headers)
    return value_failure(status, headers, value)


def value_failure(status: int, headers: Mapping[str, str], value: Any) -> Failure:
    """`read_failure` of an already parsed body, or of an error inside a stream (`status` 200)."""
    message, code, kind, param = dig_value(value)
    failure = failure_of(status, message or status_phrase(status), code, kind, param, headers)
    told = _google_details(value, message)
    if told.reason == QUOTA_EXHAUSTED:
        # No wait that is worth a retry.
        return replace(failure, kind=FailureClass.THROTTLED, code=told.reason, retry_after=None)
    if told.retry_after is not None and "retry-after" not in headers:
        return replace(failure, retry_after=min(told.retry_after, MAX_WAIT))
    return failure


def failure_of(
    status: int,
    message: str,
    code: str | None = None,
    kind: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Failure:
    """The failure of an error already taken apart (in a stream: `status` 0 or 200).

    An error without an error status gets the one its code or type stands for, else 502.
    """
    if status < 300:
        status = _inner_status(code, kind)
    failure_class, overflow = classify(status, message, code, kind)
    return Failure(
        kind=failure_class,
        status=status,
        message=clean_message(message),
        code=kind if kind and (code is None or code == str(status)) else code,
        param=param,
        retry_after=retry_after(headers or {}, message),
        context_overflow=overflow,
        unreadable_thinking=status == 400 and _UNREADABLE_THINKING.search(message) is not None,
    )


def broken(message: str) -> Failure:
    """A break of the transport or of the format: no status, worth another try."""
    return Failure(kind=FailureClass.TRANSIENT, status=0, message=clean_message(message))


def classify(
    status: int, message: str, code: str | None, kind: str | None
) -> tuple[FailureClass, bool]:
    """What the failure means for the chain, and whether the context was too long.

    `code` and `kind` are the upstream's `code` and `type`; `status` 0 is a broken transport.
    """
    words = {word for word in (code, kind) if word}
    if words & _QUOTA or status == 402:
        return FailureClass.THROTTLED, False
    if status == 429:
        overloaded = bool(words & _OVERLOADED)
        return FailureClass.TRANSIENT if overloaded else FailureClass.THROTTLED, False
    if status < 300 or status >= 500 or status in (408, 409, 424):
        return FailureClass.TRANSIENT, False
    if status < 400 or status in (401, 404) or words & _NO_MODEL:
        # A redirect is never followed: the address of the target is wrong.
        return FailureClass.OURS, False
    if words & _FILTERED or (status == 403 and _FILTERED_TEXT.search(message)):
        return FailureClass.CALLERS, False
    if status == 403 or words & _BAD_KEY_CODES or _BAD_KEY.search(message):
        return FailureClass.OURS, False
    if words & _OVERFLOW_CODES or _OVERFLOW_TEXT.search(message):
        return FailureClass.MISFIT, True
    if words & _UNSUPPORTED_CODES or _UNSUPPORTED_TEXT.search(message):
        return FailureClass.MISFIT, False
    return FailureClass.CALLERS, False


def dig_message(body: bytes) -> tuple[str, str | None, str | None, str | None]:
    """(message, code, type, param) of an error body; the message is '' where there is none.

    >>> dig_message(b'{"error":"server busy"}')
    ('server busy', None, None, None)
    """
    try:
        value = msgspec.json.decode(body)
    except NOT_JSON:
        return _plain(body), None, None, None
    return dig_value(value)


def dig_value(value: Any) -> tuple[str, str | None, str | None, str | None]:
    """`dig_message` of an already parsed body (an event's data, a chunk)."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return value, None, None, None
    if not isinstance(value, dict):
        return "", None, None, None
    error = value.get("error")
    if isinstance(error, dict):
        return _error_object(error)
    if isinstance(error, str):
        return error, _word(value.get("code")), _word(value.get("type")), _word(value.get("param"))
    return _flat(value)


def retry_after(headers: Mapping[str, str], message: str) -> float | None:
    """Seconds the upstream asks us to wait, at most `MAX_WAIT`; None where it does not say.

    >>> retry_after({"retry-after-ms": "120", "retry-after": "1"}, "")
    0.12
    """
    wait = _header_wait(headers)
    if wait is None:
        wait = _text_wait(message)
    return None if wait is None else min(max(wait, 0.0), MAX_WAIT)


def clean_message(message: str) -> str:
    """The message without keys and tokens, cut at `MAX_MESSAGE` characters."""
    clean = _SECRETS.sub(lambda match: (match["label"] or "") + "[key]", message)
    return clean if len(clean) <= MAX_MESSAGE else clean[: MAX_MESSAGE - 1] + "…"


def status_phrase(status: int) -> str:
    """Words for an answer that has none of its own."""
    try:
        return f"upstream answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"upstream answered {status}" if status else "upstream failed"


def stream_problem(error: StreamError, request_id: str) -> Problem:
    """What a client is told when its stream breaks: the failure as a `Problem`."""
    failure = error.failure
    kind = "bad_gateway"
    match failure.kind:
        case FailureClass.TRANSIENT if failure.status in (408, 504):
            kind = "timeout"
        case FailureClass.TRANSIENT if failure.status in (429, 503, 529):
            kind = "overloaded"
        case FailureClass.THROTTLED:
            kind = "rate_limited"
        case FailureClass.MISFIT:
            kind = "context_overflow" if failure.context_overflow else "invalid"
        case FailureClass.CALLERS:
            kind = "too_large" if failure.status == 413 else "invalid"
        case _:
            pass
    return Problem(
        status=failure.status,
        kind=kind,
        message=failure.message,
        param=failure.param,
        code=failure.code,
        request_id=request_id,
    )


def _plain(body: bytes) -> str:
    """A body that is no JSON; '' for a web page."""
    text = body.decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else text


def _google_details(value: Any, message: str) -> Details:
    if isinstance(value, list) and value:
        value = value[0]
    error = value.get("error") if isinstance(value, dict) else None
    return read_details(error.get("details"), message) if isinstance(error, dict) else Details()


def _inner_status(code: str | None, kind: str | None) -> int:
    for word in (code, kind):
        if word and word.isdecimal() and 400 <= int(word) <= 599:
            return int(word)
    for word in (code, kind):
        if word and word in _STATUS_OF_WORD:
            return _STATUS_OF_WORD[word]
    return 502


def _error_object(error: dict[str, Any]) -> tuple[str, str | None, str | None, str | None]:
    message = error.get("message")
    text = message if isinstance(message, str) else ""
    code = _word(error.get("code"))
    details = error.get("details")
    if code is None and isinstance(details, dict):
        code = _word(details.get("error_code"))
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if isinstance(raw, str):
        inner = dig_message(raw.encode())[0]
        text = f"{text}: {inner}" if inner else text
    if isinstance(details, list):
        # Google: a number for `code`, a word for `status`, and sometimes a better one inside.
        code = read_details(details).reason or code
    kind, status = _word(error.get("type")), error.get("status")
    if kind is None and isinstance(status, str) and status in _STATUS_OF_WORD:
        kind = status
    return text, code, kind, _word(error.get("param"))


def _flat(value: dict[str, Any]) -> tuple[str, str | None, str | None, str | None]:
    """Bodies without an `error` member (Bedrock, Databricks, Mistral, vLLM, FastAPI)."""
    code = _word(value.get("code")) or _word(value.get("error_code"))
    kind, param = _word(value.get("type")), _word(value.get("param"))
    text = ""
    for name in ("message", "Message", "error_msg", "detail"):
        found = value.get(name)
        if isinstance(found, dict):
            found = found.get("detail")
        if isinstance(found, list) and found and isinstance(found[0], dict):
            place = found[0].get("loc")
            if isinstance(place, list) and place:
                param = param or str(place[-1])
            found = found[0].get("msg")
        if isinstance(found, str) and found:
            text = found
            break
    if text.startswith("{"):
        inner = dig_message(text.encode())
        if inner[0] and inner[0] != text:
            return inner[0], code or inner[1], kind or inner[2], param or inner[3]
    return text, code, kind, param


def _word(value: Any) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    return clean_message(str(value))[:200] if isinstance(value, str | int) else None


def _header_wait(headers: Mapping[str, str]) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    if given is not None:
        seconds = _number(given)
        return seconds if seconds is not None else _until(_http_date(given), headers)
    waits: list[float] = []
    for name, value in headers.items():
        if name.startswith("x-ratelimit-reset-"):
            other = "x-ratelimit-remaining-" + name.removeprefix("x-ratelimit-reset-")
            wait = _duration(value) if headers.get(other) == "0" else None
        elif name.startswith("anthropic-ratelimit-") and name.endswith("-reset"):
            other = name.removesuffix("reset") + "remaining"
            wait = _until(_rfc3339(value), headers) if headers.get(other) == "0" else None
        else:
            continue
        if wait is not None:
            waits.append(wait)
    return max(waits, default=None)


def _text_wait(message: str) -> float | None:
    match = _WAIT_IN_TEXT.search(message)
    if match is None:
        return None
    amount, unit = float(match[1]), match[2].lower()
    if unit.startswith(("ms", "milli")):
        return amount / 1000
    return amount * 60 if unit.startswith("m") else amount


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _duration(text: str) -> float | None:
    parts = _DURATION.findall(text)
    if not parts:
        return _number(text)
    scale = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    return sum(float(amount) * scale[unit] for amount, unit in parts)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _rfc3339(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _until(moment: datetime | None, headers: Mapping[str, str]) -> float | None:
    """Seconds from the answer's own `date` to `moment`; None where either is missing."""
    now = _http_date(headers["date"]) if "date" in headers else None
    if moment is None or now is None:
        return None
    return (moment - now).total_seconds()
