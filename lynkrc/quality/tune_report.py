"""What was tuned, proposed and measured to what is said of it: the verdict, the warnings."""

from dataclasses import dataclass
from enum import Enum
from typing import final

from lynkrc.quality.proposal import Proposal
from lynkrc.quality.report_text import FEW
from lynkrc.quality.results import LENGTH, OLD, Evaluation, Figure, SuiteResult
from lynkrc.quality.tuned import Tuned


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TierMove:
    """How many of the rows a tier has, by the spec as it is and as it would be."""

    tier: str
    before: int
    after: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TuneReport:
    """Everything that is told.

    `sources` are the labelled requests of each source. `findings` are those that the compiler has
    of the proposed spec and not of the current one. `patch` is the change to review.
    """

    spec: str
    tuned: Tuned
    proposal: Proposal
    sources: tuple[tuple[str, int], ...]
    tiers: tuple[TierMove, ...]
    findings: tuple[str, ...]
    patch: str


class Verdict(Enum):
    """What is shown of one order against another; nothing is shown where 0 is in the interval."""

    BETTER = "better"
    NOTHING = "no gain shown"
    WORSE = "worse"


def verdict_of(difference: Figure) -> Verdict:
    """By a paired difference of which more is better."""
    if difference.low > 0:
        return Verdict.BETTER
    return Verdict.WORSE if difference.high < 0 else Verdict.NOTHING


def whole_of(found: Evaluation) -> SuiteResult:
    """The mean of the suites, or the only one. An evaluation that was tuned on has one."""
    return found.mean or found.suites[0]


def gain(tuned: Tuned, against: str = OLD) -> Figure:
    """By how much the tuned APGR is greater than another policy's, on held-out requests."""
    (found,) = (one for one in whole_of(tuned.held_out).differences if one.against == against)
    return found.figures.apgr


def sentences(tuned: Tuned) -> tuple[str, str]:
    """The verdicts in plain words: against the current spec, and against length."""
    figure = signed(gain(tuned))
    match verdict_of(gain(tuned)):
        case Verdict.BETTER:
            first = f"better than the current spec on held-out requests: APGR {figure}"
        case Verdict.WORSE:
            first = f"worse than the current spec on held-out requests: APGR {figure}"
        case Verdict.NOTHING:
            first = (
                f"no gain shown: APGR {figure} against the current spec on held-out requests; "
                "the diff is printed, but nothing says that it helps"
            )
    figure = signed(gain(tuned, LENGTH))
    match verdict_of(gain(tuned, LENGTH)):
        case Verdict.BETTER:
            second = f"better than the length of the prompt: APGR {figure}"
        case Verdict.WORSE:
            second = f"worse than the length of the prompt: APGR {figure}"
        case Verdict.NOTHING:
            second = f"no gain shown over the length of the prompt: APGR {figure}"
    return first, second


def warnings(report: TuneReport) -> tuple[str, ...]:
    """What a reader must not overlook."""
    found: list[str] = []
    if report.tuned.labels < FEW:
        found.append(
            f"only {report.tuned.labels:,} labels: of fewer than {FEW:,} little can be told"
        )
    for one in report.tuned.elsewhere:
        if one.tuned.value < one.length.value:
            found.append(
                f"fitted without {one.source} and measured on it: on traffic unlike this it does "
                f"worse than the length of the prompt (APGR {plain(one.tuned)}, length "
                f"{plain(one.length)})"
            )
    found += [f"the proposed spec has a new finding: {one}" for one in report.findings]
    return tuple(found)


def plain(one: Figure) -> str:
    """A figure with its interval."""
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def signed(one: Figure) -> str:
    """A difference with its interval."""
    return f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})"
