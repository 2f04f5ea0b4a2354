"""A tuned score as edits of a spec: what it then means, and that all else stays as it is."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lynkrc.cli.specs import check_bytes
from lynkrc.pipeline import Checked
from lynkrc.quality.patch import FileChange, patch
from lynkrc.quality.proposal import CannotPropose, Proposal, without
from lynkrc.quality.tuned import Term, Tuned, Weight
from lynkrc.quality.written import dimension_lines, points_of, points_text
from lynkrc.source.text import SourceFile
from lynkrc.syntax.fmt import format_spec
from tests.unit.tune_sample import (
    COMMAS,
    HEAD,
    LENGTH_WEIGHT,
    SCORE,
    SERVED,
    TIERS,
    proposed,
    tuned_score,
)

WIDE = Weight(
    name="wide",
    value="steps(ask.chars, [" + ", ".join(f"[{n}00, {n}]" for n in range(1, 40)) + "])",
    weight=-3.0,
    declared=None,
)
BASE = HEAD + SERVED + SCORE + TIERS
PROFILE = """\
version: 1
name: hard-words

lexicons:
  hard: [prove*, derive]

score:
  offset: 3
  dimensions:
    length: {weight: 60, value: "ramp(ask.words, 0, 200)"}
    words: {weight: 30, value: "saturate(count(ask, hard), 3)"}
"""
OF_PROFILE = replace(LENGTH_WEIGHT, declared="hard-words/length")
WORDS = Weight(
    name="words",
    value="saturate(count(ask, hard), 3)",
    weight=9.0,
    declared="hard-words/words",
)


def after(proposal: Proposal, path: Path) -> Checked:
    """What the proposed spec means, its file of terms written beside it."""
    if proposal.terms is not None:
        (path.parent / proposal.terms.path).write_text(proposal.terms.after, encoding="utf-8")
    checked = check_bytes(path, proposal.spec.after.encode())
    assert not checked.has_errors, [one.message for one in checked.diagnostics]
    return checked


def means(checked: Checked, tuned: Tuned, *, silent: set[str] | None = None) -> None:
    """Assert that a spec scores as tuned; `silent` dimensions may be there, with no weight."""
    typed = checked.typed
    assert typed is not None
    weights = {
        one.name: (one.weight64, one.source) for one in typed.dimensions if one.value is not None
    }
    for name in silent or ():
        assert weights.pop(name)[0] == 0
    assert weights == {one.name: (one.weight * 64, one.value) for one in tuned.weights}
    assert typed.offset64 == tuned.offset * 64
    assert tuple(tier.up_to for tier in typed.tiers) == (*tuned.up_to, None)
    entries: dict[str, float] = {}
    if any(one.terms is not None for one in typed.dimensions):
        *_, lexicon = (one.lexicon for one in typed.lexicons if "tuned" in one.name)
        entries = {one.pattern.text: one.weight for one in lexicon.entries}
    assert {name: points_of(str(points)) for name, points in entries.items()} == {
        term.pattern: term.points for term in tuned.terms
    }


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "routing.yaml"
    path.write_bytes(text.encode())
    return path


def test_what_is_not_tuned_stays_byte_for_byte(tmp_path: Path) -> None:
    path = write(tmp_path, BASE)
    tuned = tuned_score(offset=-3.25)
    proposal, _ = proposed(path, tuned)
    means(after(proposal, path), tuned)
    assert proposal.spec.after == BASE.replace("weight: 60", "weight: 41.27").replace(
        "offset: 2 ", "offset: -3.25 "
    ).replace("up_to: 3", "up_to: 15").replace(
        """\
    # questions are not
    questions:
      weight: -7.5
      value: steps(ask.questions, [[1, 40], [3, 100]])
""",
        """\
    commas: {weight: 12, value: "steps(ask.commas, [[1, 10], [9, 100]])"}
""",
    )
    assert [(one.name, one.old, one.new) for one in proposal.weights] == [
        ("length", 60.0, 41.265625),
        ("questions", -7.5, None),
        ("commas", None, 12.0),
    ]


def test_what_says_it_already_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, BASE)
    first = replace(LENGTH_WEIGHT, weight=60.0)
    second = Weight(
        name="questions",
        value="steps(ask.questions, [[1, 40], [3, 100]])",
        weight=-7.5,
        declared="questions",
    )
    proposal, _ = proposed(path, tuned_score([first, second], up_to=(3,)))
    assert proposal.spec.after == BASE
    assert patch([proposal.spec]) == ""


def test_a_bound_may_be_written_with_sixteen_digits(tmp_path: Path) -> None:
    path = write(tmp_path, BASE.replace("up_to: 3", "up_to: 0x3"))
    proposal, _ = proposed(path, tuned_score())
    assert proposal.spec.after.count("up_to: 15") == 1
    proposal, _ = proposed(path, tuned_score(up_to=(3,)))
    assert "up_to: 0x3" in proposal.spec.after


def test_a_dimension_may_be_called_as_the_learned_words_are(tmp_path: Path) -> None:
    path = write(tmp_path, BASE.replace("    length: {", "    tuned_terms: {"))
    kept = replace(LENGTH_WEIGHT, name="tuned_terms", declared="tuned_terms")
    tuned = tuned_score([kept], terms=[Term(pattern="prove", points=3.0)])
    proposal, _ = proposed(path, tuned)
    assert proposal.lexicon == "tuned_terms_2"
    means(after(proposal, path), tuned)


@pytest.mark.parametrize(
    "text",
    [
        BASE,
        BASE.replace("\n", "\r\n"),
        BASE.removesuffix("\n"),
        HEAD + SERVED + TIERS + SCORE.rstrip("\n"),
        HEAD + SERVED + TIERS + 'score: {dimensions: {length: {weight: 6, value: "ramp(ask.words, '
        '0, 200)"}, b: {weight: 1, value: "50"}}}  # tight\n',
        HEAD + SERVED + TIERS + "score:\n  offset: 1\n  dimensions: {length: {weight: 6, value: "
        '"ramp(ask.words, 0, 200)",\n    allow: {}}}\n',
    ],
    ids=["block", "crlf", "no-end", "last", "one-line", "flow-dimensions"],
)
@pytest.mark.parametrize("terms", [0, 3, 101])
def test_every_way_to_write_a_score_is_edited(tmp_path: Path, text: str, terms: int) -> None:
    if "allow: {}" in text:
        text = text.replace(",\n    allow: {}", "")
    path = write(tmp_path, text)
    entries = [Term(pattern=f"word{n} of", points=(n - 50) / 64) for n in range(terms)]
    tuned = tuned_score([LENGTH_WEIGHT, WIDE], terms=entries)
    proposal, _ = proposed(path, tuned)
    means(after(proposal, path), tuned)
    assert (proposal.terms is not None) == (terms > 100)
    written = proposal.spec.after
    assert ("\r\n" in text) == ("\r\n" in written)
    assert "\n" not in written.replace("\r\n", "") or "\r\n" not in text
    # Every comment of what is still there.
    for comment in ("# the name", "# two of them", "# tight", "# long asks are hard", "# by words"):
        assert (comment in text) == (comment in written)


def test_a_canonical_spec_stays_canonical(tmp_path: Path) -> None:
    text = format_spec(SourceFile(path="x", text=BASE))[0]
    assert text is not None
    path = write(tmp_path, text)
    terms = [Term(pattern=word, points=1.0) for word in ("don't", "file", "a, b")]
    proposal, _ = proposed(path, tuned_score([LENGTH_WEIGHT, WIDE, COMMAS], terms=terms))
    means(after(proposal, path), tuned_score([LENGTH_WEIGHT, WIDE, COMMAS], terms=terms))
    written = proposal.spec.after
    assert format_spec(SourceFile(path="x", text=written))[0] == written
    assert max(map(len, written.splitlines())) <= 100


@pytest.mark.parametrize("extends", ["", "extends: team.yaml\n", "extends: [team.yaml]  # ours\n"])
def test_a_profile_is_taken_apart(tmp_path: Path, extends: str) -> None:
    (tmp_path / "hard.yaml").write_text(PROFILE, encoding="utf-8")
    (tmp_path / "team.yaml").write_text("version: 1\nname: team\nlexicons: {a: [b]}\n")
    text = HEAD + extends + SERVED + "\nscore:\n  use: hard.yaml\n" + TIERS
    path = write(tmp_path, text)
    without_words = tuned_score([OF_PROFILE, COMMAS], offset=0.0)
    proposal, _ = proposed(path, without_words)
    own = [replace(OF_PROFILE, name="length"), COMMAS]
    means(after(proposal, path), replace(without_words, weights=tuple(own)))
    assert "hard.yaml" not in proposal.spec.after
    with_words = tuned_score([OF_PROFILE, WORDS], offset=0.0)
    proposal, _ = proposed(path, with_words, extends_profile=True)
    means(after(proposal, path), with_words_named(with_words))
    assert "  use: " not in proposal.spec.after
    assert ("# ours" in proposal.spec.after) == ("# ours" in extends)


def with_words_named(tuned: Tuned) -> Tuned:
    """As the document names its own dimensions."""
    return replace(
        tuned,
        weights=tuple(replace(one, name=one.name.rpartition("/")[2]) for one in tuned.weights),
    )


def test_a_profile_with_rules_stays_and_what_is_dropped_gets_no_weight(tmp_path: Path) -> None:
    rules = "\nrules:\n  - {name: short, when: ask.words < 2, ceiling: LOW}\n"
    (tmp_path / "hard.yaml").write_text(PROFILE + rules, encoding="utf-8")
    path = write(tmp_path, HEAD + SERVED + "\nscore:\n  use: hard.yaml\n" + TIERS)
    tuned = tuned_score([WORDS, COMMAS], offset=0.0)
    proposal, _ = proposed(path, tuned)
    means(after(proposal, path), tuned, silent={"length"})
    assert "use: hard.yaml" in proposal.spec.after


def test_what_a_base_has_is_written_out(tmp_path: Path) -> None:
    base = BASE.replace("name: sample", "name: team")
    (tmp_path / "team.yaml").write_text(base, encoding="utf-8")
    path = write(tmp_path, "version: 1\nname: mine\nextends: team.yaml\n")
    tuned = tuned_score([replace(LENGTH_WEIGHT, declared="team/length")])
    proposal, _ = proposed(path, tuned)
    means(after(proposal, path), tuned)
    assert "tiers:  # two of them\n" in proposal.spec.after
    same = tuned_score([replace(LENGTH_WEIGHT, declared="team/length")], up_to=(3,))
    assert "tiers" not in proposed(path, same)[0].spec.after


def test_a_second_tuning_replaces_the_terms_of_the_first(tmp_path: Path) -> None:
    path = write(tmp_path, BASE)
    many = [Term(pattern=f"w{n}", points=1.0) for n in range(150)]
    first, _ = proposed(path, tuned_score(terms=many))
    after(first, path)
    path.write_text(first.spec.after, encoding="utf-8")
    again = replace(COMMAS, declared="commas")
    second, _ = proposed(path, tuned_score([LENGTH_WEIGHT, again], terms=many[:120]))
    assert second.terms is not None and second.terms.path == "terms.tsv"
    assert second.terms.before is not None
    assert second.spec.after == first.spec.after
    few, _ = proposed(path, tuned_score([LENGTH_WEIGHT, again], terms=many[:2]))
    means(after(few, path), tuned_score([LENGTH_WEIGHT, again], terms=many[:2]))
    none, _ = proposed(path, tuned_score([LENGTH_WEIGHT, again]))
    assert "tuned_terms" not in none.spec.after and "lexicons" not in none.spec.after


def test_words_that_a_rule_reads_are_left_alone(tmp_path: Path) -> None:
    rules = '\nrules:\n  - {name: r, when: "matches(ask, tuned_terms)", floor: HIGH}\n'
    lexicons = "\nlexicons:\n  tuned_terms: [mine]\n"
    path = write(tmp_path, HEAD + SERVED + lexicons + SCORE + TIERS + rules)
    (tmp_path / "terms.tsv").write_text("of somebody else\t1\n", encoding="utf-8")
    terms = [Term(pattern=f"w{n}", points=1.0) for n in range(150)]
    proposal, _ = proposed(path, tuned_score(terms=terms))
    assert proposal.lexicon == "tuned_terms_2"
    assert proposal.terms is not None and proposal.terms.path == "terms-2.tsv"
    assert "  tuned_terms: [mine]\n" in proposal.spec.after
    means(after(proposal, path), tuned_score(terms=terms))


@pytest.mark.parametrize("program", ["git", "patch"])
def test_the_patch_applies(tmp_path: Path, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    folder = tmp_path / "our specs"
    folder.mkdir()
    path = write(folder, BASE.removesuffix("\n"))
    terms = [Term(pattern=f"w{n}", points=1.0) for n in range(101)]
    proposal, _ = proposed(path, tuned_score(terms=terms))
    assert proposal.terms is not None
    text = patch(
        replace(one, path=f"our specs/{name}")
        for name, one in (("routing.yaml", proposal.spec), ("terms.tsv", proposal.terms))
    )
    words = ["git", "apply"] if program == "git" else ["patch", "-p1"]
    # A report may stand above it.
    subprocess.run(
        words, cwd=tmp_path, input=f"a report\n\n{text}".encode(), check=True, capture_output=True
    )
    assert path.read_bytes().decode() == proposal.spec.after
    assert (folder / "terms.tsv").read_text(encoding="utf-8") == proposal.terms.after


def test_a_patch_counts_lines_as_git_does() -> None:
    first = "a: \x0b \u2028 b\n"
    found = patch([FileChange(path="x", before=f"{first}c: 1\n", after=f"{first}c: 2\n")])
    assert found == f"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n {first}-c: 1\n+c: 2\n"


def test_comments_inside_of_braces_are_not_lost(tmp_path: Path) -> None:
    score = "score: {offset: 1,  # why\n  dimensions: {b: {weight: 9, value: ask.words}}}\n"
    path = write(tmp_path, HEAD + SERVED + TIERS + score)
    with pytest.raises(CannotPropose, match=r"routing.yaml:15: `score` .*`lynkrc fmt` writes it"):
        proposed(path, tuned_score())


def test_definitions_go_away_with_their_comments() -> None:
    text = "a:\n  x: 1\n\n  # of y\n  y: 2\nb: {c: 1, d: 2}  # kept\n# of e\ne:\n  f: 3\n"
    file = SourceFile(path="x", text=text)
    names = [text.index(name) for name in ("y: ", "c: ", "f: ")]
    assert without(file, names) == "a:\n  x: 1\n\nb: {d: 2}  # kept\n"


def test_points_are_written_short_and_read_back_the_same() -> None:
    for number in (*range(-700, 700, 3), 10_000 * 64, -1):
        text = points_text(number / 64)
        assert points_of(text) == number / 64
        assert len(text.partition(".")[2]) <= 2
    with pytest.raises(ValueError, match="1/64"):
        points_text(0.1)


def test_blanks_of_a_literal_are_not_folded() -> None:
    value = 'when(header("x") == "a  b", 100, 0) + ' + " + ".join(["ask.commas"] * 12)
    lines = dimension_lines("d", "1", value, 4)
    assert value in lines[-1].replace("''", "'")
