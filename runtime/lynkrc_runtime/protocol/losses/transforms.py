"""The name of a transform, to what it means and whether something was lost.

A loss is what a request asked for and the target was not told, or what was a guarantee and became
a wish. A change of spelling, a value brought into the target's range and a repair lose nothing.

>>> losses_in(("max_tokens=64000", "dropped=top_k", "dropped=billing-header"))
('dropped=top_k',)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TransformName:
    """A form of names, ``*`` for any text; the first that fits a name is its own."""

    pattern: str
    meaning: str
    loses: bool


def _kept(pattern: str, meaning: str) -> TransformName:
    return TransformName(pattern=pattern, meaning=meaning, loses=False)


def _lost(pattern: str, meaning: str) -> TransformName:
    return TransformName(pattern=pattern, meaning=meaning, loses=True)


TRANSFORMS: tuple[TransformName, ...] = (
    _kept("dropped=billing-header", "a line that is not for the model is left out"),
    _kept("dropped=beta:*", "a beta the model does not know is not asked for"),
    _kept("dropped=tools", "no tool is offered, as none may be called"),
    _kept("dropped=max_tokens", "of two limits one is sent"),
    _kept("dropped=max_completion_tokens", "of two limits one is sent"),
    _kept("dropped=stream_options", "the target sends usage, or pads its stream, as it likes"),
    _kept("dropped=stream_options.*", "the target sends usage, or pads its stream, as it likes"),
    _kept("dropped=include.reasoning.encrypted_content", "the model has no reasoning to return"),
    _lost("dropped=tools.*", "tools of this type are left out"),
    _lost("dropped=*", "the member, option or block of this name is left out"),
    _lost("stripped=thinking", "reasoning of an earlier turn, made by another, is left out"),
    _lost("prompted=*", "what was a parameter is asked for in words: nothing enforces it"),
    _lost("tool_choice=auto", "the model may choose: it takes no other choice"),
    _lost("function_call=auto", "the model may choose: it takes no other choice"),
    _kept("enforced=stop", "the gateway ends the answer: not every stop sequence is sent"),
    _lost("*.strict=false", "the schema is asked for and not enforced: it does not qualify"),
    _kept("folded=mid-system", "later instructions are a reminder in a turn of the user"),
    _kept("folded=is_error", "words in front of a tool's result say that it failed"),
    _kept("added=stream_options.include_usage", "the target is asked for usage in its stream"),
    _kept("added=tool_result", "a call without a result gets a stand-in"),
    _kept("added=user-turn", "the conversation begins with a turn of the user"),
    _kept("added=*", "what the target cannot do without is added"),
    _kept("orphan=tool_result", "a result whose call is gone is text of the user"),
    _kept("moved=*", "it stands at another place"),
    _kept("merged=messages", "neighbours of one role are one message"),
    _kept("mapped=tool-ids", "ids of calls have the target's form"),
    _kept("mapped=tool-names", "tools have shorter names, which the answer restores"),
    _kept("mapped=custom-tools", "a tool that takes free text is a function with one text"),
    _kept("filtered=tools", "only the tools that may be called are offered"),
    _kept("hashed=user", "a digest of the user's name is sent"),
    _kept("profile=*", "the inference profile of the region is called, not the bare model"),
    _kept("renamed=*", "the member has another name"),
    _kept("system_role=*", "instructions have this role"),
    _kept("schema=*", "the schema of this tool is written as the target takes it"),
    _kept("store=false", "the target keeps nothing"),
    _kept("tokens-estimated", "tokens were counted by the gateway"),
    _kept("*max_tokens=*", "the limit of the answer, where there was none or the model's is less"),
    _kept("max_*_tokens=*", "the limit of the answer, where there was none or the model's is less"),
    _kept("num_predict=*", "the limit of the answer, where there was none or the model's is less"),
    _kept("temperature=*", "the nearest temperature the target takes"),
    _kept("*effort=*", "the nearest effort the model knows"),
    _kept("think*=*", "the nearest form of thinking the model knows"),
)
"""Every form of name, those that say more first."""


def fits(name: str, pattern: str) -> bool:
    """Whether a name has the form of a pattern, in which each ``*`` is any text.

    >>> fits("dropped=web_search_tool_result", "dropped=*_tool_result"), fits("stop=4", "stop")
    (True, False)
    """
    head, *others = pattern.split("*")
    if not others:
        return name == pattern
    tail, at = others.pop(), len(head)
    for middle in others:
        found = name.find(middle, at)
        if found < 0:
            return False
        at = found + len(middle)
    return name.startswith(head) and name.endswith(tail) and len(name) - len(tail) >= at


def form_of(transform: str) -> TransformName | None:
    """The form of a transform's name; None for one that nobody declared."""
    return next((form for form in TRANSFORMS if fits(transform, form.pattern)), None)


def losses_in(transforms: Iterable[str]) -> tuple[str, ...]:
    """Those by which something is lost; what nobody declared counts as lost."""
    found = []
    for transform in transforms:
        form = form_of(transform)
        if form is None or form.loses:
            found.append(transform)
    return tuple(found)
