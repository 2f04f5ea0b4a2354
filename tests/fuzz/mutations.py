"""A spec to one like it that is broken somewhere: what fuzzing does where no coverage guides it."""

import random

PIECES = (
    *(bytes([code]) for code in range(0, 256, 5)),
    *(
        piece.encode()
        for piece in (
            *"[]{}:,-#&*!|>'\"%@`?~=<()\\/\t\n\r",
            *("\n  ", "- ", ": ", "'", "${", "<<: ", "*a", "&a ", "!t ", "---\n", "...\n"),
            *("null", "yes", "012", "1e999", "0x1", "9" * 30, "1_0", "12:30", "~", ".inf"),
            *(
                " and ",
                " or ",
                "not ",
                " in [",
                "count(ask, ",
                "target.trust",
                "steps(",
                " * ",
                "k",
            ),
            *(
                "{1,256}",
                "(a|b)?",
                "[^a]",
                "\\w+",
                ".{1,9}",
                "/",
                "\u2028",
                "é",
                "你",
                "\U0001f600",
            ),
            *("(" * 120, "[" * 80, "not " * 120, "a" * 300, "- " * 80),
        )
    ),
)


def mutated(
    data: bytes, chance: random.Random, other: bytes, pieces: tuple[bytes, ...] = PIECES
) -> bytes:
    """`data` after one to five edits; some take a part of `other` over."""
    edited = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randint(0, len(edited))
        upto = min(len(edited), at + chance.choice((0, 0, 1, 1, 4, 30)))
        kind = chance.randrange(4)
        if kind == 0 and other:
            start = chance.randrange(len(other))
            piece = other[start : start + chance.randint(1, 80)]
        elif kind == 1:
            start = chance.randint(0, len(edited))
            piece = bytes(edited[start : start + chance.randint(1, 80)])
        else:
            piece = chance.choice(pieces)
        edited[at:upto] = piece
    return bytes(edited)
