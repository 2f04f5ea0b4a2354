"""What tests do not cover: how the solver is asked about it, and how what it suggests is said."""

from collections.abc import Collection, Sequence

from lynkrc.cli.progress import Progress
from lynkrc.interp.goals import Seen
from lynkrc.testing.coverage import Coverage, CoverageItem, measure
from lynkrc.testing.runner import Engines
from lynkrc.testing.suggest import suggested_cases
from lynkrc.testing.witnesses import MOST, Witnesses


def cover(
    engines: Engines,
    shown: Sequence[Seen],
    own: str,
    *,
    suggests: Sequence[str],
    taken: Collection[str],
) -> tuple[Coverage, str]:
    """What the cases cover of a spec, and suggested cases for the rest as YAML.

    `own` is the path of the spec. `suggests` says of what cases are suggested: nothing, or some of
    ``own`` and ``inherited``; `taken` are the names that cases have.
    """
    with Progress("covering") as say:
        witnesses = Witnesses(
            engines.table, lambda done, all: say(f"{done} of {all}"), suggests=bool(suggests)
        )
        coverage = measure(engines.table, shown, own=own, prove=witnesses.prove)
        items = [
            item
            for item in coverage.missing
            if item not in coverage.unknown and _kind(item) in suggests
        ]
        suggestions = witnesses.suggest(items, progress=say)
    covered = {item for one in suggestions for item in one.items}
    text = suggested_cases(suggestions, engines, taken)
    left = len(items) - len(covered)
    if left:
        text += (
            f"  # {MOST} cases at once are enough: of {left} more things none of these shows, ask "
            "again\n"
        )
    return coverage, text


def _kind(item: CoverageItem) -> str:
    return "inherited" if item.is_inherited else "own"
