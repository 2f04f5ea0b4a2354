"""Where in a document, mostly a broken one, somebody is typing."""

import pytest

from lynkrc.lsp.spot import entries_of, find_spot

CASES = [
    ("prov", (), "k", "prov"),
    ("providers:\n  a: {kind: o", ("providers", "a", "kind"), "v", "o"),
    ("providers:\n  a:\n    ki", ("providers", "a"), "kv", "ki"),
    ("providers:\n  a:\n    kind: x\n    ", ("providers", "a"), "k", ""),
    ("rules:\n  - ", ("rules", "#"), "kv", ""),
    ("rules:\n  - {", ("rules", "#"), "k", ""),
    ("rules:\n- name: x\n", (), "k", ""),
    ("rules:\n- name: x\n  wh", ("rules", "#"), "k", "wh"),
    ("extends: [a, ", ("extends", "#"), "v", ""),
    ("tiers:\n  - {name: a, chain: [[s, m", ("tiers", "#", "chain", "#", "#"), "v", "m"),
    ("features:\n  a: >\n    x > 1\n    and ", ("features", "a"), "v", "x > 1\n    and "),
    ('rules:\n  - when: "a an', ("rules", "#", "when"), "v", "a an"),
    ("rules:\n  - when: a\n      and b", ("rules", "#", "when"), "v", "a\n      and b"),
    ("rules:\n  - {name: a, when: 'b\n  - {name: c, fl", ("rules", "#"), "k", "fl"),
    ("a: [b, {c: d\ntiers:\n  - na", ("tiers", "#"), "kv", "na"),
    ("a: b # c", (), "", ""),
    ("# tie", (), "", ""),
]


@pytest.mark.parametrize(("text", "path", "takes", "typed"), CASES)
def test_the_spot(text: str, path: tuple[str, ...], takes: str, typed: str) -> None:
    spot = find_spot(text)
    assert (spot.path, "k" * spot.keys + "v" * spot.values) == (path, takes)
    assert spot.typed == typed
    assert not takes or text[spot.start :] == typed


def test_what_is_written_beside_is_known() -> None:
    assert find_spot("targets:\n  a: {provider: p, model: ").written == {
        "provider": "p",
        "model": "",
    }


def test_entries_of_a_broken_text() -> None:
    entries = entries_of("providers:\n  a: {kind: [\nlexicons:\n  w: [x")
    assert [entry.path for entry in entries if entry.is_key] == [
        ("providers",),
        ("providers", "a"),
        ("providers", "a", "kind"),
        ("lexicons",),
        ("lexicons", "w"),
    ]
