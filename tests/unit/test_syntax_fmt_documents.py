"""Odd documents in their canonical form, and documents that have none."""

import pytest

from lynkrc.source.text import SourceFile
from lynkrc.syntax.fmt import format_spec

HEAD = "version: 1\nname: x\n"


def formatted(text: str) -> str:
    printed, findings = format_spec(SourceFile(path="routing.yaml", text=text))
    assert findings == []
    assert printed is not None
    again, _ = format_spec(SourceFile(path="routing.yaml", text=printed))
    assert again == printed
    return printed


def test_a_document_in_flow_form() -> None:
    text = "{version: 1, # one\n name: x, # two\n # three\n features: {a: 1}} # four\n# five\n"
    assert formatted(text) == (
        "version: 1  # one\nname: x     # two\n# three\nfeatures: {a: 1}  # four\n# five\n"
    )


def test_the_marks_of_a_document() -> None:
    text = "# a\n--- # b\n# c\nversion: 1\nname: x\n... # d\n# e\n"
    assert formatted(text) == "# a\n# b\n# c\nversion: 1\nname: x\n# d\n# e\n"


def test_blank_lines_at_the_edges() -> None:
    text = "\n\n" + HEAD + "features:\n\n\n  # top\n\n  a: 1\n\n\n  # end\n\n\n"
    assert formatted(text) == HEAD + "\nfeatures:\n  # top\n\n  a: 1\n\n  # end\n"


def test_comments_between_a_key_and_its_value() -> None:
    text = HEAD + (
        "rules:\n- # a\n  name: r\n  # b\n  deny: # c\n    # d\n"
        "    {status: 403, # e\n     message: 'm'\n     # f\n     } # g\n"
    )
    assert formatted(text) == HEAD + (
        "\nrules:\n  # a\n  - name: r\n    # b\n    # d\n    # g\n    deny:  # c\n"
        "      status: 403  # e\n      message: m\n      # f\n"
    )


def test_a_comment_in_an_empty_list() -> None:
    text = HEAD + "clients:\n  c:\n    user_agent: u\n    baseline_tools: [ # none\n    ]\n"
    assert formatted(text).endswith("\n    baseline_tools: []  # none\n")


def test_a_key_too_long_for_its_colon() -> None:
    key = "k" * 1100
    text = HEAD + (
        f"clients:\n  c:\n    user_agent: u\n    tool_weights:\n      ? {key} # a\n      : 2 # b\n"
        "      ? short\n      : 3\n"
    )
    assert formatted(text).endswith(f"      # a\n      ? {key}\n      : 2  # b\n      short: 3\n")


def test_blanks_that_a_block_scalar_ends_in() -> None:
    start = HEAD + "\nrules:\n  - name: r\n    deny:\n      status: 403\n      message: "
    assert formatted(start + "|\n        a  \n        b  \n").endswith(
        "|\n        a  \n        b  \n"
    )
    assert formatted(start + "|\n        a\n          \n").endswith('message: "a\\n  \\n"\n')


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: 1\nname: x\ntires: []\n", "LK101"),
        ("version: 1\nname: x\nfeatures: {a: 1 +}\n", "LK300"),
        ("version: 1\nname: x\nrules: [\n", "LK004"),
        ("", "LK006"),
    ],
)
def test_a_document_with_errors_has_no_form(text: str, code: str) -> None:
    printed, findings = format_spec(SourceFile(path="routing.yaml", text=text))
    assert printed is None
    assert [finding.code.id for finding in findings] == [code]
