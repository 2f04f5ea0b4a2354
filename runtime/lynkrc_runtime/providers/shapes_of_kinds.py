"""What all models of a provider kind refuse or want spelled otherwise: a request shape per kind.

What is the model's and not the server's stands in the catalog. Sources: the pages of the wire
reference named in each line, and the page a line names.
"""

from lynkrc_runtime.protocol.shapes import RequestShape

_CLASSIC = ["temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "stop"]
_OPENAI_SAMPLING = [*_CLASSIC, "logit_bias", "logprobs"]
_ALL_SAMPLING = [*_OPENAI_SAMPLING, "top_k"]

# B.6. Some endpoints refuse these members.
DATABRICKS = RequestShape(
    stream_options=False,
    parallel_tool_calls=False,
    strict_tools=False,
    max_tokens_field="max_tokens",
)

# B.9. Efforts: openrouter.ai/docs/use-cases/reasoning-tokens. Entries of `reasoning_details` go
# back as they came; marks of the cache are passed on to Claude and Gemini.
OPENROUTER = RequestShape(
    sampling=_ALL_SAMPLING,
    reasoning_in="reasoning",
    efforts=["none", "minimal", "low", "medium", "high", "xhigh"],
    reasoning_replay="always",
    reasoning_field="reasoning_details",
    cache_marks=True,
)

# B.14, and api-docs.deepseek.com/guides/anthropic_api for the Messages endpoint. A prefix is only
# continued at another address (/beta). Of JSON formats there is json_object alone.
DEEPSEEK = RequestShape(
    max_tokens_field="max_tokens",
    system_role="system",
    structured_output=False,
    strict_tools=False,
    prefill=False,
    mid_system=False,
    thinking=["enabled", "disabled"],
    reasoning_in="thinking",
    efforts=["low", "high", "max"],
    effort_words={"minimal": "low", "medium": "high", "xhigh": "high"},
    reasoning_replay="with_tools",
)

FIREWORKS = RequestShape(max_tokens_field="max_tokens", sampling=_ALL_SAMPLING)

# console.groq.com/docs/openai lists what of OpenAI's members is refused; reasoning is read from
# `reasoning` (B.1).
GROQ = RequestShape(
    sampling=_CLASSIC,
    message_members=["role", "content", "tool_calls", "tool_call_id", "reasoning"],
    reasoning_replay="never",
)

# B.15. Unknown members are refused with 422; usage stands on the last chunk unasked. A prefix is
# repeated at the head of the answer, which no client expects: such requests go elsewhere.
MISTRAL = RequestShape(
    members=[
        "model",
        "messages",
        "temperature",
        "top_p",
        "top_k",
        "max_tokens",
        "min_tokens",
        "stream",
        "stop",
        "random_seed",
        "metadata",
        "response_format",
        "tools",
        "tool_choice",
        "presence_penalty",
        "frequency_penalty",
        "repetition_penalty",
        "n",
        "prediction",
        "parallel_tool_calls",
        "reasoning_effort",
        "prompt_mode",
        "prompt_cache_key",
        "service_tier",
        "safe_prompt",
        "guardrails",
        "logprobs",
        "top_logprobs",
    ],
    renamed={"seed": "random_seed"},
    message_members=["role", "content", "tool_calls", "tool_call_id", "name", "prefix"],
    sampling=[*_CLASSIC, "logprobs", "top_k"],
    stream_options=False,
    max_tokens_field="max_tokens",
    system_role="system",
    tool_choice_words={"required": "any"},
    call_ids="alnum9",
    reasoning_replay="never",
    prefill=False,
)

# B.12. At most five stop sequences: a reseller's tests of kimi-k3
# (dev.to/aihubmix/kimi-k3-api-guide-reasoning-tool-calling-structured-output-and-vision-bn3). What
# its thinking models fix or refuse stands in the catalog.
MOONSHOT = RequestShape(
    max_tokens_field="max_completion_tokens",
    system_role="system",
    mid_system=False,
    strict_tools=False,
    max_stops=5,
    prefill_mark="partial",
    reasoning_replay="with_tools",
)

TOGETHER = RequestShape(max_tokens_field="max_tokens", sampling=_ALL_SAMPLING)

# B.13. Usage comes unasked; of JSON formats there is json_object alone.
ZAI = RequestShape(
    stream_options=False,
    max_tokens_field="max_tokens",
    max_temperature=1.0,
    sampling=["temperature", "top_p", "stop"],
    system_role="system",
    mid_system=False,
    strict_tools=False,
    structured_output=False,
    tool_choice=["auto"],
    message_members=["role", "content", "tool_calls", "tool_call_id", "reasoning_content"],
    reasoning_in="thinking",
    efforts=[],
    reasoning_replay="with_tools",
)

# B.10, of Chat and Messages there: pictures only as base64, no logit_bias, no `tool_choice`.
OLLAMA = RequestShape(
    tool_choice_ignored=True,
    sampling=_CLASSIC,
    media_urls=False,
    efforts=["none", "low", "medium", "high", "max"],
)

# B.11. Templates of models refuse late instructions and neighbours of one role (C.1.3).
LLAMACPP = RequestShape(
    max_tokens_field="max_tokens",
    sampling=_ALL_SAMPLING,
    system_role="system",
    mid_system=False,
    merge_consecutive=True,
    reasoning_in="chat_template_kwargs",
)

# lmstudio.ai/docs/developer/openai-compat: `top_k` is taken, pictures come with their data.
LMSTUDIO = RequestShape(
    max_tokens_field="max_tokens",
    sampling=_ALL_SAMPLING,
    system_role="system",
    media_urls=False,
    think_tags=True,
)

# B.1. `logprobs` is a number there, and there is no answer format.
MLX = RequestShape(
    max_tokens_field="max_tokens",
    sampling=["temperature", "top_p", "top_k", "logit_bias", "stop"],
    system_role="system",
    mid_system=False,
    merge_consecutive=True,
    json_object=False,
    structured_output=False,
    think_tags=True,
)

# B.1, C.1.9. Without a reasoning parser the model's tags stand in the text.
VLLM = RequestShape(
    sampling=_ALL_SAMPLING,
    reasoning_in="chat_template_kwargs",
    reasoning_replay="always",
    reasoning_field="reasoning",
    think_tags=True,
    prefill_mark="continue_final_message",
)
