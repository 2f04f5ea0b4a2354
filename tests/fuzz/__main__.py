"""``python -m tests.fuzz [SUBJECT...]``: hostile input for FUZZ_SECONDS, guided by coverage.

The subjects are the compiler (`specs`), the scan kernels (`scan`: both must find the same) and
every reader of the protocol; without names, the time is shared among all. What breaks one is kept
as `build/fuzz/SUBJECT/crash-*`. Without atheris, which has no wheel for every Python, the inputs
are random mutations of the seeds.

`kernel` runs the scan kernel's C under AddressSanitizer on broken tables and texts.

Two are another matter, whatever time they take: `prover` tries FUZZ_SPECS random specs, from seed
FUZZ_SEED on; `properties` is tests/property with FUZZ_EFFORT times the examples of the suite.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

KEPT = Path(__file__).resolve().parents[2] / "build" / "fuzz"
LONGEST = 8_192  # bytes of one input: long ones are for tests/property, which knows their shapes
SPECS = "specs"
SCAN = "scan"
KERNEL = "kernel"
PROVER = "prover"
PROPERTIES = "properties"
AS_LONG_AS_IT_TAKES = (PROVER, PROPERTIES)
SECONDS = "FUZZ_SECONDS"

Mutation = Callable[[bytes, random.Random, bytes], bytes]


def main() -> None:
    """Run the subjects named, one after the other, each in a process of its own."""
    names = sys.argv[1:]
    seconds = int(os.environ.get(SECONDS, "150"))
    if names == [PROVER]:
        from tests.fuzz import prover_specs

        prover_specs.run(
            int(os.environ.get("FUZZ_SPECS", "10000")), int(os.environ.get("FUZZ_SEED", "0"))
        )
        return
    if names == [PROPERTIES]:
        effort = {"LYNKRC_EFFORT": os.environ.get("FUZZ_EFFORT", "10")}
        command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "tests/property"]
        sys.exit(subprocess.run(command, env=os.environ | effort, check=False).returncode)
    if names == [KERNEL]:
        from tests.fuzz import kernel_sanitised

        kernel_sanitised.fuzz(KEPT / KERNEL, seconds)
        return
    if len(names) == 1:
        run(names[0], seconds)
        return
    if not names:
        from tests.fuzz.wire_input import SUBJECTS

        names = [SPECS, SCAN, KERNEL, *SUBJECTS, *AS_LONG_AS_IT_TAKES]
    share = max(1, seconds // max(1, sum(name not in AS_LONG_AS_IT_TAKES for name in names)))
    broken = [name for name in names if _alone(name, share) != 0]
    if broken:
        sys.exit(f"broken: {', '.join(broken)}")


def _alone(name: str, seconds: int) -> int:
    """A fuzzer never returns: it ends its process."""
    print(name if name in AS_LONG_AS_IT_TAKES else f"{name}: {seconds} s", flush=True)
    command = [sys.executable, "-m", "tests.fuzz", name]
    return subprocess.run(command, env=os.environ | {SECONDS: str(seconds)}, check=False).returncode


def run(name: str, seconds: int) -> None:
    """Fuzz one subject."""
    kept = KEPT / name
    kept.mkdir(parents=True, exist_ok=True)
    try:
        import atheris
    except ImportError:
        print(f"atheris is not installed: mutating at random for {seconds} s")
        check, found, mutation = subject(name)
        at_random(kept, check, found, mutation, seconds)
        return
    with atheris.instrument_imports(include=["lynkrc", "lynkrc_runtime"]):
        check, found, mutation = subject(name)
    for data in found:
        (kept / sha256(data).hexdigest()[:16]).write_bytes(data)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={max(LONGEST, *map(len, found)) if name != SPECS else LONGEST}",
        f"-artifact_prefix={kept}/",
        f"-dict={Path(__file__).parent / 'words.dict'}",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]

    def mutate(data: bytes, limit: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.3:
            return bytes(atheris.Mutate(data, limit))
        return mutation(data, chance, chance.choice(found))[:limit]

    atheris.Setup([sys.argv[0], *options, str(kept)], check, custom_mutator=mutate)
    atheris.Fuzz()


def subject(name: str) -> tuple[Callable[[bytes], None], list[bytes], Mutation]:
    """What is checked, what is known to be sound, and how that is broken."""
    # Imported here, so that atheris can instrument what is imported.
    if name == SPECS:
        from tests.fuzz.broken_input import check_in_time, corpus
        from tests.fuzz.mutations import mutated

        return check_in_time, [data[:LONGEST] for data in corpus()], mutated
    from tests.fuzz.wire_mutations import mutated_wire

    if name == SCAN:
        from tests.scan_cases import ALPHABETS, check

        seeds = [text.encode("utf-8", "replace") for text in ALPHABETS]
        return check, seeds, mutated_wire
    from tests.fuzz.wire_input import SUBJECTS

    if name not in SUBJECTS:
        known = ", ".join((SPECS, SCAN, KERNEL, *SUBJECTS, *AS_LONG_AS_IT_TAKES))
        sys.exit(f"no such subject: {name}; there are: {known}")
    return SUBJECTS[name].check, SUBJECTS[name].seeds(), mutated_wire


def at_random(
    kept: Path, check: Callable[[bytes], None], seeds: list[bytes], mutation: Mutation, seconds: int
) -> None:
    """Mutate seeds until the time is over."""
    chance = random.Random(seconds)
    end = time.monotonic() + seconds
    runs = 0
    while time.monotonic() < end:
        data = mutation(chance.choice(seeds), chance, chance.choice(seeds))
        try:
            check(data)
        except BaseException:
            name = kept / f"crash-{sha256(data).hexdigest()[:16]}"
            name.write_bytes(data)
            print(f"kept as {name}")
            raise
        runs += 1
    print(f"{runs:,} inputs, none broke it")


if __name__ == "__main__":
    main()
