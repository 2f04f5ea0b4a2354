"""``lynkrc catalog``: one line for each model, one page for one, and its JSON."""

import json

import pytest

from lynkrc.cli.main import main


def printed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["catalog", *words]) == code
    return capsys.readouterr().out


def test_every_model_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    assert lines[0].split("  ")[0] == "model"
    (opus,) = [line for line in lines if line.startswith("claude-opus-5-5 ")]
    assert opus.split() == ["claude-opus-5-5", "1M", "128k", "4", "20", "2026-11-21", "Anthropic"]
    ends = {line.index("2026-") for line in lines if "2026-" in line}
    assert len(ends) == 1
    assert "\x1b" not in "".join(lines)


def test_a_model_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(capsys, "claude-sonnet-4-5-20250929")
    assert page.startswith("claude-sonnet-4-5\n  ids      claude-sonnet-4-5\n")
    for line in (
        "  context  200,000 tokens",
        "  output   64,000 tokens",
        "  price    input 3, output 15, cache read 0.3, cache write 3.75",
        "  shape    thinking: enabled, disabled",
        "           efforts: none",
        "  retires  2026-11-30",
    ):
        assert f"{line}\n" in page
    assert "platform.claude.com/docs/en/models/sonnet-4-5/overview" in page


def test_a_price_by_length_has_both_lines(capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(capsys, "claude-haiku-5-5")
    assert "input 0.1, output 0.5, cache read 0.01, cache write 0.125 up to 100,000 tokens" in page
    assert "input 0.5, output 2.5, cache read 0.05, cache write 0.625 above that" in page


def test_json_says_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    (entry,) = json.loads(printed(capsys, "gpt-4o-mini", "--format", "json"))["models"]
    assert entry["price"]["price"] == {
        "input": 0.15,
        "output": 0.6,
        "cache_read": 0.075,
        "cache_write": None,
    }
    assert entry["context"] == 128_000
    assert entry["seller"] == "OpenAI"
    assert all(source.keys() == {"url", "date"} for source in entry["sources"])
    whole = json.loads(printed(capsys, "--format", "json"))["models"]
    assert len(whole) > 20


def test_a_kind_has_its_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert "gpt-4o" not in printed(capsys, "--kind", "anthropic")
    assert "claude-opus-5-5" in printed(capsys, "--kind", "anthropic-compatible")
    ollama = printed(capsys, "--kind", "ollama").splitlines()
    assert [line.split("  ")[0] for line in ollama] == ["model", "any model of kind ollama"]
    assert "any model of kind simulator" in printed(capsys, "whatever", "--kind", "simulator")


def test_an_unknown_model_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "claude-sonet-5-5"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "did you mean `claude-sonnet-5-5`?" in captured.err
    assert main(["catalog", "zzz\x1b[31m"]) == 1
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "zzz\\u{1b}[31m; `lynkrc catalog` lists what it knows, and a target of another" in err
    assert "claude" not in err
