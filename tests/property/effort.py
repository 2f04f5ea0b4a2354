"""How many examples a property is tried on: few in the suite, many where time is no matter.

In the suite they are the same each time. With LYNKRC_EFFORT=10, as ``make fuzz`` has it, they are
ten times as many, and others each time.
"""

import os
from typing import Any

from hypothesis import settings

EFFORT = int(os.environ.get("LYNKRC_EFFORT", "1"))
"""Examples that are tried for each of the suite, 1 or more."""


def tried(examples: int, **more: Any) -> settings:
    """Settings for so many examples in the suite; `more` is what else is set."""
    return settings(max_examples=examples * EFFORT, derandomize=EFFORT == 1, deadline=None, **more)
