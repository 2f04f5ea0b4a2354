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
    hides_thinking: bool | None = None
    """Anthropic; True: reasoning is shown only where `thinking.display` asks for it."""
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
    """How OpenAI Chat servers are asked for reasoning (C.1.7):

    - reasoning_effort: the member of that name (the default)
    - thinking: ``{type: enabled | disabled}``, and `reasoning_effort` beside it where `efforts`
      has words (DeepSeek, Moonshot, Z.AI)
    - thinking_budget: Claude's ``{type: enabled, budget_tokens}`` (Databricks)
    - reasoning: ``{effort | max_tokens | enabled}`` (OpenRouter)
    - chat_template_kwargs: ``{enable_thinking}`` (vLLM, llama.cpp)
    - none: not at all
    """
    effort_words: dict[str, str] | None = None
    """The server's own word for an effort, where the nearest legal one is not meant (B.14)."""
    reasoning_replay: str | None = None
    """What becomes of reasoning in the history of a Chat target. None: what a Chat client sent
    stays, of others nothing is written. never: it is taken out. with_tools: turns with calls must
    bring it, though it be empty. always: every turn that has it brings it."""
    reasoning_field: str | None = None
    """Where it is brought: reasoning_content (the default), reasoning, reasoning_details
    (OpenRouter, which wants its own entries back) or content (Databricks, as a part)."""
    think_tags: bool | None = None
    """True: reasoning opens the text, between ``<think>`` and ``</think>``."""
    members: list[str] | None = None
    """OpenAI Chat: every member of a body the server knows; others are refused."""
    renamed: dict[str, str] | None = None
    """OpenAI Chat: a member's name -> the server's name for it."""
    tool_choice_words: dict[str, str] | None = None
    """OpenAI Chat: a word of `tool_choice` -> the server's word."""
    tool_stream: bool | None = None
    """True: arguments are streamed in pieces only where `tool_stream` asks for it (B.13)."""
    strict_tools: bool | None = None
    """False: `strict` of a tool is refused."""
    call_ids: str | None = None
    """The form of tool call ids: alnum9 for exactly nine letters and digits (B.15)."""
    max_stops: int | None = None
    """How many stop sequences it takes."""
    max_temperature: float | None = None
    """The highest `temperature` it takes."""
    json_object: bool | None = None
    """False: no `response_format` at all."""
    message_members: list[str] | None = None
    """OpenAI Chat: every member of a message the server knows; others are refused."""
    merge_consecutive: bool | None = None
    """True: neighbours of one role are refused, by the template of the model (C.1.3)."""
    media_urls: bool | None = None
    """False: pictures and documents by URL are refused."""
    result_media: bool | None = None
    """Whether results of tools may hold pictures; where it is not said, Gemini's may, and those of
    Chat may not."""
    cache_marks: bool | None = None
    """True: `cache_control` on parts of instructions and user messages (B.6, B.9)."""
    prefill_mark: str | None = None
    """What makes the model continue a trailing assistant message (C.1.9): prefix or partial on
    that message, or continue_final_message in the body. None: it does so unasked, or not at all."""
    thinking_budgets: list[int] | None = None
    """Gemini: the least and the greatest `thinkingBudget` of a model that takes no level."""
    signed_calls: bool | None = None
    """Gemini; False: calls of the history need no `thoughtSignature`."""
    plain_schemas: bool | None = None
    """Gemini; False: schemas in the OpenAPI subset only (`parameters`, `responseSchema`)."""
    format_with_tools: bool | None = None
    """Gemini; False: no JSON format beside tools."""
    dialects: list[str] | None = None
    """The only dialects the model is served in, the best first."""


ANYTHING = RequestShape()
"""Nothing is known to be refused."""


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
