"""`lynkrc graph`: forms, files, bundles and what cannot be drawn."""

from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc.graph.build import graph_of
from lynkrc.graph.measure import cut, width
from lynkrc.graph.picture import hue, shade
from lynkrc.graph.style import DARK, LIGHT, Theme
from lynkrc.graph.svg import plain
from tests.unit.sample_table import TABLE

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "examples" / "quickstart" / "routing.yaml"
BEGINNINGS = {".svg": "<?xml", ".html": "<!doctype html>", ".mmd": "---\nconfig:"}


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_the_ending_says_the_form(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture{suffix}"
    assert main(["graph", str(QUICKSTART), "-o", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith(BEGINNINGS[suffix])
    for name in ("quickstart", "REASONING", "stay-home", "claude-sonnet-5-5"):
        assert name in text


def test_standard_output_gets_mermaid_or_what_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", str(QUICKSTART)]) == 0
    assert "\nflowchart LR\n" in capsys.readouterr().out
    assert main(["graph", str(QUICKSTART), "--format", "svg"]) == 0
    assert capsys.readouterr().out.startswith("<?xml")


def test_a_bundle_gives_the_picture_of_its_spec(tmp_path: Path) -> None:
    base = tmp_path / "bases" / "team.yaml"
    base.parent.mkdir()
    base.write_text("version: 1\nname: team\nextends: ../more.yaml\nlexicons: {bye: [bye]}\n")
    (tmp_path / "more.yaml").write_text("version: 1\nname: more\nlexicons: {hi: [hi]}\n")
    spec = tmp_path / "routing.yaml"
    text = QUICKSTART.read_text(encoding="utf-8")
    text = text.replace("builtin/lynkr  #", "[builtin/lynkr, bases/team.yaml]  #")
    spec.write_text(f'{text}  - {{name: hi, when: "matches(ask, hi)", tier: SIMPLE}}\n')
    built = tmp_path / "built"
    assert main(["build", str(spec), "-o", str(built), "--quiet"]) == 0
    pictures = [tmp_path / f"{number}.svg" for number in range(3)]
    for source, picture in zip((spec, built, built / "quickstart.lynkr"), pictures, strict=True):
        assert main(["graph", str(source), "-o", str(picture)]) == 0
    first, *others = [picture.read_bytes() for picture in pictures]
    assert others == [first, first]


def test_what_cannot_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", str(tmp_path / "none.yaml")]) == 2
    assert main(["graph", str(tmp_path)]) == 2
    assert "holds 0 files" in capsys.readouterr().err
    assert main(["graph", str(QUICKSTART), "-o", str(tmp_path / "a.png")]) == 2
    assert ".svg, .html or .mmd" in capsys.readouterr().err
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 1\nnmae: x\n")
    assert main(["graph", str(broken)]) == 1
    told = capsys.readouterr()
    assert "nmae" in told.err
    assert told.out == ""
    assert main(["graph", str(QUICKSTART), "-o", str(tmp_path / "no" / "a.svg")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_rule_takes_part_in_the_group_of_each_of_its_effects() -> None:
    groups = {group.key: [row.name for row in group.rows] for group in graph_of(TABLE).groups}
    assert groups["ends"] == ["no-secrets"]
    assert groups["tier"] == ["greetings", "audits"]
    assert groups["score"] == ["builtin/hard-work", "builtin/some-work"]
    assert groups["bounds"] == ["long-loops", "builtin/hard-work", "builtin/some-work", "stay-home"]
    assert groups["require"] == ["stay-home", "chatty"]


def test_a_lane_says_which_rules_close_it_and_notes_reach_their_items() -> None:
    graph = graph_of(TABLE, {"rule:audits": "never matches", "tier:MEDIUM": "unreachable"})
    assert {lane.name: lane.closed_by for lane in graph.lanes} == {
        "local": (),
        "internal": (),
        "cloud": ("stay-home",),
    }
    rows = {row.name: row.note for group in graph.groups for row in group.rows if row.note}
    assert rows == {"audits": "never matches"}
    assert [step.note for step in graph.steps] == ["", "unreachable", "", ""]


def test_text_is_cut_to_its_room() -> None:
    assert cut("short", 100, size=12) == "short"
    for room in range(12, 200, 7):
        shown = cut("wide MMMM and narrow iiii words 東京", room, size=12, is_bold=True)
        assert width(shown, size=12, is_bold=True) <= room
    assert plain("a<b>&\"'\x00\ud800") == "a&lt;b&gt;&amp;&quot;&#x27;\ufffd\ufffd"


def test_the_ends_of_the_trust_classes_and_tiers_always_look_alike() -> None:
    assert [hue(rank, 3) for rank in range(3)] == ["t0", "t1", "t5"]
    assert hue(0, 1) == "t0"
    assert [hue(rank, 8) for rank in range(8)] == [
        "t0", "t1", "t2", "t3", "t4", "t1", "t2", "t5",
    ]  # fmt: skip
    assert [shade(tier, 4) for tier in range(4)] == ["k0", "k1", "k2", "k4"]
    assert shade(0, 1) == "k0"


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_words_stand_out_from_their_ground(theme: Theme) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5 to 1."""
    grounds = (theme.page, theme.panel, *theme.shades)
    pairs = [(theme.words, ground) for ground in grounds]
    pairs += [(theme.muted, theme.page), (theme.muted, theme.panel)]
    for one in theme.hues:
        pairs += [(one.words, one.ground), (one.words, theme.page)]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of the luminances of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
