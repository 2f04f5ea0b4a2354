"""Clones of public repositories to the labelled requests that the figures of the docs are of.

    python tests/data/public/make_rows.py make routellm CLONE routellm.jsonl
    python tests/data/public/make_rows.py make llmrouter CLONE llmrouter.jsonl
    python tests/data/public/make_rows.py check zeroeval FILE

`make` writes rows for `lynkrc eval` and then checks them. `check` compares any file of rows with
the list beside this script: which rows, and whether prompts, scores and costs are those of the
figures. Exits 0 where they are, 1 where they are not, 2 where something cannot be read. Needs the
standard library alone, and no network.
"""

import argparse
import csv
import io
import json
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, final

HERE = Path(__file__).resolve().parent

Row = dict[str, Any]
"""A line of the file: what `schema/eval-data.schema.json` describes."""

SPLIT = "dev"
COLUMNS = {"prompts": "prompt", "scores": "scores", "costs": "cost"}
"""What has a digest in a list of rows, and the member of a row it is of."""

DECIMALS = 4
"""Scores that are no whole numbers are rounded to so many."""


@final
class Unusable(Exception):
    """A file that cannot be used: what is wrong, and a way out."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The rows of one set: where they come from, the task of each by id, digests by column."""

    repository: str
    commit: str
    tasks: Mapping[str, str]
    digests: Mapping[str, str]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A prompt, and by model what its answer scored (0 to 1) and cost (USD, an estimate)."""

    prompt: str
    scores: Mapping[str, float]
    costs: Mapping[str, float] | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A set that can be made: the pair of models compared, and what reads rows of a clone by id."""

    weak: str
    strong: str
    read: Callable[[Path, Container[str]], Iterator[tuple[str, Answered]]]


def read_wanted(text: str) -> Wanted:
    """A list of rows as the files beside this script have it.

    >>> wanted = read_wanted("source https://a.test/b 1f\\nsha256 scores 00\\ntask t a-\\n  0-1 3")
    >>> wanted.commit, sorted(wanted.tasks), dict(wanted.digests)
    ('1f', ['a-0', 'a-1', 'a-3'], {'scores': '00'})
    """
    repository = commit = task = prefix = ""
    tasks: dict[str, str] = {}
    digests: dict[str, str] = {}
    for line in text.splitlines():
        match line.split():
            case []:
                pass
            case [first, *_] if first.startswith("#"):
                pass
            case ["source", repository, commit]:
                pass
            case ["sha256", column, digest]:
                digests[column] = digest
            case ["task", task, prefix]:
                pass
            case runs:
                for run in runs:
                    first, _, last = run.partition("-")
                    for number in range(int(first), int(last or first) + 1):
                        tasks[f"{prefix}{number}"] = task
    return Wanted(repository=repository, commit=commit, tasks=tasks, digests=digests)


# RouteLLM: `routellm/evals/`. A row of a CSV is known by its place, from 0.

MIXTRAL, GPT4 = "mixtral-8x7b-instruct", "gpt-4-1106-preview"
_COLUMN_OF = {MIXTRAL: "mixtral-8x7b-instruct-v0.1", GPT4: "gpt-4-1106-preview"}
_PRICES = {MIXTRAL: (0.60, 0.60), GPT4: (10, 30)}
"""USD for a million tokens in and out."""

_TOKENS_OF_MMLU, _TOKENS_OF_MTBENCH = 1, 350
"""What an answer is counted as where the repository does not hold it, or not alone."""


def read_routellm(clone: Path, ids: Container[str]) -> Iterator[tuple[str, Answered]]:
    """Those rows of MMLU, GSM8K and MT-Bench that have one of the ids."""
    evals = clone / "routellm" / "evals"
    for path in sorted((evals / "mmlu" / "responses").glob("mmlu_*.csv")):
        domain = path.stem.removeprefix("mmlu_")
        for number, row in enumerate(_table(path)):
            id_ = f"rl-mmlu-{domain}-{number}"
            if id_ in ids:
                yield id_, _graded(row, dict.fromkeys(_COLUMN_OF, _TOKENS_OF_MMLU), path)
    path = evals / "gsm8k" / "gsm8k_responses.csv"
    for number, row in enumerate(_table(path)):
        id_ = f"rl-gsm8k-{number}"
        if id_ in ids:
            tokens = {
                model: _tokens(_member(row, f"{column}_response", path))
                for model, column in _COLUMN_OF.items()
            }
            yield id_, _graded(row, tokens, path)
    yield from _mtbench(evals / "mt_bench", ids)


def _graded(row: Mapping[str, Any], tokens: Mapping[str, int], path: Path) -> Answered:
    prompt = _member(row, "prompt", path)
    scores = {}
    for model, column in _COLUMN_OF.items():
        verdict = _member(row, column, path)
        if verdict not in ("True", "False"):
            raise Unusable(f"{path}: {column} is {verdict!r}, not True or False", _OTHER_VERSION)
        scores[model] = int(verdict == "True")
    return Answered(prompt=prompt, scores=scores, costs=_costs(prompt, tokens))


def _mtbench(folder: Path, ids: Container[str]) -> Iterator[tuple[str, Answered]]:
    path = folder / "judgements.jsonl"
    marks: dict[tuple[Any, Any], dict[Any, float]] = {}
    for mark in _lines(path):
        number, model, turn = (
            _member(mark, name, path) for name in ("question_id", "model", "turn")
        )
        marks.setdefault((number, model), {})[turn] = _member(mark, "score", path)
    path = folder / "question.jsonl"
    for question in _lines(path):
        number, (prompt, *_) = (_member(question, name, path) for name in ("question_id", "turns"))
        id_ = f"rl-mtbench-{number}"
        if id_ not in ids:
            continue
        scores = {}
        for model, column in _COLUMN_OF.items():
            turns = marks.get((number, column), {})
            if sorted(turns) != [1, 2]:
                message = f"{path}: question {number} has no marks of both turns for {column}"
                raise Unusable(message, _OTHER_VERSION)
            scores[model] = round((turns[1] + turns[2]) / 2 / 10, DECIMALS)
        costs = _costs(prompt, dict.fromkeys(_COLUMN_OF, _TOKENS_OF_MTBENCH))
        yield id_, Answered(prompt=prompt, scores=scores, costs=costs)


def _tokens(text: str) -> int:
    return round(len(text) / 4)


def _costs(prompt: str, tokens: Mapping[str, int]) -> Mapping[str, float]:
    asked = _tokens(prompt)
    return {
        model: round((asked * price_in + tokens[model] * price_out) / 1e6, 8)
        for model, (price_in, price_out) in _PRICES.items()
    }


# LLMRouter: `data/dcrouter_preprocessed/`. A question is known by its place, from 0.


def read_llmrouter(clone: Path, ids: Container[str]) -> Iterator[tuple[str, Answered]]:
    """Those rows of both files that have one of the ids."""
    for part in ("train", "test"):
        path = clone / "data" / "dcrouter_preprocessed" / f"{part}.json"
        for number, row in enumerate(_json(_text(path), path)):
            id_ = f"ur-{part}-{number}"
            if id_ in ids:
                stored = _member(row, "scores", path)
                scores = {model: round(score, DECIMALS) for model, score in stored.items()}
                prompt = _member(row, "question", path)
                yield id_, Answered(prompt=prompt, scores=scores, costs=None)


SOURCES = {
    "routellm": Source(weak=MIXTRAL, strong=GPT4, read=read_routellm),
    "llmrouter": Source(
        weak="qwen2.5-7b-instruct", strong="llama-3.1-nemotron-51b-instruct", read=read_llmrouter
    ),
}
SETS = (*SOURCES, "zeroeval")
_OTHER_VERSION = "check out the commit that the list of rows names; other ones differ in form"


def make(suite: str, clone: Path, wanted: Wanted) -> list[Row]:
    """The rows of a set in the order of the figures. Raises Unusable where one is missing."""
    source = SOURCES[suite]
    found = dict(source.read(clone, wanted.tasks))
    missing = [id_ for id_ in wanted.tasks if id_ not in found]
    if missing:
        message = f"{clone} has not {len(missing)} of the rows, the first {missing[0]}"
        raise Unusable(message, f"check out {wanted.commit} of {wanted.repository}")
    return [
        {
            "id": id_,
            "suite": suite,
            "task": wanted.tasks[id_],
            "prompt": found[id_].prompt,
            "scores": found[id_].scores,
            "cost": found[id_].costs,
            "weak": source.weak,
            "strong": source.strong,
            "split": SPLIT,
        }
        for id_ in sorted(wanted.tasks, key=_place)
    ]


def _place(id_: str) -> str:
    """Where a row stands: resampling numbers the rows, so intervals depend on the order."""
    return sha256(id_.encode()).hexdigest()


def digests_of(rows: Iterable[Row]) -> dict[str, str]:
    """A digest for each column of rows, whatever their order and that of their models."""
    ordered = sorted(rows, key=lambda row: _place(row["id"]))
    digests = {}
    for column, name in COLUMNS.items():
        digest = sha256()
        for row in ordered:
            value = row.get(name)
            if isinstance(value, Mapping):
                value = {model: float(number) for model, number in value.items()}
            digest.update(json.dumps([row["id"], value], sort_keys=True).encode() + b"\n")
        digests[column] = digest.hexdigest()
    return digests


def differences(rows: Sequence[Row], wanted: Wanted) -> Iterator[str]:
    """What of rows is not as the list of rows says; nothing where all is."""
    ids = [row["id"] for row in rows]
    missing, more = wanted.tasks.keys() - set(ids), set(ids) - wanted.tasks.keys()
    if missing:
        yield f"{len(missing)} rows are missing, among them {min(missing)}"
    if more:
        yield f"{len(more)} rows are not of the set, among them {min(more)}"
    if len(ids) != len(set(ids)):
        yield f"{len(ids) - len(set(ids))} rows have the id of another"
    if missing or more or len(ids) != len(set(ids)):
        return
    for column, digest in digests_of(rows).items():
        if digest != wanted.digests[column]:
            yield f"the {column} are not those of the figures"
    if any(row.get("task") != wanted.tasks[row["id"]] for row in rows):
        yield "the tasks are not those of the figures"
    if ids != sorted(ids, key=_place):
        yield "the order is not that of the figures: intervals will differ in their last digits"


def _lines(path: Path) -> list[Row]:
    """The objects of a file with one a line; texts may hold other breaks than a line feed."""
    rows = [_json(line, path) for line in _text(path).split("\n") if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise Unusable(f"{path} has a line that is no object", "give a file of one object a line")
    return rows


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unusable(f"{path} is not JSON: {error}", "get the file anew") from error


def _table(path: Path) -> Iterator[dict[str, Any]]:
    return csv.DictReader(io.StringIO(_text(path), newline=""))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        help = "name the folder that `git clone` made"
        raise Unusable(f"{path}: {error.strerror}", help) from error
    if data.startswith(b"version https://git-lfs"):
        raise Unusable(f"{path} is a pointer to Git LFS", "run `git lfs pull` in the clone")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Unusable(f"{path} is not UTF-8: {error}", "get the file anew") from error


def _member(value: Any, name: str, path: Path) -> Any:
    if not isinstance(value, Mapping) or value.get(name) is None:
        raise Unusable(f"{path}: a row has no {name}", _OTHER_VERSION)
    return value[name]


def _rows_in(path: Path) -> list[Row]:
    rows = _lines(path)
    if not all(isinstance(row.get("id"), str) for row in rows):
        raise Unusable(f"{path} has a row without an id", "give a file of rows for `lynkrc eval`")
    return rows


def _write(rows: Iterable[Row], path: Path) -> None:
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    try:
        path.write_bytes("".join(lines).encode())
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}", "name a file that can be written") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="write the rows of a set from a clone")
    making.add_argument("suite", choices=SOURCES)
    making.add_argument("clone", type=Path)
    making.add_argument("file", type=Path)
    checking = commands.add_parser("check", help="compare a file of rows with the figures' own")
    checking.add_argument("suite", choices=SETS)
    checking.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    try:
        wanted = read_wanted(_text(HERE / f"{given.suite}.txt"))
        if given.command == "make":
            rows = make(given.suite, given.clone, wanted)
            _write(rows, given.file)
        else:
            rows = _rows_in(given.file)
    except Unusable as problem:
        print(f"{problem}\n  help: {problem.help}", file=sys.stderr)
        return 2
    found = list(differences(rows, wanted))
    for difference in found:
        print(f"{given.file}: {difference}")
    if found:
        print(f"  help: the figures are of {wanted.repository} at {wanted.commit}")
        return 1
    print(f"{given.file}: {len(rows)} rows, those of the figures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
