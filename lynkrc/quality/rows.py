"""A file of labelled requests, one JSON object a line, to its rows, and to what is wrong in it.

A row is a request and what is known of it: the score and the cost of models that answered it, or
the tier that a careful person would choose. `schema/eval-data.schema.json` describes one.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.quality.parts import BadPart, Parts
from lynkrc.quality.strict_json import NotStrict, loads
from lynkrc_runtime.feature_table import SURFACES

MODEL = "auto"
"""The model that the request of a plain prompt asks for."""
DEAREST = 1_000_000
"""USD: what costs more is no request, and sums of such costs have no end."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a row stands: the file as it was named, and the line, from 1."""

    file: str
    line: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """A mistake in a data file: what it is, and a way out."""

    place: Place
    message: str
    help: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A request as a client sends it: names of headers in lower case, the body as JSON."""

    surface: str
    headers: Mapping[str, str]
    body: bytes


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled request.

    `prompt` is set where the row is a plain prompt; `request` is then one user message in Chat.
    Rows of one `group` are not independent (one conversation at several points); a row without
    one is its own. `scores` are in 0..1 and `costs` in USD, by model; `weak` and `strong` name
    two of the scores. `tier` is the label of a person, `why` the reason.
    """

    id: str
    suite: str
    task: str
    group: str
    prompt: str | None
    request: Sending
    scores: Mapping[str, float] | None
    costs: Mapping[str, float] | None
    weak: str | None
    strong: str | None
    split: str | None
    tier: str | None
    why: str | None
    place: Place


def read_rows(path: Path) -> tuple[tuple[Row, ...], tuple[RowProblem, ...]]:
    """The rows without a mistake, in order, and every mistake.

    Blank lines are none of either. Raises OSError where the data file itself cannot be read.
    """
    reader = _Reader(file=str(path), parts=Parts(path.parent))
    rows = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                # Some editors write a byte order mark, as before a spec.
                row = reader.row(number, line.removeprefix(BOM_UTF8) if number == 1 else line)
                if row is not None:
                    rows.append(row)
    return tuple(rows), tuple(reader.problems)


_MEMBERS = (
    *("id", "suite", "task", "prompt", "request", "scores", "cost", "weak", "strong", "split"),
    *("tier", "why", "group"),
)
_REQUEST = ("surface", "headers", "body")


@final
@dataclass(slots=True, kw_only=True)
class _Reader:
    """One file on its way: its parts, its ids so far, its problems."""

    file: str
    parts: Parts
    problems: list[RowProblem] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    line: int = 0

    def row(self, line: int, data: bytes) -> Row | None:
        """The row of a line; None where something is wrong with it, which is then a problem."""
        self.line = line
        before = len(self.problems)
        try:
            value = loads(data)
        except NotStrict as error:
            self._find(f"the line is not JSON: {error}", error.help)
            return None
        if not isinstance(value, dict):
            self._find("the line is no JSON object", "write one object a line")
            return None
        self._check_members(value, _MEMBERS, "a row")
        row = self._read(value)
        return row if len(self.problems) == before else None

    def _read(self, value: dict[str, Any]) -> Row | None:
        id_ = self._id(value)
        suite, task = self._text(value, "suite"), self._text(value, "task")
        group, split = self._maybe(value, "group"), self._maybe(value, "split")
        tier, why = self._maybe(value, "tier"), self._maybe(value, "why")
        scores = self._numbers(value, "scores", _is_score, "from 0 to 1")
        costs = self._numbers(value, "cost", _is_cost, f"of USD, from 0 to {DEAREST:,}")
        weak, strong = (self._model(value, name, scores) for name in ("weak", "strong"))
        if weak is not None and weak == strong:
            self._find("`weak` and `strong` are the same model", "name two of `scores`")
        request = self._request(value)
        if request is None:
            return None
        return Row(
            id=id_,
            suite=suite,
            task=task,
            group=id_ if group is None else group,
            prompt=value.get("prompt"),
            request=request,
            scores=scores,
            costs=costs,
            weak=weak,
            strong=strong,
            split=split,
            tier=tier,
            why=why,
            place=Place(file=self.file, line=self.line),
        )

    def _id(self, value: dict[str, Any]) -> str:
        id_ = self._text(value, "id")
        first = self.ids.setdefault(id_, self.line) if id_ else self.line
        if first != self.line:
            message = f"the id {shown(id_)} is that of line {first} too"
            self._find(message, "give one of the two another id")
        return id_

    def _request(self, value: dict[str, Any]) -> Sending | None:
        if ("prompt" in value) == ("request" in value):
            both = "prompt" in value
            self._find(
                f"the row has {'both' if both else 'neither'} `prompt` {'and' if both else 'nor'}"
                " `request`",
                "give `prompt` for a plain text, or `request` for what a client sends",
            )
            return None
        if "prompt" in value:
            said = [{"role": "user", "content": self._text(value, "prompt")}]
            body = _bytes({"model": MODEL, "messages": said})
            return Sending(surface="chat", headers={}, body=body)
        request = value["request"]
        if not isinstance(request, dict):
            self._find("`request` is no object", 'write {"surface": ..., "body": {...}}')
            return None
        self._check_members(request, _REQUEST, "a request")
        surface = request.get("surface")
        if surface not in SURFACES:
            self._find("the surface is none that we know", f"it is {listed(SURFACES)}")
        headers = self._headers(request)
        if not isinstance(request.get("body"), dict):
            self._find("the request has no `body` that is an object", "write the client's JSON")
            return None
        try:
            filled = _bytes(self.parts.filled(request["body"]))
        except BadPart as problem:
            self._find(problem.message, problem.help)
            return None
        return Sending(surface=str(surface), headers=headers, body=filled)

    def _headers(self, request: dict[str, Any]) -> Mapping[str, str]:
        headers: dict[str, str] = {}
        given = request.get("headers", {})
        if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
            self._find("`headers` is no object of strings", 'write {"user-agent": "..."}')
            return headers
        for name, text in given.items():
            if name.lower() in headers:
                self._find(f"the header {shown(name)} stands here twice", "remove one of the two")
            headers[name.lower()] = text
        return headers

    def _numbers(
        self, value: dict[str, Any], name: str, is_right: Callable[[float], bool], what: str
    ) -> Mapping[str, float] | None:
        given = value.get(name)
        if given is None:
            return None
        if not isinstance(given, dict) or not given:
            self._find(f"`{name}` is no object with a number for each model", "or write null")
            return None
        numbers = {}
        for model, member in given.items():
            number = _number(member)
            if number is None or not is_right(number):
                message = f"`{name}` of {shown(model)} is no number {what}"
                self._find(message, "correct it, or leave the model out")
            else:
                numbers[model] = number
        return numbers

    def _model(
        self, value: dict[str, Any], name: str, scores: Mapping[str, float] | None
    ) -> str | None:
        model = self._maybe(value, name)
        given = value.get("scores")
        # What is wrong with the scores themselves is told once.
        is_scored = model in given if isinstance(given, dict) else given is not None
        if model is not None and not is_scored:
            help = did_you_mean(model, [*scores], "they are of") if scores else "give `scores`"
            self._find(f"`{name}` is {shown(model)}, which has no score", help)
        return model

    def _text(self, value: dict[str, Any], name: str) -> str:
        """A text that must be there; empty where it is not, which is then a problem."""
        given = value.get(name)
        if isinstance(given, str) and given:
            return given
        self._find(f"`{name}` is {'missing' if given is None else 'no text'}", "give it a text")
        return ""

    def _maybe(self, value: dict[str, Any], name: str) -> str | None:
        given = value.get(name)
        return None if given is None else self._text(value, name)

    def _check_members(self, value: dict[str, Any], known: tuple[str, ...], of: str) -> None:
        for name in value:
            if name not in known:
                help = did_you_mean(name, known, "it has")
                self._find(f"{of} has no member {shown(name)}", help)

    def _find(self, message: str, help: str) -> None:
        place = Place(file=self.file, line=self.line)
        self.problems.append(RowProblem(place=place, message=message, help=help))


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _is_score(number: float) -> bool:
    return 0 <= number <= 1


def _is_cost(number: float) -> bool:
    return 0 <= number <= DEAREST


def shown_problem(problem: RowProblem) -> Iterator[str]:
    """The problem in two lines, as a compiler says it: place and message, then the way out."""
    yield f"{problem.place.file}:{problem.place.line}: {problem.message}"
    yield f"  help: {problem.help}"
