"""Bedrock's own side for tests: frames as AWS builds them, and botocore as the judge of ours."""

import json
import re
import struct
from binascii import crc32
from functools import cache
from pathlib import Path
from typing import Any

from botocore.eventstream import EventStreamBuffer
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import EventStreamJSONParser
from botocore.validate import ParamValidator

DATA = Path(__file__).parent / "data" / "bedrock"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-pro-v1:0"
OTHER = "qwen.qwen3-32b-v1:0"


def load(name: str) -> dict[str, Any]:
    """A data file by name: answers, errors or streams."""
    return dict(json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")))


@cache
def service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))


def frame(kind: str, name: str, payload: Any) -> bytes:
    """One frame with right checksums; the payload is JSON, bytes as they are."""
    key = {"exception": ":exception-type", "error": ":error-code"}.get(kind, ":event-type")
    fields = {key: name, ":content-type": "application/json", ":message-type": kind}
    return frame_of(fields, payload if isinstance(payload, bytes) else json.dumps(payload).encode())


def frame_of(fields: dict[str, str], payload: bytes) -> bytes:
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value.encode()))
        + value.encode()
        for key, value in fields.items()
    )  # fmt: skip
    return sealed(headers + payload, len(headers))


def sealed(content: bytes, headers: int, total: int | None = None) -> bytes:
    """The head, the content and both checksums; `total` may lie."""
    head = struct.pack("!II", len(content) + 16 if total is None else total, headers)
    head += struct.pack("!I", crc32(head))
    return head + content + struct.pack("!I", crc32(head + content))


def frames(rows: list[Any]) -> bytes:
    """A stream of [kind, name, payload] rows."""
    return b"".join(frame(*row) for row in rows)


def parsed(data: bytes, shape: str = "ConverseStreamOutput") -> list[dict[str, Any]]:
    """The frames as botocore's own client reads them."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    parser, model = EventStreamJSONParser(), service().shape_for(shape)
    return [parser.parse(message.to_response_dict(), model) for message in buffer]


def check_input(body: bytes, operation: str = "Converse", model: str = CLAUDE) -> dict[str, Any]:
    """The body, which the operation's input shape must take whole: names, types, limits."""
    value = dict(json.loads(body))
    shape = service().operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate({"modelId": model, **value}, shape)
    assert not report.has_errors(), report.generate_report()
    _check(value, shape, "body")
    return value


def _check(value: Any, shape: Any, place: str) -> None:
    """What botocore leaves to the server: unknown members, enums, patterns, unions."""
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            assert not value.keys() - shape.members.keys(), place
            if getattr(shape, "is_tagged_union", False) or shape.name in _ONE:
                assert len(value) == 1, (place, value)
            for name, part in value.items():
                _check(part, shape.members[name], f"{place}.{name}")
        case "list":
            for index, part in enumerate(value):
                _check(part, shape.member, f"{place}.{index}")
        case "string":
            assert not shape.enum or value in shape.enum, (place, value)
            pattern = shape.metadata.get("pattern")
            assert pattern is None or re.fullmatch(pattern, value), (place, value)
            assert len(value) <= shape.metadata.get("max", len(value)), (place, value)
        case _:
            pass


_ONE = frozenset(("ContentBlock", "SystemContentBlock", "Tool", "ToolResultContentBlock"))
"""Unions the model does not mark as such."""
