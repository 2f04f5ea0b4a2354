"""The scan kernel's C on broken tables and texts, under sanitisers; `make fuzz` takes longer."""

import re
from pathlib import Path

import pytest

from tests.fuzz.kernel_sanitised import compile_driver, run_driver


def test_no_table_and_no_text_leads_outside(tmp_path: Path) -> None:
    program = compile_driver(tmp_path, "gcc")
    if isinstance(program, str):
        pytest.skip(program)
    said = run_driver(program, tmp_path, seconds=60, rounds=4_000, seed=1)
    numbers = re.fullmatch("4000 inputs, ([0-9]+) tables taken, ([0-9]+) refused", said)
    assert numbers is not None, said
    # Both kinds of input are worth something.
    assert int(numbers[1]) > 500
    assert int(numbers[2]) > 500
