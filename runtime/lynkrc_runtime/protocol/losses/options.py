"""The options of a request: limits, sampling, reasoning and the form of the answer."""

from lynkrc_runtime.protocol.losses.model import (
    CARRIED,
    CHAT,
    EVERY,
    MESSAGES,
    OPENAI,
    RESPONSES,
    Clients,
    Feature,
    changes,
    drops,
    feature,
    refuses,
)

_WITH_TOP_K: Clients = (*MESSAGES, *CHAT)
_STRICT = "strict only where the schema qualifies"
_DIGEST = changes("a digest travels", "hashed=user", "dropped=metadata.user_id")
_NO_USER = drops("user", "metadata.user_id", "metadata", "hashed=user")
_METADATA = drops("metadata", "metadata.*")

LIMITS: tuple[Feature, ...] = (
    feature(
        "max_tokens",
        "The most tokens of the answer.",
        EVERY,
        gemini=changes("with room for thinking, which counts in it", "max_tokens=*"),
        others=CARRIED,
    ),
    feature(
        "no max_tokens",
        "The answer may be as long as the model likes.",
        OPENAI,
        messages=changes("the dialect needs a limit: the model's, at most 32,000", "max_tokens=*"),
        others=CARRIED,
    ),
    feature(
        "max_tokens: 0",
        "Only warm the prompt cache.",
        MESSAGES,
        messages=CARRIED,
        others=refuses("max_tokens"),
    ),
    feature(
        "temperature",
        "Sampling temperature.",
        EVERY,
        messages=changes("at most 1; none beside thinking", "temperature=1", "dropped=temperature"),
        converse=changes("at most 1", "temperature=1", "dropped=temperature"),
        others=CARRIED,
    ),
    feature(
        "top_p",
        "Nucleus sampling.",
        EVERY,
        messages=changes("not beside a temperature", "dropped=top_p"),
        converse=changes("not beside a temperature", "dropped=top_p"),
        others=CARRIED,
    ),
    feature(
        "top_k",
        "Sampling from the k likeliest tokens.",
        _WITH_TOP_K,
        chat=drops("top_k", how="but for models known to take it"),
        responses=drops("top_k"),
        converse=changes("for Claude models", "dropped=top_k"),
        others=CARRIED,
        matters=True,
    ),
    feature(
        "stop sequences",
        "Texts that end the answer.",
        _WITH_TOP_K,
        messages=changes("blank ones are enforced here", "enforced=stop"),
        responses=changes("enforced here", "enforced=stop"),
        converse=changes("blank ones are enforced here", "enforced=stop"),
        others=CARRIED,
    ),
    feature(
        "many stop sequences",
        "More than four of them.",
        MESSAGES,
        chat=changes("the first four; the rest are enforced here", "enforced=stop"),
        responses=changes("enforced here", "enforced=stop"),
        gemini=changes("the first five; the rest are enforced here", "enforced=stop"),
        others=CARRIED,
    ),
    feature(
        "seed",
        "The start of the random numbers.",
        CHAT,
        chat=CARRIED,
        gemini=changes("within 32 bits", "dropped=seed"),
        ollama=CARRIED,
        others=drops("seed"),
        matters=True,
    ),
    *(
        feature(
            name,
            f"Weight against {what}.",
            CHAT,
            chat=CARRIED,
            gemini=CARRIED,
            ollama=CARRIED,
            others=drops(name),
        )
        for name, what in (
            ("presence_penalty", "words that were used"),
            ("frequency_penalty", "words that were used often"),
        )
    ),
    feature(
        "logit_bias", "Weights of single tokens.", CHAT, chat=CARRIED, others=drops("logit_bias")
    ),
    feature(
        "logprobs",
        "The likelihoods of the tokens, in the answer.",
        OPENAI,
        others=drops("logprobs", "top_logprobs"),
        matters=True,
    ),
    feature("n", "Several answers to one request.", CHAT, others=refuses("n"), matters=True),
)

REASONING: tuple[Feature, ...] = (
    feature(
        "effort",
        "How hard to think: `output_config.effort`, `reasoning_effort`, `reasoning.effort`.",
        EVERY,
        messages=changes(
            "the nearest form of thinking",
            "effort=*",
            "thinking=*",
            "thinking.budget_tokens=*",
            "max_tokens=*",
            "dropped=thinking",
        ),
        chat=changes("the nearest word", "reasoning_effort=*"),
        responses=changes("the nearest word", "reasoning.effort=*", "effort=*"),
        gemini=changes("a thinking level or budget", "thinking*=*", "dropped=thinking"),
        converse=changes(
            "for models that take one",
            "effort=*",
            "thinking*=*",
            "dropped=effort",
            "dropped=thinking",
        ),
        ollama=changes("the nearest of its words", "effort=*", "think*=*", "dropped=effort"),
    ),
    feature(
        "thinking",
        "Whether to think and with what budget: `thinking.type`, `budget_tokens`.",
        MESSAGES,
        messages=CARRIED,
        chat=changes("an effort of the same intent", "reasoning_effort=*"),
        responses=changes("an effort of the same intent", "reasoning.effort=*", "effort=*"),
        gemini=changes("a thinking level or budget", "thinking*=*", "dropped=thinking"),
        converse=changes("for Claude models", "effort=*", "thinking*=*", "dropped=thinking"),
        ollama=changes("on, off or a word", "effort=*", "think*=*", "dropped=thinking"),
    ),
    feature(
        "thinking.display",
        "Whether the answer shows a summary of the reasoning.",
        MESSAGES,
        messages=CARRIED,
        responses=changes("a summary, or none", "dropped=thinking.display"),
        gemini=changes("whether thoughts are shown", "dropped=thinking.display"),
        converse=changes("for Claude models", "dropped=thinking.display", "dropped=thinking"),
        others=drops("thinking.display"),
    ),
    feature(
        "reasoning.summary",
        "Whether the answer shows a summary of the reasoning.",
        RESPONSES,
        messages=changes("shown, of whatever length", "dropped=reasoning.summary"),
        converse=changes("shown, of whatever length", "dropped=reasoning.summary"),
        gemini=changes("shown, of whatever length", "dropped=reasoning.summary"),
        others=changes("where the model reasons it is shown", "dropped=reasoning.summary"),
    ),
    feature(
        "reasoning.context",
        "Which turns' reasoning the model is given, and in what mode it thinks.",
        RESPONSES,
        others=drops("reasoning.context", "reasoning.mode", "reasoning"),
    ),
)

FORM: tuple[Feature, ...] = (
    feature(
        "json_schema",
        "The answer must fit a JSON schema.",
        EVERY,
        chat=changes(_STRICT, "response_format.strict=false"),
        responses=changes(_STRICT, "response_format.strict=false", "text.format.strict=false"),
        gemini=changes("with what the dialect knows of JSON Schema", "schema=*"),
        others=CARRIED,
    ),
    feature(
        "json_object",
        "The answer must be some JSON object.",
        OPENAI,
        messages=changes("asked for in words", "prompted=response_format"),
        converse=changes("asked for in words", "prompted=response_format"),
        others=CARRIED,
        matters=True,
    ),
    feature(
        "verbosity",
        "How long-winded the answer is.",
        OPENAI,
        chat=CARRIED,
        responses=CARRIED,
        others=drops("verbosity", "text.verbosity"),
    ),
    feature(
        "user",
        "Who the user is: `metadata.user_id`, `user`.",
        EVERY,
        messages=_DIGEST,
        chat=_DIGEST,
        responses=_DIGEST,
        others=_NO_USER,
    ),
    feature("metadata", "What the client wants kept beside the request.", OPENAI, others=_METADATA),
    feature("service_tier", "How urgent it is.", EVERY, others=drops("service_tier")),
    feature(
        "stream_options.include_obfuscation",
        "Padding of a stream's chunks.",
        OPENAI,
        others=drops("stream_options.*", "stream_options"),
    ),
    feature(
        "audio",
        "An answer that is spoken.",
        CHAT,
        others=refuses("audio", "modalities", "dropped=audio", "dropped=modalities"),
        matters=True,
    ),
    feature(
        "prediction",
        "Text the answer will mostly repeat.",
        CHAT,
        others=drops("prediction"),
    ),
)
