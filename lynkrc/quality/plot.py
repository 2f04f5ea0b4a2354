"""An evaluation to a picture: what each policy reaches, by share and by cost.

One row a suite: on the left the mean score by the share that is sent to the strong model, on the
right, where costs are known, by the mean cost. The same figures give the same bytes.
"""

import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final, Literal, TypeAlias

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from lynkrc.diagnostics.wording import printable
from lynkrc.quality.results import LENGTH, OLD, RANDOM, SPEC, Evaluation, Figure, SuiteResult

Form: TypeAlias = Literal["svg", "png"]

WIDTH: Final = 12.8
"""Inches; at 100 dots an inch a picture is 1,280 pixels wide."""
_PANEL: Final = 4.5
_HEAD: Final = 0.95

# Told apart by line as well as by colour: a printer may have one ink.
_LINES: Final[dict[str, dict[str, Any]]] = {
    SPEC: {"color": "#000000", "linewidth": 2.2, "linestyle": "-"},
    OLD: {"color": "#0072b2", "linewidth": 1.8, "linestyle": (0, (6, 2))},
    LENGTH: {"color": "#d55e00", "linewidth": 1.6, "linestyle": (0, (4, 1.5, 1, 1.5))},
    RANDOM: {"color": "#777777", "linewidth": 1.2, "linestyle": (0, (1, 1.5))},
}
_NAMES: Final = {SPEC: "this spec", OLD: "older spec", LENGTH: "length", RANDOM: "chance"}
_POINT: Final[dict[str, Any]] = {
    "marker": "o",
    "markersize": 8,
    "markerfacecolor": "white",
    "markeredgecolor": "#000000",
    "markeredgewidth": 1.8,
    "ecolor": "#000000",
    "elinewidth": 1.2,
    "capsize": 3,
    "linestyle": "none",
    "zorder": 5,
}
_SETTINGS: Final[Any] = {
    "svg.hashsalt": "lynkrc",
    "text.parse_math": False,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.edgecolor": "#555555",
}
_METADATA: Final[dict[Form, dict[str, Any]]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def draw(found: Evaluation, form: Form) -> bytes:
    """The picture as a file. ValueError where no suite has scores: there is nothing to draw."""
    if not found.suites:
        raise ValueError("no suite has scores of two models")
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        # A name may be of any script; what the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph ")
        written = BytesIO()
        _drawing(found).savefig(written, format=form, dpi=100, metadata=_METADATA[form])
    return written.getvalue()


def _drawing(found: Evaluation) -> Drawing:
    height = _HEAD + _PANEL * len(found.suites)
    drawing = Drawing(figsize=(WIDTH, height), layout="constrained")
    # In parts of the whole; the legend stands in what is left free above.
    engine: Any = drawing.get_layout_engine()
    engine.set(rect=(0.01, 0.01, 0.98, (height - _HEAD) / height - 0.01), hspace=0.06, wspace=0.05)
    has_costs = any(_costs_are_known(suite) for suite in found.suites)
    panels = drawing.subplots(len(found.suites), 2 if has_costs else 1, squeeze=False)
    for suite, row in zip(found.suites, panels, strict=True):
        _by_share(row[0], found, suite)
        if has_costs and _costs_are_known(suite):
            _by_cost(row[1], suite)
            row[1].set_ylim(row[0].get_ylim())
        elif has_costs:
            row[1].set_axis_off()
            row[1].text(
                0.5, 0.5, "The data has no costs of both models.", ha="center", color="#777777"
            )
    drawing.suptitle(
        printable(found.spec), x=0.012, y=1 - 0.12 / height, ha="left", va="top", weight="bold"
    )
    drawing.legend(
        handles=list(_keys(found)),
        loc="upper left",
        bbox_to_anchor=(0.006, 1 - 0.42 / height),
        ncols=6,
        frameon=False,
        handlelength=3.2,
        columnspacing=1.6,
        borderaxespad=0,
    )
    return drawing


def _keys(found: Evaluation) -> Iterator[Any]:
    """What each line is, in the order in which they stand in the figures."""
    for name in (one.name for one in found.suites[0].policies):
        yield Line2D([], [], label=_NAMES[name], **_LINES[name])
    if any(one.curve is not None and one.curve.bounds for one in found.suites[0].policies):
        yield Line2D([], [], color="#000000", alpha=0.12, linewidth=9, label="95 % of this spec")
    point = {name: value for name, value in _POINT.items() if name.startswith("marker")}
    yield Line2D([], [], linestyle="none", label="as its tiers are set", **point)


def _by_share(axes: Axes, found: Evaluation, suite: SuiteResult) -> None:
    weak, strong, spec, _ = suite.spending
    axes.plot([0, 1], [weak.score.value, strong.score.value], **_LINES[RANDOM])
    for policy in reversed(suite.policies):
        curve = policy.curve
        if curve is None:
            continue
        if curve.bounds is not None:
            axes.fill_between(curve.shares, *curve.bounds, color="#000000", alpha=0.12, linewidth=0)
        axes.plot(curve.shares, curve.scores, **_LINES[policy.name])
    axes.errorbar([spec.share], [spec.score.value], yerr=_bars(spec.score), **_POINT)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.set_xlabel(f"sent to the strong model (tier {printable(found.strong_from)} and above)")
    axes.set_ylabel("mean score")
    models = f"{suite.weak} {weak.score.value:.3f} to {suite.strong} {strong.score.value:.3f}"
    axes.set_title(printable(models), loc="left", fontsize=9, color="#444444")
    _heading(axes, f"{suite.suite}: n = {suite.requests:,}")
    apgr = {one.name: one.figures.apgr for one in suite.policies}
    told = "\n".join(
        f"{_NAMES[name]}: {_said(apgr[name])}" for name in (SPEC, OLD, LENGTH) if name in apgr
    )
    axes.text(
        *(0.985, 0.03, f"APGR (95 %)\n{told}"),
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        fontsize=9,
        linespacing=1.4,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 3},
        # Below the lines: it hides no curve that comes down here.
        zorder=1,
    )


def _by_cost(axes: Axes, suite: SuiteResult) -> None:
    weak, strong, spec, _ = suite.spending
    if weak.cost is None or strong.cost is None or spec.cost is None:
        return
    ends = [1000 * weak.cost.value, 1000 * strong.cost.value]
    axes.plot(ends, [weak.score.value, strong.score.value], **_LINES[RANDOM])
    for policy in reversed(suite.policies):
        curve = policy.curve
        if curve is not None and curve.costs is not None:
            costs = [1000 * cost for cost in curve.costs]
            axes.plot(costs, curve.scores, **_LINES[policy.name])
    axes.errorbar(
        [1000 * spec.cost.value],
        [spec.score.value],
        xerr=[[1000 * part] for [part] in _bars(spec.cost)],
        yerr=_bars(spec.score),
        **_POINT,
    )
    axes.set_xlabel("mean cost of 1,000 requests, USD")
    axes.set_ylabel("mean score")
    _heading(axes, f"{suite.suite}, by cost")


def _heading(axes: Axes, text: str) -> None:
    """Above the line that `set_title` writes."""
    axes.annotate(
        printable(text),
        *((0, 1), (0, 22)),
        xycoords="axes fraction",
        textcoords="offset points",
        weight="bold",
        fontsize=11,
    )


def _costs_are_known(suite: SuiteResult) -> bool:
    return all(one.cost is not None for one in suite.spending)


def _bars(one: Figure) -> list[list[float]]:
    """How far the interval goes below and above the value, as matplotlib wants it."""
    return [[max(0.0, one.value - one.low)], [max(0.0, one.high - one.value)]]


def _said(one: Figure) -> str:
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"
