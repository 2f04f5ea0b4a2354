"""Tools of a request: what is offered, and how the model may choose."""

from lynkrc_runtime.protocol.losses.model import (
    CARRIED,
    EVERY,
    MESSAGES,
    OPENAI,
    RESPONSES,
    Feature,
    changes,
    drops,
    feature,
)

_QUALIFIED = changes("where the schema qualifies", "dropped=strict")
_SHORTENED = changes("as the dialect takes them, restored in the answer", "mapped=tool-names")
_ONE_INPUT = changes("a function with one text", "mapped=custom-tools")
_LOST_CHOICE = "dropped=tool_choice"
_ASKED = changes("asked for in words", "prompted=tool_choice", _LOST_CHOICE, "tool_choice=auto")
_FILTERED = changes("only those are offered", "filtered=tools")
_SINGLE = drops("parallel_tool_calls", "parallel_tools", "disable_parallel_tool_use")

TOOLS: tuple[Feature, ...] = (
    feature("tools", "Functions the client runs.", EVERY, others=CARRIED),
    feature(
        "tool names",
        "Names longer than 64 characters or with other characters than `a-zA-Z0-9_-`.",
        EVERY,
        ollama=CARRIED,
        others=_SHORTENED,
    ),
    feature(
        "schema forms",
        "`anyOf`, `oneOf` or `allOf` at the top of a tool's schema.",
        EVERY,
        messages=changes("merged into one object", "schema=*"),
        chat=CARRIED,
        responses=CARRIED,
        others=changes("as the dialect takes them", "schema=*"),
    ),
    feature(
        "strict tools",
        "Arguments that must fit the schema.",
        EVERY,
        gemini=drops("strict"),
        ollama=drops("strict"),
        others=_QUALIFIED,
    ),
    feature(
        "custom tools",
        "Tools that take free text.",
        OPENAI,
        chat=changes("itself, or a function with one text", "mapped=custom-tools"),
        responses=CARRIED,
        others=_ONE_INPUT,
    ),
    feature(
        "custom tool grammars",
        "A grammar for that text.",
        OPENAI,
        responses=CARRIED,
        others=changes("words in its description", "mapped=custom-tools", "dropped=format"),
        matters=True,
    ),
    feature(
        "server tools",
        "Tools that the API runs, or whose schema it knows: web search, bash, computer use.",
        MESSAGES,
        messages=CARRIED,
        others=drops("tools.*"),
        matters=True,
    ),
    feature(
        "hosted tools",
        "Tools that the API runs: web search, file search, code, pictures, MCP.",
        OPENAI,
        others=drops("tools.*"),
        matters=True,
    ),
    *(
        feature(name, text, (*MESSAGES, *RESPONSES), others=drops(name))
        for name, text in (
            ("defer_loading", "Tools that are loaded when they are searched for."),
            ("allowed_callers", "Who may call a tool."),
        )
    ),
    feature(
        "tool hints",
        "Examples of a tool's input, and how its input is streamed.",
        MESSAGES,
        others=drops("input_examples", "eager_input_streaming"),
    ),
    feature(
        "tool results' form",
        "What a tool returns, and whether it is waited for.",
        RESPONSES,
        others=drops("output_schema", "async"),
    ),
    feature(
        "history of calls without tools",
        "Tool calls in the history of a request that offers no tool.",
        EVERY,
        converse=changes("the tools are offered again", "added=tools"),
        others=CARRIED,
    ),
    feature(
        "callers",
        "Which server tool made a call.",
        MESSAGES,
        others=drops("caller", "toolset_name"),
    ),
)

CHOICE: tuple[Feature, ...] = (
    feature(
        "forced tool_choice",
        "Some tool, or a named one, must be called.",
        EVERY,
        messages=changes("but for a tool that was left out", _LOST_CHOICE),
        ollama=_ASKED,
        others=CARRIED,
        matters=True,
    ),
    feature(
        "tool_choice: none",
        "No tool may be called.",
        EVERY,
        converse=_ASKED,
        ollama=changes("no tool is offered", "dropped=tools", _LOST_CHOICE),
        others=CARRIED,
    ),
    feature(
        "allowed tools",
        "Only some of the tools may be called.",
        OPENAI,
        chat=CARRIED,
        responses=CARRIED,
        others=_FILTERED,
    ),
    feature(
        "parallel_tool_calls: false",
        "At most one call in a turn.",
        EVERY,
        messages=changes("but beside `tool_choice: none`", "dropped=parallel_tool_calls"),
        chat=CARRIED,
        responses=CARRIED,
        converse=changes("for Claude models", *_SINGLE.names),
        ollama=changes("asked for in words", "prompted=parallel_tool_calls"),
        others=_SINGLE,
        matters=True,
    ),
)
