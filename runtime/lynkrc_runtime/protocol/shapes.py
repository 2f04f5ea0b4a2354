"""What a model accepts: the request shape of the catalog, as data.

Replacing `model` changes what is legal (design: runtime.md, "Model shape"). A target's shape says
which forms its model takes; a dialect's writer makes exactly the edits it demands, and lists each.
The default of every member is "no restriction known".
"""

from typing import final

import msgspec


@final
class RequestShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The legal request forms of one model. None means: anything goes; a list is exhaustive."""

    thinking: list[str] | None = None
    """Legal `thinking.type` values (Anthropic): enabled, adaptive, between_tools, disabled."""
    disabled_max_effort: str | None = None
    """`thinking: disabled` is legal only up to this effort."""
    efforts: list[str] | None = None
    """Legal efforts: `output_config.effort` or `reasoning_effort`; [] takes none."""
    sampling: list[str] | None = None
    """Which of temperature, top_p, top_k, presence_penalty, frequency_penalty, logit_bias,
    logprobs, seed, stop it takes."""
    tool_choice: list[str] | None = None
    """Legal kinds: auto, required, named, none."""
    prefill: bool | None = None
    """False: a trailing assistant message is refused."""
    mid_system: bool | None = None
    """False: a `system` role inside `messages` is refused."""
    structured_output: bool | None = None
    """False: no JSON schema format."""
    betas: list[str] | None = None
    """Values of `anthropic-beta` it takes; others are left out."""
    versions: list[str] | None = None
    """Values of `anthropic-version` it takes; the last is sent where the client's is not legal."""
    max_tokens_field: str | None = None
    """OpenAI Chat: max_tokens or max_completion_tokens."""
    system_role: str | None = None
    """OpenAI Chat: system or developer."""
    effort_with_tools: str | None = None
    """OpenAI Chat: the only `reasoning_effort` legal beside function tools."""
    parallel_tool_calls: bool | None = None
    """False: `parallel_tool_calls` is refused."""
    stream_options: bool | None = None
    """False: `stream_options` is refused."""
    tool_choice_ignored: bool | None = None
    """True: the server has no `tool_choice`."""
    reasoning_in: str | None = None
    """Where reasoning is asked for in OpenAI Chat dialects; reasoning_effort, or none."""
    thinking_budgets: list[int] | None = None
    """Gemini: the least and the greatest `thinkingBudget` of a model that takes no level."""
    signed_calls: bool | None = None
    """Gemini; False: calls of the history need no `thoughtSignature`."""
    plain_schemas: bool | None = None
    """Gemini; False: schemas in the OpenAPI subset only (`parameters`, `responseSchema`)."""
    format_with_tools: bool | None = None
    """Gemini; False: no JSON format beside tools."""
    result_media: bool | None = None
    """Gemini; False: results of tools hold text only."""
    media_urls: bool | None = None
    """Gemini; False: pictures and documents by URL are refused."""
    dialects: list[str] | None = None
    """The only dialects the model is served in, the best first."""


def completed(shape: RequestShape, usual: RequestShape) -> RequestShape:
    """`shape`, and what is `usual` where it says nothing.

    >>> made = completed(
    ...     RequestShape(prefill=False), RequestShape(prefill=True, system_role="system")
    ... )
    >>> (made.prefill, made.system_role)
    (False, 'system')
    """
    unsaid = {
        name: getattr(usual, name)
        for name in shape.__struct_fields__
        if getattr(shape, name) is None
    }
    return msgspec.structs.replace(shape, **unsaid)
