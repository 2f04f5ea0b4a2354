"""A DFA to the least one of the same meaning: equal states joined, equal byte classes joined.

The result is canonical: states are numbered in the order a breadth-first walk by class meets them.
"""

from array import array

from lynkrc.lower.pattern_dfa import Dfa


def minimise(dfa: Dfa) -> Dfa:
    """The least DFA with the same accepted entries after every text."""
    blocks = _blocks(dfa)
    return _join_classes(_walk(dfa, blocks))


def _blocks(dfa: Dfa) -> list[int]:
    """The block of each state; states share one when no text tells them apart (Moore).

    Blocks of one state are settled and not looked at again. Most states of a lexicon soon stand
    alone, which is what makes this quicker here than Hopcroft's bookkeeping.
    """
    numbers: dict[tuple[int, ...], int] = {}
    block = [numbers.setdefault(accepted, len(numbers)) for accepted in dfa.accepts]
    members: dict[int, list[int]] = {}
    for state, number in enumerate(block):
        members.setdefault(number, []).append(state)
    unsettled = [states for states in members.values() if len(states) > 1]
    count = len(members)
    changed = True
    while changed:
        changed = False
        split: list[list[int]] = []
        moved: list[tuple[int, int]] = []
        block_of = block.__getitem__
        for states in unsettled:
            groups: dict[tuple[int, ...], list[int]] = {}
            for state in states:
                groups.setdefault(tuple(map(block_of, dfa.rows[state])), []).append(state)
            parts = iter(groups.values())
            first = next(parts)
            if len(first) > 1:
                split.append(first)
            for part in parts:
                changed = True
                moved.extend((state, count) for state in part)
                count += 1
                if len(part) > 1:
                    split.append(part)
        # Applied after the round, so that a round compares by one and the same partition.
        for state, number in moved:
            block[state] = number
        unsettled = split
    return block


def _walk(dfa: Dfa, block: list[int]) -> Dfa:
    order: dict[int, int] = {block[0]: 0}
    kept = [0]
    rows: list[array[int]] = []
    for state in kept:
        row = dfa.rows[state]
        targets = [block[target] for target in row]
        if not order.keys() >= set(targets):
            for number, target in zip(targets, row, strict=True):
                if number not in order:
                    order[number] = len(kept)
                    kept.append(target)
        rows.append(array("I", map(order.__getitem__, targets)))
    return Dfa(byte_class=dfa.byte_class, rows=rows, accepts=[dfa.accepts[s] for s in kept])


def _join_classes(dfa: Dfa) -> Dfa:
    classes = len(dfa.rows[0])
    cells = array("I")
    for row in dfa.rows:
        cells.extend(row)
    columns: dict[bytes, int] = {}
    joined = [
        columns.setdefault(cells[number::classes].tobytes(), len(columns))
        for number in range(classes)
    ]
    if len(columns) == classes:
        return dfa
    first = [joined.index(number) for number in range(len(columns))]
    return Dfa(
        byte_class=bytes(joined[number] for number in dfa.byte_class),
        rows=[array("I", [row[number] for number in first]) for row in dfa.rows],
        accepts=dfa.accepts,
    )
