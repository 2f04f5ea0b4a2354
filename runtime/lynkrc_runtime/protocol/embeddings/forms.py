"""The forms upstreams are asked for embeddings in, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from lynkrc_runtime.protocol.dialect import Written
from lynkrc_runtime.protocol.embeddings import gemini, ollama, openai
from lynkrc_runtime.protocol.embeddings.answer import Vectors
from lynkrc_runtime.protocol.embeddings.request import EmbeddingRequest
from lynkrc_runtime.protocol.embeddings.takes import Takes


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of asking for embeddings.

    - write(request, model, takes): the upstream request; raises CannotTranslate
    - read(body): raises BrokenAnswer
    """

    write: Callable[[EmbeddingRequest, str, Takes], Written]
    read: Callable[[bytes], Vectors]


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "openai": Form(write=openai.write_request, read=openai.read_answer),
        "gemini": Form(write=gemini.write_request, read=gemini.read_answer),
        "ollama": Form(write=ollama.write_request, read=ollama.read_answer),
    }
)
"""Every form by the name a provider's row has for it (`providers.table.Embedding`)."""
