"""Which key of a spec a request is sent with, and what is printed of it."""

from lynkrc.ir.table import StringClass
from lynkrc.testing.shown_key import ShownKey, key_for
from lynkrc.testing.wanted import StringWish
from lynkrc_runtime.settings import Key

CLASSES = (
    StringClass(kind="absent"),
    StringClass(kind="other"),
    StringClass(kind="literal", text="legal"),
)
KEYS = {
    "ci": Key(secret="${CI_KEY}", team="platform", tiers=["LOW"]),
    "all": Key(secret="${ALL_KEY}"),
    "law": Key(sha256="0" * 64, team="Legal"),
    "law-low": Key(secret="${LAW}-x", team="legal", targets=["small"]),
}


def chosen(wanted: int, keys: dict[str, Key] = KEYS) -> ShownKey:
    key = key_for(keys, {"key.team": StringWish(classes=CLASSES, wanted=wanted)})
    assert key is not None
    return key


def test_the_key_of_the_wanted_team_that_may_do_most() -> None:
    assert [chosen(wanted).name for wanted in range(3)] == ["all", "ci", "law"]


def test_without_one_that_fits_any_key_that_may_do_most() -> None:
    assert chosen(2, {"ci": KEYS["ci"], "open": Key(secret="${A}")}).name == "open"
    assert key_for({}, {}) is None


def test_a_variable_is_read_by_the_shell_and_anything_else_is_a_note() -> None:
    assert chosen(1).header == '"x-lynkr-key: $CI_KEY"'
    assert chosen(2).header == "'x-lynkr-key: <key law>'"
    pieced = chosen(2, {"law-low": KEYS["law-low"]})
    assert pieced.header == "'x-lynkr-key: <key law-low>'"
    assert (pieced.case, chosen(0).case) == ({"team": "legal"}, {})


def test_what_a_key_would_have_to_reach() -> None:
    assert chosen(1).lacks("LOW", ["large"]) is None
    assert chosen(1).lacks("HIGH", ["large"]) == "key ci reaches tier HIGH"
    few = chosen(2, {"law-low": KEYS["law-low"]})
    assert few.lacks("HIGH", ["small", "large"]) == "key law-low reaches large"
    assert chosen(0).lacks(None, ["large"]) is None
