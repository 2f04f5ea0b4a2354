"""``lynkrc tune SPEC --log LOG``: what of the command is about a usage log instead of DATA."""

import argparse
from collections.abc import Callable
from typing import final

from lynkrc.cli.eval_log import require_requests
from lynkrc.cli.specs import CannotRead
from lynkrc.cli.usage import lines_of
from lynkrc.diff.replayed import BadLine
from lynkrc.ir.table import RouteTable
from lynkrc.quality.logged import LoggedRequests, decide_log
from lynkrc.quality.tune_log import TuneLogQuestion, tune_log
from lynkrc.quality.tuned_by_log import TunedByLog
from lynkrc.quality.tuning import CannotTune
from lynkrc_runtime.bundle import LoadedBundle
from lynkrc_runtime.usage_record import Line


@final
class Log:
    """A log that is read once: it may grow meanwhile, and both specs must decide the same."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._lines: tuple[Line | BadLine, ...] = tuple(lines_of(arguments.log))

    def requests(self, bundle: LoadedBundle, table: RouteTable) -> LoggedRequests:
        """What the bundle of this table decides. CannotRead where it decides nothing."""
        found = decide_log(self._lines, bundle, table)
        require_requests(found, self._arguments)
        return found

    def tuned(
        self, log: LoggedRequests, table: RouteTable, strong_from: int, say: Callable[[str], None]
    ) -> TunedByLog:
        """The fitted score. CannotRead where there is none."""
        arguments = self._arguments
        try:
            return tune_log(
                TuneLogQuestion(
                    table=table,
                    log=log,
                    strong_from=strong_from,
                    max_weights=arguments.max_weights,
                    shares=arguments.shares,
                    seed=arguments.seed,
                    folds=arguments.folds,
                    resamples=arguments.resamples,
                    say=say,
                )
            )
        except CannotTune as problem:
            files = ", ".join(map(str, arguments.log))
            raise CannotRead(f"{files}: {problem.message}; {problem.help}") from None
