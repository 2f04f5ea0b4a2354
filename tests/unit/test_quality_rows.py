"""Files of labelled requests: what a row becomes, and every mistake with its line and a way out."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.quality.rows import Place, RowProblem, Sending, read_rows, shown_problem
from lynkrc.source.resources import read_schema

PROMPT: dict[str, Any] = {"id": "one", "suite": "made", "task": "sums", "prompt": "1 + 1?"}
REQUEST: dict[str, Any] = {
    "id": "two",
    "suite": "made",
    "task": "agent",
    "request": {
        "surface": "messages",
        "headers": {"User-Agent": "claude-cli/2"},
        "body": {"system": {"$file": "parts/long.json"}, "messages": []},
    },
    "tier": "SIMPLE",
    "why": "It is short.",
    "group": "talk",
}
VALIDATOR = Draft202012Validator(json.loads(read_schema("eval-data")))


def problems(tmp_path: Path, *lines: object) -> list[tuple[int, str]]:
    """Line and message of each problem; `lines` are written as JSON, bytes as they are."""
    path = tmp_path / "data.jsonl"
    data = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    path.write_bytes(b"\n".join(data) + b"\n")
    rows, found = read_rows(path)
    assert all(one.help and one.place.file == str(path) for one in found)
    wrong = {one.place.line for one in found}
    assert wrong.isdisjoint(row.place.line for row in rows)
    return [(one.place.line, one.message) for one in found]


def test_a_prompt_is_one_message_in_chat(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    graded = PROMPT | {
        "prompt": "日本 \u2028?",
        "scores": {"a": 0, "b": 1.0},
        "cost": {"a": 0.001},
        "weak": "a",
        "strong": "b",
        "split": "dev",
    }
    path.write_text("\n" + json.dumps(graded, ensure_ascii=False), encoding="utf-8")
    (row,), found = read_rows(path)
    assert not found
    assert row.place == Place(file=str(path), line=2)
    assert row.prompt == "日本 \u2028?"
    assert (row.request.surface, row.request.headers) == ("chat", {})
    assert json.loads(row.request.body) == {
        "model": "auto",
        "messages": [{"role": "user", "content": "日本 \u2028?"}],
    }
    assert (row.scores, row.costs) == ({"a": 0.0, "b": 1.0}, {"a": 0.001})
    assert (row.weak, row.strong, row.split) == ("a", "b", "dev")
    assert (row.group, row.tier, row.why) == ("one", None, None)


def test_parts_stand_in_the_body(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    # What a part holds is taken as it is.
    (tmp_path / "parts" / "long.json").write_text('[{"$file": "is text here"}]', encoding="utf-8")
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(REQUEST), encoding="utf-8")
    (row,), found = read_rows(path)
    assert not found
    assert row.request == Sending(
        surface="messages",
        headers={"user-agent": "claude-cli/2"},
        body=b'{"system":[{"$file":"is text here"}],"messages":[]}',
    )
    assert (row.prompt, row.scores, row.costs) == (None, None, None)
    assert (row.group, row.tier, row.why) == ("talk", "SIMPLE", "It is short.")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "the line is not JSON: Expecting property name enclosed in double quotes at"),
        (b'"\xff"', "the line is not JSON: it is not UTF-8"),
        (b'{"scores": {"a": NaN}}', "the line is not JSON: NaN is no number of JSON"),
        (b'{"id": "a", "id": "b"}', 'the line is not JSON: the member "id" is written twice'),
        (b'{"prompt": "\\ud83d"}', "the line is not JSON: it has half a surrogate pair"),
        (b"[" * 100_000, "the line is not JSON: it is nested too deeply"),
        (b"1" * 10_000, "the line is not JSON: it has a number that is too long"),
        ([PROMPT], "the line is no JSON object"),
        (PROMPT | {"prompts": "x"}, "a row has no member `prompts`"),
        (PROMPT | {"id": ""}, "`id` is no text"),
        ({**PROMPT, "suite": None}, "`suite` is missing"),
        (PROMPT | {"prompt": 3}, "`prompt` is no text"),
        (PROMPT | {"request": REQUEST["request"]}, "the row has both `prompt` and `request`"),
        ({"id": "a", "suite": "b", "task": "c"}, "the row has neither `prompt` nor `request`"),
        (PROMPT | {"scores": {"a": 1.5}}, "`scores` of `a` is no number from 0 to 1"),
        (PROMPT | {"scores": {"a": True}}, "`scores` of `a` is no number from 0 to 1"),
        (PROMPT | {"scores": {}}, "`scores` is no object with a number for each model"),
        (PROMPT | {"cost": {"a": -1}}, "`cost` of `a` is no number of USD, from 0 to 1,000,000"),
        (
            b'{"id":"a","suite":"b","task":"c","prompt":"d","cost":{"a":1e999}}',
            "`cost` of `a` is no number of USD, from 0 to 1,000,000",
        ),
        (
            json.dumps(PROMPT | {"cost": {"a": 10**400}}).encode(),
            "`cost` of `a` is no number of USD, from 0 to 1,000,000",
        ),
        (PROMPT | {"cost": {"a": 2e6}}, "`cost` of `a` is no number of USD, from 0 to 1,000,000"),
        (PROMPT | {"scores": {"a": "0.5"}, "weak": "a"}, "`scores` of `a` is no number"),
        (PROMPT | {"scores": "a", "weak": "a"}, "`scores` is no object"),
        (PROMPT | {"weak": "a"}, "`weak` is `a`, which has no score"),
        (PROMPT | {"scores": {"aa": 1}, "strong": "ab"}, "`strong` is `ab`, which has no score"),
        (
            PROMPT | {"scores": {"a": 1}, "weak": "a", "strong": "a"},
            "`weak` and `strong` are the same model",
        ),
        (PROMPT | {"why": 1}, "`why` is no text"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, line: object, message: str) -> None:
    (found,) = problems(tmp_path, PROMPT | {"id": "zero"}, line)
    assert found[0] == 2
    assert found[1].startswith(message)
    if isinstance(line, dict) and "no score" not in message and "same model" not in message:
        # The schema says all of it but which names are of `scores`.
        assert not VALIDATOR.is_valid(line)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ([], "`request` is no object"),
        ({"surface": "fax", "body": {}}, "the surface is none that we know"),
        ({"surface": ["chat"], "body": {}}, "the surface is none that we know"),
        ({"surface": "chat"}, "the request has no `body` that is an object"),
        ({"surface": "chat", "body": {}, "url": "x"}, "a request has no member `url`"),
        ({"surface": "chat", "body": {}, "headers": {"a": 1}}, "`headers` is no object of strings"),
        (
            {"surface": "chat", "body": {}, "headers": {"a": "1", "A": "2"}},
            "the header `A` stands here twice",
        ),
        (
            {"surface": "chat", "body": {"a": {"$file": "b", "c": 1}}},
            'an object with "$file" has other members',
        ),
        ({"surface": "chat", "body": {"$file": 7}}, 'an object with "$file" has other members'),
        (
            {"surface": "chat", "body": {"a": [{"$file": "../secret.json"}]}},
            "the part `../secret.json` is not below the folder of the data file",
        ),
        (
            {"surface": "chat", "body": {"a": {"$file": "/etc/hostname"}}},
            "the part `/etc/hostname` is not below the folder of the data file",
        ),
        (
            {"surface": "chat", "body": {"a": {"$file": "link.json"}}},
            "the part `link.json` is not below the folder of the data file",
        ),
        (
            {"surface": "chat", "body": {"a": {"$file": "none.json"}}},
            "the part `none.json` cannot be read: No such file or directory",
        ),
        (
            {"surface": "chat", "body": {"a": {"$file": "broken.json"}}},
            "the part `broken.json` is not JSON: Expecting value at character 1",
        ),
    ],
)
def test_a_mistake_in_a_request_is_told(tmp_path: Path, request_: object, message: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.json").write_text("{}", encoding="utf-8")
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "broken.json").write_text("x", encoding="utf-8")
    (found,) = problems(folder, {"id": "a", "suite": "b", "task": "c", "request": request_})
    assert found == (1, found[1])
    assert found[1].startswith(message)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        PROMPT,
        PROMPT | {"scores": {"a": 2, "b": -1}, "colour": "red"},
        b"?",
    )
    assert [line for line, _ in found] == [2, 2, 2, 2, 3]
    assert (2, "the id `one` is that of line 1 too") in found


def test_a_problem_is_shown_with_its_place_and_a_way_out() -> None:
    problem = RowProblem(place=Place(file="d.jsonl", line=3), message="it is so", help="do that")
    assert list(shown_problem(problem)) == ["d.jsonl:3: it is so", "  help: do that"]


def test_a_data_file_that_is_not_there_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_rows(tmp_path / "none.jsonl")


def test_a_byte_order_mark_may_begin_the_file_alone(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    line = json.dumps(PROMPT).encode()
    assert not problems(tmp_path, mark + line)
    (found,) = problems(tmp_path, line, mark + json.dumps(PROMPT | {"id": "b"}).encode())
    assert found == (2, "the line is not JSON: it begins with a byte order mark")
