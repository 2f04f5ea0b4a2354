"""Reasoning of an assistant turn, to what its maker wants back beside the text (C.1.7, B.9-B.14).

Only what this maker sealed, or what nobody signed, goes back; all else is left out and listed.

>>> from lynkrc_runtime.protocol.dialect import ANY_TARGET
>>> from dataclasses import replace
>>> from lynkrc_runtime.protocol.shapes import RequestShape
>>> shape = RequestShape(reasoning_replay="with_tools")
>>> message, changes = {}, {}
>>> replay = Replay(replace(ANY_TARGET, shape=shape), changes)
>>> replay.add(Thinking(text="Hm."))
>>> replay.write(message, has_calls=True)
>>> message, list(changes)
({'reasoning_content': 'Hm.'}, [])
"""

from typing import Any, final

from lynkrc_runtime.protocol.carrier import (
    DETAILS,
    MARKER,
    is_foreign,
    restored,
    sealed_details,
)
from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import RedactedThinking, Thinking
from lynkrc_runtime.protocol.dialect import TargetFacts

Json = dict[str, Any]


@final
class Replay:
    """The reasoning of one turn, for one target."""

    __slots__ = ("_changes", "_details", "_facts", "_parts", "_texts")

    def __init__(self, facts: TargetFacts, changes: Changes) -> None:
        self._changes = changes
        self._facts = facts
        self._texts: list[str] = []
        self._details: list[Any] = []
        self._parts: list[Json] = []

    def add(self, block: Thinking | RedactedThinking) -> None:
        """One block of the turn, in order."""
        shape, maker = self._facts.shape, self._facts.maker
        replays = shape.reasoning_replay in ("with_tools", "always")
        if not replays or self._facts.without_thinking or isinstance(block, RedactedThinking):
            self._lose()
            return
        details = sealed_details(restored(block.signature, DETAILS, maker))
        if shape.reasoning_field == "reasoning_details" and details is not None:
            self._details += details
        elif shape.reasoning_field == "content" and not is_foreign(block):
            summary = {"type": "summary_text", "text": block.text, "signature": block.signature}
            self._parts.append({"type": "reasoning", "summary": [summary]})
        elif not block.signature or restored(block.signature, MARKER, maker) is not None:
            self._texts.append(block.text)
        else:
            self._lose()

    def write(self, message: Json, *, has_calls: bool) -> None:
        """Put it beside the text of `message`."""
        shape = self._facts.shape
        field = shape.reasoning_field or "reasoning_content"
        is_read = has_calls or shape.reasoning_replay != "with_tools"
        if self._parts and is_read:
            text = message.get("content")
            said = [{"type": "text", "text": text}] if text else []
            message["content"] = [*self._parts, *said]
        elif self._details and is_read:
            message["reasoning_details"] = self._details
        elif self._texts and is_read and field != "content":
            name = "reasoning" if field == "reasoning_details" else field
            message[name] = "\n\n".join(text for text in self._texts if text)
        elif self._texts or self._details or self._parts:
            self._lose()
        # What must be there though nobody knows it is made empty by `fit_messages`.

    def drop(self) -> None:
        """Nothing else of the turn can be said, so its reasoning cannot either."""
        if self._texts or self._details or self._parts:
            self._lose()

    def _lose(self) -> None:
        self._changes["stripped=thinking"] = None
