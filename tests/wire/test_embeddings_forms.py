"""Embeddings: requests as each provider wants them, vectors as the client asked for them."""

import base64
import json
import struct
from typing import Any

import pytest
from google.genai import types as gemini_types
from hypothesis import given, settings
from hypothesis import strategies as st
from ollama._types import EmbedRequest, EmbedResponse
from openai.types import CreateEmbeddingResponse

from lynkrc_runtime.protocol.conversation import (
    BrokenAnswer,
    CannotTranslate,
    FailureClass,
    MalformedRequest,
    Usage,
)
from lynkrc_runtime.protocol.embeddings.answer import write_answer
from lynkrc_runtime.protocol.embeddings.forms import FORMS
from lynkrc_runtime.protocol.embeddings.request import EmbeddingRequest, read_request
from lynkrc_runtime.protocol.embeddings.takes import Takes
from lynkrc_runtime.providers.table import KINDS

ANY = Takes(base64=True)
USAGE = Usage(input=8)


def asked(**members: Any) -> EmbeddingRequest:
    return read_request(json.dumps({"model": "asked", "input": "Hi"} | members).encode())


def written(form: str, takes: Takes = ANY, **members: Any) -> tuple[dict[str, Any], Any]:
    made = FORMS[form].write(asked(**members), "served", takes)
    return json.loads(made.body), made.transforms


def answered(form: str, body: Any, **members: Any) -> dict[str, Any]:
    found = FORMS[form].read(json.dumps(body).encode())
    answer = write_answer(found, asked(**members), "served", found.usage or Usage(input=3))
    value: dict[str, Any] = json.loads(answer)
    if members.get("encoding_format") != "base64":
        # The client decodes base64 before anybody sees the type.
        CreateEmbeddingResponse.model_validate(value)
    return value


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def openai_body(*vectors: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    return {"object": "list", "data": data, "model": "upstream", "usage": usage}


# -- requests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "texts", "tokens"),
    [
        ("Hi", ("Hi",), ()),
        ("", ("",), ()),
        (["a", "b"], ("a", "b"), ()),
        ([1, 2], (), ((1, 2),)),
        ([[1], [2, 3]], (), ((1,), (2, 3))),
    ],
)
def test_every_form_of_input_is_read(given: Any, texts: Any, tokens: Any) -> None:
    read = asked(input=given)
    assert (read.texts, read.tokens) == (texts, tokens)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": [1, "a"]}, "input"),
        ({"input": [[]]}, "input"),
        ({"input": [True]}, "input"),
        ({"input": {"text": "a"}}, "input"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": True}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"user": 3}, "user"),
        ({"stream": True}, "stream"),
    ],
)
def test_a_malformed_member_is_named(members: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        asked(**members)
    assert caught.value.field == field


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"[" * 5000, b"\xff"])
def test_a_body_that_is_no_object(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_request(body)


def test_openais_form_passes_every_member_in_its_own_spelling() -> None:
    body = b'{"input":[1,2],"model":"a","dimensions":4,"x":1.50e2,"encoding_format":"base64"}'
    made = FORMS["openai"].write(read_request(body), "b", ANY)
    assert made.body == body.replace(b'"model":"a"', b'"model":"b"')
    assert made.transforms == ()


def test_what_is_not_known_to_take_base64_is_not_asked_for_it() -> None:
    body, transforms = written("openai", Takes(), encoding_format="base64", user="u")
    assert body == {"model": "served", "input": "Hi", "user": "u"}
    assert transforms == ()


def test_mistrals_names_are_its_own() -> None:
    row = KINDS["mistral"].embedding
    assert row is not None
    body, transforms = written("openai", row.takes, dimensions=256, user="u", encoding_format=None)
    assert body == {"model": "served", "input": "Hi", "output_dimension": 256}
    assert transforms == ("dropped=user",)


def test_a_length_that_cannot_be_asked_for_is_a_misfit() -> None:
    with pytest.raises(CannotTranslate) as caught:
        written("openai", Takes(members={}), dimensions=3)
    assert caught.value.feature == "dimensions"


def test_ollamas_form() -> None:
    body, transforms = written("ollama", input=["a", "b"], dimensions=2, user="u")
    assert body == {"model": "served", "input": ["a", "b"], "truncate": False, "dimensions": 2}
    assert EmbedRequest.model_validate(body).model_dump(exclude_none=True) == body
    assert transforms == ("dropped=user",)


def test_geminis_form() -> None:
    body, transforms = written("gemini", input=["a", "b"], dimensions=2, encoding_format="float")
    assert body == {
        "requests": [
            {
                "model": "models/served",
                "content": {"parts": [{"text": text}]},
                "outputDimensionality": 2,
            }
            for text in ("a", "b")
        ]
    }
    for entry in body["requests"]:
        gemini_types.Content.model_validate(entry["content"])
    assert transforms == ()


@pytest.mark.parametrize("form", ["ollama", "gemini"])
def test_tokens_are_a_misfit_where_texts_are_wanted(form: str) -> None:
    with pytest.raises(CannotTranslate) as caught:
        written(form, input=[[1, 2]])
    assert caught.value.feature == "input"


def test_every_kind_with_embeddings_has_a_form_that_exists() -> None:
    rows = {name: kind.embedding for name, kind in KINDS.items() if kind.embedding is not None}
    assert {row.form for row in rows.values()} == set(FORMS)
    assert {"openai", "azure-openai", "openai-compatible", "vllm", "lmstudio", "llamacpp"} | {
        "mistral", "together", "fireworks", "databricks", "openrouter", "gemini", "ollama"
    } <= set(rows)  # fmt: skip
    assert "anthropic" not in rows and "mlx" not in rows


# -- answers -----------------------------------------------------------------------------------

BODIES: dict[str, Any] = {
    "openai": openai_body([0.5, -0.25], [1.0, 2.0]),
    "openai in base64": openai_body(packed(0.5, -0.25), packed(1.0, 2.0)),
    "ollama": {"model": "m", "embeddings": [[0.5, -0.25], [1.0, 2.0]], "prompt_eval_count": 8},
    "gemini": {"embeddings": [{"values": [0.5, -0.25]}, {"values": [1.0, 2.0]}]},
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_clients_get_what_they_asked_for(name: str, encoding: str) -> None:
    form = name.partition(" ")[0]
    value = answered(form, BODIES[name], input=["a", "b"], encoding_format=encoding)
    vectors = [entry["embedding"] for entry in value["data"]]
    if encoding == "base64":
        assert vectors == [packed(0.5, -0.25), packed(1.0, 2.0)]
    else:
        assert vectors == [[0.5, -0.25], [1.0, 2.0]]
    tokens = 3 if name == "gemini" else 8
    assert value["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}
    assert (value["object"], value["model"]) == ("list", "served")
    assert [entry["index"] for entry in value["data"]] == [0, 1]


def test_the_bodies_are_those_of_the_official_types() -> None:
    CreateEmbeddingResponse.model_validate(BODIES["openai"])
    EmbedResponse.model_validate(BODIES["ollama"])
    gemini_types.EmbedContentResponse.model_validate(BODIES["gemini"])


def test_vectors_follow_their_index_and_keep_their_spelling() -> None:
    body = b'{"data":[{"index":1,"embedding":[1.50e0]},{"index":0,"embedding":[2]}],"id":"e1"}'
    found = FORMS["openai"].read(body)
    answer = write_answer(found, asked(input=["a", "b"]), "served", USAGE)
    assert answer.index(b"[2]") < answer.index(b"[1.50e0]")
    assert json.loads(answer)["id"] == "e1"


def test_a_number_beyond_float32_cannot_be_packed() -> None:
    with pytest.raises(BrokenAnswer):
        answered("openai", openai_body([1e300]), encoding_format="base64")


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_and_base64_are_the_same_vector(numbers: list[float]) -> None:
    coded = answered("openai", openai_body(numbers), encoding_format="base64")
    text = coded["data"][0]["embedding"]
    assert text == packed(*numbers)
    assert answered("openai", openai_body(text))["data"][0]["embedding"] == numbers


def test_too_few_vectors_are_a_broken_answer() -> None:
    with pytest.raises(BrokenAnswer) as caught:
        answered("openai", openai_body([0.5]), input=["a", "b"])
    assert caught.value.failure.message == "upstream sent 1 vectors for 2 inputs"


def test_a_length_that_was_ignored_is_a_misfit() -> None:
    for vector in ([0.5, 0.5], packed(0.5, 0.5)):
        with pytest.raises(BrokenAnswer) as caught:
            answered("openai", openai_body(vector), dimensions=1)
        assert caught.value.failure.kind is FailureClass.MISFIT
        assert caught.value.failure.param == "dimensions"


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"data":3}', b'{"embeddings":3}', b"[" * 5000]
)
def test_what_is_no_answer_breaks(form: str, body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        FORMS[form].read(body)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_an_error_in_a_200_keeps_its_words(form: str) -> None:
    with pytest.raises(BrokenAnswer) as caught:
        FORMS[form].read(b'{"error":{"message":"no such thing","code":429}}')
    assert caught.value.failure.message == "no such thing"
    assert caught.value.failure.kind is FailureClass.THROTTLED


@pytest.mark.parametrize("vector", ['"%%%"', '"AAA="', "3", "null", '["a"]', '{"a":1}'])
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_what_is_no_vector_breaks(vector: str, encoding: str) -> None:
    found = FORMS["openai"].read(b'{"data":[{"embedding":' + vector.encode() + b"}]}")
    with pytest.raises(BrokenAnswer):
        write_answer(found, asked(encoding_format=encoding), "m", USAGE)


def test_indices_that_contradict_break() -> None:
    with pytest.raises(BrokenAnswer):
        FORMS["openai"].read(b'{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}]}')
