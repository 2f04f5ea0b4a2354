"""``python -m tests.fuzz``: broken specs for FUZZ_SECONDS seconds, guided by coverage.

What breaks the compiler is kept as `build/fuzz/crash-*`. Without atheris, which has no wheel for
every Python, the inputs are random mutations of the corpus.
"""

import os
import random
import sys
import time
from hashlib import sha256
from pathlib import Path

from tests.fuzz.broken_input import ROOT, check_in_time, corpus
from tests.fuzz.mutations import mutated

KEPT = ROOT / "build" / "fuzz"
LONGEST = 8_192  # bytes of one input: long ones are for tests/property, which knows their shapes


def main() -> None:
    """Run for the time given."""
    seconds = int(os.environ.get("FUZZ_SECONDS", "150"))
    KEPT.mkdir(parents=True, exist_ok=True)
    try:
        import atheris
    except ImportError:
        print(f"atheris is not installed: mutating at random for {seconds} s")
        _at_random(seconds)
        return
    seeds = KEPT / "corpus"
    seeds.mkdir(exist_ok=True)
    for data in corpus():
        (seeds / sha256(data).hexdigest()[:16]).write_bytes(data[:LONGEST])
    atheris.instrument_all()
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={KEPT}/",
        f"-dict={Path(__file__).parent / 'words.dict'}",
        "-timeout=20",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(seeds)], check_in_time)
    atheris.Fuzz()


def _at_random(seconds: int) -> None:
    chance = random.Random(seconds)
    seeds = corpus()
    end = time.monotonic() + seconds
    runs = 0
    while time.monotonic() < end:
        data = mutated(chance.choice(seeds), chance, chance.choice(seeds))
        try:
            check_in_time(data)
        except BaseException:
            name = KEPT / f"crash-{sha256(data).hexdigest()[:16]}"
            name.write_bytes(data)
            print(f"kept as {name}")
            raise
        runs += 1
    print(f"{runs:,} inputs, none broke the compiler")


if __name__ == "__main__":
    main()
