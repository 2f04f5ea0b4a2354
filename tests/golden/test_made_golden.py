"""Findings whose input is too long to keep, or is no spec: made here, the findings in a file.

`--update-golden` rewrites `made/NAME.txt`; read the difference before you commit it.
"""

from pathlib import Path

import pytest

from lynkrc.diagnostics.codes import CODES
from lynkrc.diagnostics.render_text import render_text
from lynkrc.pipeline import check_spec
from lynkrc.source.text import SourceFile
from tests.unit.sema_sample import Files, catalog, complete

FOLDER = Path(__file__).parent
SOUND = complete("version: 1\nname: example\n")
NAMES = [f"t{number}" for number in range(63)]


def doubling(times: int) -> str:
    """Features of which each names the one before twice."""
    lines = ["version: 1", "name: example", "features:", "  f0: turns > 1"]
    lines += [f"  f{n}: f{n - 1} or not f{n - 1}" for n in range(1, times)]
    rule = f"rules:\n  - {{name: r, when: f{times - 1}, floor: HIGH}}\n"
    return complete("\n".join(lines) + "\n" + rule)


BASES = Files(
    texts={f"b{n}.yaml": f"version: 1\nname: base\nextends: b{n + 1}.yaml\n" for n in range(60)}
)

SPECS = {
    "a-megabyte": SOUND + "# a comment, over and over again, far too often\n" * 25_000,
    "doubling-features": doubling(15),
    "more-targets-than-bits": complete(
        "version: 1\nname: example\ntargets:\n"
        + "".join(f"  {name}: {{provider: house, model: m}}\n" for name in NAMES)
        + f"tiers:\n  - {{name: ONLY, chain: [{', '.join(NAMES)}]}}\n"
    ),
    "bases-on-bases": complete("version: 1\nname: example\nextends: b0.yaml\n"),
    "a-long-expression": complete(
        "version: 1\nname: example\nrules:\n  - {name: r, floor: HIGH, when: 'ask.words > 1"
        + " and ask.words > 1" * 1_200
        + "'}\n"
    ),
    "a-long-pattern": complete(
        f"version: 1\nname: example\nlexicons:\n  words: ['{'|'.join(NAMES * 6)}']\n"
        "rules:\n  - {name: r, when: 'matches(ask, words)', floor: HIGH}\n"
    ),
    "more-findings-than-are-shown": complete(
        "version: 1\nname: example\nrules:\n"
        + "".join(f"  - {{name: r{n}, when: nothing{n}, floor: HIGH}}\n" for n in range(1_200))
    ),
    "too-large-an-automaton": complete(
        "version: 1\nname: example\nlexicons:\n  far: ['~/[a-z]{1,9}x.{40}y/']\n"
        "rules:\n  - {name: r, when: 'matches(ask, far)', floor: HIGH}\n"
    ),
}
"""Case -> spec."""

CATALOGS = {
    "no-catalog": "- not a catalog\n",
    "broken-catalog": catalog()[0].text.replace("\nmodels:", "\nmodells:", 1),
}
"""Case -> text in place of the model catalog."""


def shortened(text: str) -> str:
    """Of very many findings the first and the last ones."""
    blocks = text.split("\n\n")
    if len(blocks) <= 10:
        return text
    return "\n\n".join([*blocks[:4], f"({len(blocks) - 8} blocks more)", *blocks[-4:]])


@pytest.mark.parametrize("case", [*SPECS, *CATALOGS])
def test_the_findings_of_a_made_file(case: str, update_golden: bool) -> None:
    facts = catalog()
    if case in CATALOGS:
        facts = (SourceFile(path=facts[0].path, text=CATALOGS[case]), *facts[1:])
    data = SPECS.get(case, SOUND).encode()
    checked = check_spec("routing.yaml", data, loader=BASES, catalog=facts)
    text = shortened(render_text(checked.diagnostics))
    expected = FOLDER / "made" / f"{case}.txt"
    if update_golden:
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")


def test_every_expected_file_is_made() -> None:
    found = {path.stem for path in (FOLDER / "made").glob("*.txt")}
    assert found == {*SPECS, *CATALOGS}


def test_every_code_has_a_golden_case_and_no_case_has_an_unknown_code() -> None:
    shown: set[str] = set()
    for path in FOLDER.rglob("*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            severity, bracket, rest = line.partition("[")
            if bracket and severity in ("error", "warning", "note"):
                shown.add(rest.split("]")[0])
    assert sorted(set(CODES) - shown) == []
    assert sorted(shown - set(CODES)) == []
