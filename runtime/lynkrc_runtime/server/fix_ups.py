"""An upstream's refusal of a request, to the edit by which the target takes it: one visible table.

Each row has a sign in the failure and an edit of the request (wire reference D, last paragraph).
An attempt that failed for a known sign is made again at once with the edit: each row at most once
a request and target, counted neither as a retry nor by a breaker. What helped is remembered for
the target for an hour, so that the next request does not pay again. No I/O: who attempts asks here.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, final
from urllib.parse import urlsplit

import msgspec

from lynkrc_runtime.protocol.conversation import Failure
from lynkrc_runtime.protocol.losses import FEATURES, Does, losses_in
from lynkrc_runtime.protocol.openai_chat.bodies import Body, value_of
from lynkrc_runtime.protocol.stops import ENFORCED

TTL = 3600.0
"""Seconds a fix-up is remembered."""
LIMIT = 1024
"""Targets that are remembered, the oldest forgotten first."""

WITHOUT_THINKING: Final = "without thinking"
"""The row that the writers of requests apply (`TargetFacts.without_thinking`)."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@final
@dataclass(slots=True, kw_only=True)
class Sent:
    """A request as it goes to the upstream, under edit: address, members of the body, changes.

    Values of members are plain or still raw, so one without an edit keeps its bytes.
    """

    url: str
    body: Body = field(repr=False)
    changes: list[str]


Sign: TypeAlias = Callable[[Failure, Sent], str | None]
"""What the edit is to be about, '' for nothing in particular; None where the sign is not there."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fix-up. `lasts`: it is about the target, not about this request alone."""

    name: str
    sign: Sign
    edit: Callable[[Sent, str], None]
    lasts: bool = True


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FixUp:
    """A row, and what it is about here. `lasts`: the next request needs it too."""

    row: Row
    about: str
    lasts: bool = True


_CODES = frozenset(
    ("unsupported_parameter", "unsupported_value", "extra_forbidden", "unknown_parameter")
)
_REFUSED = re.compile(
    r"not support|n[o']t supported|unsupported|unknown|unrecognized|unexpected|not permitted"
    r"|not allowed|not a valid|extra inputs|additional propert",
    re.IGNORECASE,
)
_ON_DEMAND = re.compile(r"on-demand throughput is(?:n.t| not) supported", re.IGNORECASE)
_NO_THINKING = re.compile(r"(?:thinking|reasoning)\b.{0,60}not support|not support.{0,40}thinking")
_OF_VALUE = re.compile(r"unsupported value", re.IGNORECASE)
_ONE_VALUE = re.compile(r"only the default", re.IGNORECASE)
_KEPT = frozenset(
    ("model", "messages", "input", "system", "instructions", "tools", "contents", "stream")
)
"""Members that are the request itself."""

_STOPS = ("stop", "stop_sequences")

_SPELT = {"reasoning_effort": "effort", "think": "thinking"}
"""What the table of losses calls a member."""


def _known() -> frozenset[str]:
    dropped: set[str] = set()
    refused: set[str] = set()
    for feature in FEATURES.values():
        for outcome in feature.at.values():
            named = refused if outcome.does is Does.REFUSES else dropped
            named |= {name.removeprefix("dropped=") for name in outcome.names if "*" not in name}
    return frozenset((dropped | {*_STOPS, *_SPELT}) - refused - _KEPT)


_KNOWN = _known()
"""Members whose loss has a name in the table of losses, and no request is refused for."""

_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_INSTANCES = re.compile(r"^(?:us-gov|us|eu|apac|au|jp|global)\.")


def _names(member: str, failure: Failure) -> bool:
    """Whether the failure is about a member: its `param`, or the word in what it says."""
    if failure.param is not None and failure.param.partition(".")[0] == member:
        return True
    is_said = re.search(rf"(?<![\w.]){re.escape(member)}(?!\w)", failure.message)
    return is_said is not None and (_is_coded(failure) or bool(_REFUSED.search(failure.message)))


def _is_coded(failure: Failure) -> bool:
    return failure.code in _CODES


def _is_lasting(failure: Failure) -> bool:
    """Whether the target refuses a member for good: not just this value of it, or this place."""
    said = failure.message
    if failure.code == "unsupported_value" or _OF_VALUE.search(said):
        return _ONE_VALUE.search(said) is not None
    signs = (_REFUSED, _NO_THINKING, _ON_DEMAND)
    return _is_coded(failure) or any(sign.search(said) for sign in signs)


def _unreadable(failure: Failure, _: Sent) -> str | None:
    return "" if failure.unreadable_thinking else None


def _profile(failure: Failure, sent: Sent) -> str | None:
    """The prefix of the region's inference profiles (B.5)."""
    if not _ON_DEMAND.search(failure.message) or _INSTANCES.match(_bedrock_model(sent)):
        return None
    region = _region(sent.url)
    for start, prefix in (("us-gov-", "us-gov."), ("us-", "us."), ("eu-", "eu.")):
        if region.startswith(start):
            return prefix
    if region.startswith("ap-"):
        return {"ap-northeast-1": "jp.", "ap-southeast-2": "au."}.get(region, "apac.")
    return "global."


def _swap(failure: Failure, sent: Sent) -> str | None:
    for name, other in _LIMITS.items():
        if name in sent.body and other not in sent.body and _names(name, failure):
            return name
    return None


def _no_effort(failure: Failure, sent: Sent) -> str | None:
    """A model that calls tools only where it does not reason."""
    given = value_of(sent.body, "reasoning_effort")
    is_named = "reasoning_effort" in failure.message or failure.param == "reasoning_effort"
    wants_none = re.search(r"\bnone\b|\btools?\b", failure.message) is not None
    has_tools = bool(value_of(sent.body, "tools"))
    return "" if is_named and wants_none and has_tools and given != "none" else None


def _member(name: str) -> Sign:
    def sign(failure: Failure, sent: Sent) -> str | None:
        return name if name in sent.body and _names(name, failure) else None

    return sign


def _thinking(failure: Failure, sent: Sent) -> str | None:
    is_said = _names("thinking", failure) or _NO_THINKING.search(failure.message) is not None
    return next((name for name in ("thinking", "think") if name in sent.body and is_said), None)


def _strict(failure: Failure, sent: Sent) -> str | None:
    param = failure.param or ""
    is_said = param.rpartition(".")[2] == "strict" or _names("strict", failure)
    return "" if is_said and _holders_of_strict(dict(sent.body)) else None


def _named(failure: Failure, sent: Sent) -> str | None:
    """The member the upstream names, where one can go without."""
    if not _is_coded(failure) and not _REFUSED.search(failure.message):
        return None
    if failure.param is not None:
        name = re.split(r"[.\[]", failure.param)[0]
        return name if name in sent.body and name in _KNOWN else None
    named = [name for name in sent.body if name in _KNOWN and _quotes(name, failure.message)]
    return named[0] if len(named) == 1 else None


def _quotes(name: str, message: str) -> bool:
    """Whether a message speaks of the member, not just of what the word means."""
    word = re.escape(name)
    return re.search(rf"[`'\"]{word}[`'\"]|(?:^|: ){word}(?::|$)", message) is not None


def _drop(sent: Sent, name: str) -> None:
    if value_of(sent.body, name) is not None:
        del sent.body[name]
        lost = f"dropped={_SPELT.get(name, name)}"
        sent.changes.append(ENFORCED if name in _STOPS else lost)


def _rename(sent: Sent, name: str) -> None:
    other = _LIMITS[name]
    if name in sent.body and other not in sent.body:
        sent.body[other] = sent.body.pop(name)
        sent.changes.append(f"renamed={name}:{other}")


def _set_no_effort(sent: Sent, _: str) -> None:
    body = sent.body
    if value_of(body, "tools") and value_of(body, "reasoning_effort") != "none":
        sent.body["reasoning_effort"] = "none"
        sent.changes.append("reasoning_effort=none")


def _drop_strict(sent: Sent, _: str) -> None:
    was_strict = False
    for holder in _holders_of_strict(sent.body):
        was_strict |= bool(holder.pop("strict"))
    if was_strict:
        sent.changes.append("dropped=strict")


def _add_profile(sent: Sent, prefix: str) -> None:
    model = _bedrock_model(sent)
    if not model or _INSTANCES.match(model):
        return
    if "/model/" in sent.url:
        sent.url = sent.url.replace("/model/", f"/model/{prefix}", 1)
    else:
        sent.body["model"] = prefix + model
    sent.changes.append(f"profile={prefix}")


def _nothing(_: Sent, __: str) -> None:
    """The writer of the request has left it out already."""


FIX_UPS: tuple[Row, ...] = (
    Row(name=WITHOUT_THINKING, sign=_unreadable, edit=_nothing, lasts=False),
    Row(name="inference profile", sign=_profile, edit=_add_profile),
    Row(name="other limit", sign=_swap, edit=_rename),
    Row(name="no effort beside tools", sign=_no_effort, edit=_set_no_effort),
    Row(name="no stream_options", sign=_member("stream_options"), edit=_drop),
    Row(name="no parallel_tool_calls", sign=_member("parallel_tool_calls"), edit=_drop),
    Row(name="no thinking", sign=_thinking, edit=_drop),
    Row(name="no strict", sign=_strict, edit=_drop_strict),
    Row(name="no named member", sign=_named, edit=_drop),
)
"""The first row whose sign is there is tried, then the next."""


def fix_up_of(
    failure: Failure, url: str, body: bytes, done: Iterable[FixUp], *, may_lose: bool
) -> FixUp | None:
    """The fix-up to try after this failure, of those that have not been tried; None without one.

    `may_lose`: whether the target may be told less of the request.
    """
    is_refusal = failure.status in (400, 422) and not failure.context_overflow
    if not is_refusal and not failure.unreadable_thinking:
        return None
    sent = edited(url, body, ())
    tried = {one.row.name for one in done}
    for row in FIX_UPS:
        if row.name in tried or not (is_refusal or row.name == WITHOUT_THINKING):
            continue
        about = row.sign(failure, sent)
        if about is not None:
            fix = FixUp(row=row, about=about, lasts=row.lasts and _is_lasting(failure))
            return fix if may_lose or not _loses(fix, url, body) else None
    return None


def edited(url: str, body: bytes, fixes: Iterable[FixUp]) -> Sent:
    """The request with these fix-ups; what they change is listed."""
    sent = Sent(url=url, body=_members(body), changes=[])
    for fix in fixes:
        fix.row.edit(sent, fix.about)
    return sent


def _loses(fix: FixUp, url: str, body: bytes) -> bool:
    if fix.row.name == WITHOUT_THINKING:
        return True
    return bool(losses_in(edited(url, body, (fix,)).changes))


@final
class FixUpMemory:
    """What helped a target, for a while; `clock` gives seconds that never run backwards.

    A target is remembered by its name and the dialect it was called in: what one of its endpoints
    refuses another may take.
    """

    __slots__ = ("_clock", "known")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.known: OrderedDict[tuple[str, str], tuple[float, tuple[FixUp, ...]]] = OrderedDict()
        """Until when each of them is remembered, and what; to be asked whether there are any."""

    def __len__(self) -> int:
        return len(self.known)

    def of(self, target: str, dialect: str) -> tuple[FixUp, ...]:
        """The fix-ups that a request to the target needs from the start."""
        known = self.known.get((target, dialect))
        if known is None:
            return ()
        if self._clock() >= known[0]:
            del self.known[target, dialect]
            return ()
        return known[1]

    def helped(self, target: str, dialect: str, fixes: Iterable[FixUp]) -> None:
        """The target took a request with these."""
        lasting = tuple(fix for fix in fixes if fix.lasts)
        if not lasting or lasting == self.of(target, dialect):
            return
        self.known[target, dialect] = (self._clock() + TTL, lasting)
        self.known.move_to_end((target, dialect))
        if len(self.known) > LIMIT:
            self.known.popitem(last=False)


def _holders_of_strict(body: Body) -> list[dict[str, Any]]:
    """The objects of a body that have a `strict`: tools, their functions, the answer's schema."""
    found: list[dict[str, Any]] = []
    for name in ("tools", "response_format"):
        value = value_of(body, name)
        before = len(found)
        for holder in value if isinstance(value, list) else [value]:
            if isinstance(holder, dict):
                inside = (holder, holder.get("function"), holder.get("json_schema"))
                found += (one for one in inside if isinstance(one, dict) and "strict" in one)
        if len(found) > before:
            body[name] = value
    return found


def _bedrock_model(sent: Sent) -> str:
    _, mark, rest = sent.url.partition("/model/")
    model = rest.partition("/")[0] if mark else value_of(sent.body, "model")
    return model if isinstance(model, str) and not model.startswith("arn") else ""


def _region(url: str) -> str:
    """The region in an address of Bedrock: the label behind the service's.

    >>> _region("https://bedrock-runtime.eu-west-1.amazonaws.com/model/x/converse")
    'eu-west-1'
    """
    labels = (urlsplit(url).hostname or "").split(".")
    return labels[1] if len(labels) > 2 else ""
