"""Problems in OpenAI's envelope, as answers and inside streams, and as the SDK sees them."""

import json

import pytest

from lynkrc_runtime.protocol.conversation import FailureClass
from lynkrc_runtime.protocol.dialect import Problem
from lynkrc_runtime.protocol.openai_chat import CLIENT, TARGET
from tests.wire.openai_chat_lint import context_of

FORMS = {
    "invalid": (400, "invalid_request_error", None),
    "authentication": (401, "invalid_request_error", "invalid_api_key"),
    "billing": (429, "insufficient_quota", "insufficient_quota"),
    "permission": (403, "permission_error", None),
    "not_found": (404, "invalid_request_error", None),
    "too_large": (413, "invalid_request_error", None),
    "rate_limited": (429, "rate_limit_error", "rate_limit_exceeded"),
    "spent": (429, "usage_limit_reached", "insufficient_quota"),
    "overloaded": (503, "service_unavailable_error", "server_is_overloaded"),
    "timeout": (504, "server_error", "timeout"),
    "internal": (500, "server_error", None),
    "bad_gateway": (502, "server_error", None),
    "misconfigured": (424, "server_error", None),
    "context_overflow": (400, "invalid_request_error", "context_length_exceeded"),
}


@pytest.mark.parametrize("kind", sorted(FORMS))
def test_a_problem_has_all_four_keys(kind: str) -> None:
    status, error_type, code = FORMS[kind]
    problem = Problem(status=529, kind=kind, message="m", param="p", request_id="r")
    found, body = CLIENT.write_problem(problem)
    assert found == status
    envelope = {"error": {"message": "m", "type": error_type, "param": "p", "code": code}}
    assert json.loads(body) == envelope
    writer = CLIENT.stream_writer(context_of())
    event = writer.fail(problem)
    assert writer.fail(problem) == b""
    assert event.startswith(b"data: ")
    assert event.endswith(b"\n\n")
    assert json.loads(event.removeprefix(b"data: ")) == envelope


def test_a_spent_budget_says_when_it_begins_anew() -> None:
    problem = Problem(status=429, kind="spent", message="m", resets_at=4_102_444_800)
    error = json.loads(CLIENT.write_problem(problem)[1])["error"]
    assert (error["type"], error["resets_at"]) == ("usage_limit_reached", 4_102_444_800)


@pytest.mark.parametrize(
    ("kind", "given", "want"),
    [
        ("invalid", "unsupported_parameter", "unsupported_parameter"),
        ("invalid", "invalid_request_error", None),
        ("not_found", "model_not_found", "model_not_found"),
        ("context_overflow", "exceed_context_size_error", "context_length_exceeded"),
        ("overloaded", "overloaded_error", "server_is_overloaded"),
    ],
)
def test_a_code_is_kept_where_it_is_one_of_this_dialect(
    kind: str, given: str, want: str | None
) -> None:
    _, body = CLIENT.write_problem(Problem(status=400, kind=kind, message="m", code=given))
    assert json.loads(body)["error"]["code"] == want


@pytest.mark.parametrize(("status", "want"), [(422, 422), (405, 405), (418, 400), (500, 400)])
def test_an_invalid_request_keeps_a_status_clients_know(status: int, want: int) -> None:
    assert CLIENT.write_problem(Problem(status=status, kind="invalid", message="m"))[0] == want


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (
            400,
            {
                "message": "Unsupported parameter: 'max_tokens'",
                "type": "invalid_request_error",
                "param": "max_tokens",
                "code": "unsupported_parameter",
            },
            FailureClass.MISFIT,
            "unsupported_parameter",
        ),
        (
            401,
            {"message": "Incorrect API key", "type": "x", "param": None, "code": "invalid_api_key"},
            FailureClass.OURS,
            "invalid_api_key",
        ),
        (
            503,
            {"message": "Loading model", "type": "unavailable_error", "param": None, "code": None},
            FailureClass.TRANSIENT,
            "unavailable_error",
        ),
    ],
)
def test_an_upstream_error_is_classified(
    status: int, body: dict[str, str | None], kind: FailureClass, code: str
) -> None:
    failure = TARGET.read_failure(status, {}, json.dumps({"error": body}).encode())
    assert (failure.status, failure.kind, failure.code) == (status, kind, code)
    assert failure.param == body["param"]
