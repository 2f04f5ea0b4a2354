"""What an upstream takes of a request for embeddings: a member of its provider kind's row."""

from collections.abc import Mapping
from typing import final

import msgspec


@final
class Takes(msgspec.Struct, frozen=True, kw_only=True):
    """What an upstream of OpenAI's form takes beside `model` and `input`.

    `members` maps members of the client to the upstream's names, None is all by their own names.
    `base64`: it knows `encoding_format`; where it does not, its numbers are turned into base64.
    """

    members: Mapping[str, str] | None = None
    base64: bool = False
