"""A request as a client sends it, to the values that the real reader and extractor give it.

The extractor's slots are the variables of a domain, so the values compare with a point.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, final

import msgspec

from lynkrc.codegen.dispatch import dispatch_of
from lynkrc.ir.assertion import is_beside
from lynkrc.ir.domain import Domain
from lynkrc.ir.table import RouteTable
from lynkrc.testing.sample import Walker
from lynkrc.testing.shown_key import ShownKey
from lynkrc.testing.wanted import OVER_LEXICON, lexicon_of, numbers_of
from lynkrc_runtime import dispatch
from lynkrc_runtime.feature_table import DIALECTS, EMBEDDINGS, SURFACES
from lynkrc_runtime.features import Extractor, RequestFacts
from lynkrc_runtime.protocol.anthropic import require_max_tokens
from lynkrc_runtime.protocol.conversation import MalformedRequest, Request
from lynkrc_runtime.protocol.embeddings.policy import pinned, target_of
from lynkrc_runtime.protocol.embeddings.request import read_request
from lynkrc_runtime.protocol.estimate import estimate_tokens
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.settings import Key

DIALECT_OF: Mapping[str, str] = dict(zip(SURFACES, DIALECTS, strict=True))
"""Surface -> dialect of a conversation."""

_USUAL_HOST = "localhost"


@final
class Replay:
    """Reads requests of one table over the variables of one domain."""

    def __init__(
        self,
        table: RouteTable,
        domain: Domain,
        walker: Walker,
    ) -> None:
        lexicons = walker.lexicons
        whole = dispatch_of(table)
        known = numbers_of(lexicons)
        self.clients: Sequence[dispatch.Client] = whole.clients
        self.embeddings: Mapping[str, str] = whole.settings.embeddings
        self.keys: Mapping[str, Key] = whole.settings.keys
        self._places: list[int] = []
        slots = []
        for place, variable in enumerate(domain.variables):
            slot = variable.slot
            args = list(slot.args)
            if is_beside(slot):
                continue
            if slot.feature in OVER_LEXICON:
                number = lexicon_of(variable, known)
                if number is None:
                    continue
                args = [args[0], str(number)]
            self._places.append(place)
            slots.append(
                dispatch.Slot(
                    feature=slot.feature,
                    args=args,
                    type=slot.type.value,
                    low=slot.low,
                    high=slot.high,
                    classes=[
                        dispatch.StringClass(kind=one.kind, text=one.text) for one in slot.classes
                    ],
                )
            )
        self._variables = len(domain.variables)
        named = [
            dispatch.Lexicon(
                name=str(number),
                first=lexicon.first,
                patterns=[entry.pattern for entry in lexicon.entries],
                weights64=[entry.weight64 for entry in lexicon.entries],
            )
            for number, lexicon in enumerate(lexicons)
        ]
        self._extractor = Extractor(
            msgspec.structs.replace(whole, slots=slots, lexicons=named),
            walker.tables if lexicons else None,
        )

    def values(
        self,
        surface: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any],
        key: ShownKey | None = None,
    ) -> tuple[list[int | None], int]:
        """The value of each variable, None where nothing can tell it, and the tokens of it all.

        Raises MalformedRequest where the dialect's reader does, RefusedRequest as the extractor.
        """
        data = json.dumps(body, ensure_ascii=False).encode()
        # What every client sends, whatever it is asked to send.
        facts = {"host": _USUAL_HOST, "content-length": str(len(data)), **headers}
        request = self.read(surface, facts, data)
        team, tenant = (None, None) if key is None else (key.team, key.tenant)
        whole = RequestFacts(surface=surface, headers=facts, team=team, tenant=tenant)
        vector = self._extractor.extract(request, whole)
        values: list[int | None] = [None] * self._variables
        for place, value in zip(self._places, vector, strict=True):
            values[place] = value
        return values, estimate_tokens(request)

    def read(self, surface: str, headers: Mapping[str, str], data: bytes) -> Request:
        """The request as the policy sees it. Raises MalformedRequest."""
        if surface == EMBEDDINGS:
            asked = read_request(data)
            target = target_of(self.embeddings, asked.model)
            if target is None:
                raise MalformedRequest("model", f"no target makes embeddings for {asked.model!r}")
            return pinned(asked, target)
        request = CLIENT_DIALECTS[DIALECT_OF[surface]].read_request(data, headers)
        if surface == SURFACES[0]:
            require_max_tokens(request)
        return request
