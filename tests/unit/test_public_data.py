"""The lists of public rows, and the script that makes the rows, on clones made up here."""

import csv
import doctest
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lynkrc.quality.rows import read_rows
from tests.data.public import make_rows
from tests.data.public.make_rows import GPT4, MIXTRAL, Row, digests_of, main, read_wanted

COUNTS = {"routellm": 9567, "zeroeval": 1652, "llmrouter": 3389}
MARKED = ("mixtral-8x7b-instruct-v0.1", "gpt-4-1106-preview")
LISTS = {
    "routellm": "task mmlu/knots rl-mmlu-knots-\n  0 2\ntask gsm8k rl-gsm8k-\n  1\n"
    "task mtbench/writing rl-mtbench-\n  81\n",
    "llmrouter": "task trivia ur-train-\n  1\ntask math ur-test-\n  0\n",
}

KNOT = 'Which knot, "said" to hold,\nslips?\u2028A. Ones\nAnswer:'


def table(path: Path, header: tuple[str, ...], *rows: tuple[str, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows((header, *rows))


def lines(path: Path, *rows: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def routellm(root: Path) -> Path:
    evals = root / "routellm" / "evals"
    table(
        evals / "mmlu" / "responses" / "mmlu_knots.csv",
        ("prompt", *MARKED),
        (KNOT, "False", "True"),
        ("left out", "True", "True"),
        ("Short?", "True", "False"),
    )
    table(
        evals / "gsm8k" / "gsm8k_responses.csv",
        ("prompt", *MARKED, *(f"{model}_response" for model in MARKED)),
        ("left out", "unknown", "", "a", "b"),
        ("Two ropes?", "False", "True", "x" * 40, "y" * 100),
    )
    lines(evals / "mt_bench" / "question.jsonl", {"question_id": 81, "turns": ["Sing.", "Why?"]})
    lines(
        evals / "mt_bench" / "judgements.jsonl",
        *(
            {"question_id": 81, "model": model, "turn": turn, "score": score}
            for model, scores in zip(MARKED, ((9, 7.5), (10, 9)), strict=True)
            for turn, score in zip((2, 1), scores, strict=True)
        ),
    )
    return root


def llmrouter(root: Path) -> Path:
    folder = root / "data" / "dcrouter_preprocessed"
    folder.mkdir(parents=True)
    scores = {"qwen2.5-7b-instruct": 0.5652173913, "llama-3.1-nemotron-51b-instruct": 1.0}
    train = [{"question": text, "scores": scores, "cluster_id": 0} for text in ("no", "Who?")]
    (folder / "train.json").write_text(json.dumps(train), encoding="utf-8")
    (folder / "test.json").write_text(json.dumps(train[1:]), encoding="utf-8")
    return root


def expected(suite: str) -> list[Row]:
    """The rows of the clones above, worked out by hand."""
    if suite == "llmrouter":
        weak, strong = "qwen2.5-7b-instruct", "llama-3.1-nemotron-51b-instruct"
        scored: list[tuple[str, str, str, Any, Any]] = [
            (id_, task, "Who?", {weak: 0.5652, strong: 1.0}, None)
            for id_, task in (("ur-train-1", "trivia"), ("ur-test-0", "math"))
        ]
    else:
        weak, strong = MIXTRAL, GPT4
        # Tokens are characters / 4, rounded to even: 50 / 4 is 12, 6 / 4 is 2, 10 / 4 is 2.
        assert len(KNOT) == 50
        scored = [
            ("rl-mmlu-knots-0", "mmlu/knots", KNOT, (0, 1), (7.8e-6, 150e-6)),
            ("rl-mmlu-knots-2", "mmlu/knots", "Short?", (1, 0), (1.8e-6, 50e-6)),
            ("rl-gsm8k-1", "gsm8k", "Two ropes?", (0, 1), (7.2e-6, 770e-6)),
            ("rl-mtbench-81", "mtbench/writing", "Sing.", (0.825, 0.95), (210.6e-6, 10510e-6)),
        ]
        scored = [
            (id_, task, prompt, dict(zip((weak, strong), scores, strict=True)), costs)
            for id_, task, prompt, scores, costs in scored
        ]
    return [
        {
            "id": id_,
            "suite": suite,
            "task": task,
            "prompt": prompt,
            "scores": scores,
            "cost": costs and {weak: round(costs[0], 8), strong: round(costs[1], 8)},
            "weak": weak,
            "strong": strong,
            "split": "dev",
        }
        for id_, task, prompt, scores, costs in scored
    ]


CLONES: dict[str, Callable[[Path], Path]] = {"routellm": routellm, "llmrouter": llmrouter}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with lists of the rows above, which the script reads instead of its own."""
    for suite, tasks in LISTS.items():
        digests = digests_of(expected(suite)).items()
        head = ["source https://forge.test/made 1f2e3d", *(f"sha256 {c} {d}" for c, d in digests)]
        text = "\n".join((*head, tasks))
        (tmp_path / f"{suite}.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(make_rows, "HERE", tmp_path)
    return tmp_path


@pytest.mark.parametrize("suite", CLONES)
def test_a_clone_becomes_the_rows_of_the_list(
    suite: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = small / "rows.jsonl"
    assert main(["make", suite, str(CLONES[suite](small / "clone")), str(out)]) == 0
    assert capsys.readouterr().out.endswith("rows, those of the figures\n")
    made = [json.loads(line) for line in out.read_bytes().split(b"\n") if line]
    assert sorted(made, key=lambda row: row["id"]) == sorted(
        expected(suite), key=lambda row: row["id"]
    )
    rows, problems = read_rows(out)
    assert [row.id for row in rows] == [row["id"] for row in made]
    assert problems == ()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda rows: rows[1:], "1 rows are missing, among them "),
        (lambda rows: [*rows, {**rows[0], "id": "other"}], "1 rows are not of the set"),
        (lambda rows: [*rows, rows[0]], "1 rows have the id of another"),
        (lambda rows: [{**rows[0], "prompt": "Else?"}, *rows[1:]], "the prompts are not those"),
        (lambda rows: [{**rows[0], "cost": {"m": 1}}, *rows[1:]], "the costs are not those"),
        (lambda rows: [{**rows[0], "scores": {"m": 1}}, *rows[1:]], "the scores are not those"),
        (lambda rows: [{**rows[0], "task": "else"}, *rows[1:]], "the tasks are not those"),
        (lambda rows: rows[::-1], "the order is not that of the figures"),
    ],
)
def test_rows_that_are_not_those_of_the_figures_are_told(
    change: Callable[[list[Row]], list[Row]],
    found: str,
    small: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = small / "rows.jsonl"
    assert main(["make", "llmrouter", str(llmrouter(small / "clone")), str(out)]) == 0
    lines(out, *change([json.loads(line) for line in out.read_text("utf-8").splitlines()]))
    capsys.readouterr()
    assert main(["check", "llmrouter", str(out)]) == 1
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{out}: {found}")
    assert rest == ["  help: the figures are of https://forge.test/made at 1f2e3d"]


@pytest.mark.parametrize(
    ("file", "text", "message", "help"),
    [
        ("gsm8k/gsm8k_responses.csv", None, "No such file", "the folder that `git clone` made"),
        (
            "gsm8k/gsm8k_responses.csv",
            "version https://git-lfs.github.com/spec/v1\n",
            "LFS",
            "pull",
        ),
        ("mmlu/responses/mmlu_knots.csv", "prompt,other\na,b\n", "has no mixtral", "the commit"),
        ("mmlu/responses/mmlu_knots.csv", f"prompt,{MARKED[0]}\na,1\n", "not True", "the commit"),
        ("mmlu/responses/mmlu_knots.csv", f"prompt,{','.join(MARKED)}\n", "has not 2", "1f2e3d"),
        ("mt_bench/judgements.jsonl", "", "no marks of both turns", "the commit"),
        ("mt_bench/question.jsonl", "{", "is not JSON", "anew"),
        ("mt_bench/question.jsonl", "[]", "no object", "object"),
    ],
)
def test_a_clone_that_cannot_be_used_is_told_with_a_way_out(
    file: str,
    text: str | None,
    message: str,
    help: str,
    small: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = routellm(small / "clone") / "routellm" / "evals" / file
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    assert main(["make", "routellm", str(small / "clone"), str(small / "rows.jsonl")]) == 2
    said, way_out = capsys.readouterr().err.splitlines()
    assert message in said
    assert help in way_out
    assert not (small / "rows.jsonl").exists()


@pytest.mark.parametrize("suite", COUNTS)
def test_the_lists_name_rows_and_hold_no_prompt(suite: str) -> None:
    text = (make_rows.HERE / f"{suite}.txt").read_text(encoding="utf-8")
    wanted = read_wanted(text)
    assert len(wanted.tasks) == COUNTS[suite]
    assert {*wanted.digests} == {"prompts", "scores", "costs"}
    comment, *rest = text.splitlines()
    assert comment.startswith("# ")
    for line in rest:
        words = line.split()
        assert words[0] in ("source", "sha256", "task") or all(
            word.replace("-", "", 1).isdigit() for word in words
        )
    ids = [int(id_.rpartition("-")[2]) for id_ in wanted.tasks]
    assert len(ids) == COUNTS[suite]
    assert min(ids) >= 0


def test_the_example_of_a_list_is_true() -> None:
    assert doctest.testmod(make_rows) == doctest.TestResults(failed=0, attempted=2)
