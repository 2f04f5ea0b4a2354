"""Columns and labels to weights: L1 logistic regression, one fit for each strength of a path.

A weight costs the fit as much as what it multiplies spreads, so no column is preferred for its
unit. A rare term may say much and be wrong: it pays more than its spread, by its square root.
Every source has an intercept of its own, which is left out of the score: sources differ in how
often the strong model is needed, and a word must not be worth points for telling them apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, final
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray

from lynkrc.quality.ngrams import LEAST_REQUESTS, Terms

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]

STRENGTHS = tuple(0.015 * 1.5**step for step in range(14))
"""From hardly any weight to nearly free ones; labels count 1,000 together, however many."""

LABELS_A_WEIGHT = 5
"""Labels that there must be for each weight: with fewer they are learned by heart."""

_SCREENED = 30
"""Terms that are let into a fit for each that may come out of it."""
_MOST_SCREENED = 12_000
_FREE = 30.0
"""So large a column pays next to nothing."""
_TOLERANCE = 1e-3
_ROUNDS = 1000


@final
class NoLearner(Exception):
    """scikit-learn, which is an extra, is not installed."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What can be weighed, a row a request: `values` between 0 and 1, and terms."""

    values: Floats
    terms: Terms


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Labels as arrays: the row of each, what it says, how much it counts, its source from 0."""

    rows: Indices
    is_strong: NDArray[np.bool_]
    weights: Floats
    sources: Indices

    def at(self, chosen: NDArray[np.bool_]) -> "Targets":
        """The labels of the rows chosen, a truth for each row."""
        kept = chosen[self.rows]
        return Targets(
            rows=self.rows[kept],
            is_strong=self.is_strong[kept],
            weights=self.weights[kept],
            sources=self.sources[kept],
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Most:
    """How many weights a fit may have: of all kinds together, or terms apart from the others."""

    weights: int
    terms: int

    def cut(self, found: Floats, values: int, labels: int) -> Floats:
        """The weights, `values` of them of values and then those of terms, without the slightest
        ones that are too many: for this, or for what so many labels can tell."""
        kept = np.zeros(len(found), dtype=np.bool_)
        ordered = np.argsort(-np.abs(found), kind="stable")
        if self.terms:
            kept[ordered[ordered < values][: self.weights]] = True
            kept[ordered[ordered >= values][: self.terms]] = True
        else:
            kept[ordered[: self.weights]] = True
        kept[ordered[max(1, labels // LABELS_A_WEIGHT) :]] = False
        return np.where(kept, found, 0.0)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Weights of one strength: of each value at 1, and of the terms that have one, by place."""

    strength: float
    values: Floats
    terms: Indices
    term_weights: Floats

    @property
    def is_empty(self) -> bool:
        """Whether nothing has a weight."""
        return not self.terms.size and not self.values.any()

    def scores(self, columns: Columns) -> Floats:
        """What the rows come to, in no unit."""
        weights = np.zeros(len(columns.terms.names))
        weights[self.terms] = self.term_weights
        found: Floats = columns.values @ self.values + term_sums(columns.terms, weights)
        return found


def term_sums(terms: Terms, weights: NDArray[Any]) -> NDArray[Any]:
    """For each row the weights of its terms, added up."""
    sums = np.concatenate((np.zeros(1, weights.dtype), np.cumsum(weights[terms.places])))
    found: NDArray[Any] = sums[terms.starts[1:]] - sums[terms.starts[:-1]]
    return found


def balanced(targets: Targets) -> Targets:
    """The same labels, each source counting alike, and all of them 1,000."""
    totals = np.bincount(targets.sources, targets.weights)
    weights = targets.weights / totals[targets.sources]
    return Targets(
        rows=targets.rows,
        is_strong=targets.is_strong,
        weights=1000 * weights / weights.sum(),
        sources=targets.sources,
    )


def path(
    columns: Columns, targets: Targets, most: Most, strengths: tuple[float, ...] = STRENGTHS
) -> Iterator[Fitted]:
    """Fits from few weights to many, up to the first that had more than it may, and was cut.

    Those without any weight are left out, and those that do not settle. NoLearner without
    scikit-learn.
    """
    try:
        from scipy.sparse import csr_matrix, diags, hstack
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise NoLearner from None
    targets = balanced(targets)
    rows, terms = targets.rows, columns.terms
    present = csr_matrix(
        (np.ones(len(terms.places)), terms.places, terms.starts),
        shape=(len(columns.values), len(terms.names)),
    )
    screened = _screened(present[rows], targets, most)
    spread = columns.values[rows].std(axis=0)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    often = np.asarray(present[rows].mean(axis=0)).ravel()[screened]
    term_scale = (often * (1 - often)) ** -0.25
    own = np.eye(int(targets.sources.max()) + 1)[targets.sources] * _FREE
    matrix = hstack(
        [
            csr_matrix(columns.values[rows] * scale),
            present[rows][:, screened] @ diags(term_scale),
            csr_matrix(own),
        ]
    ).tocsr()
    count = columns.values.shape[1]
    for strength in strengths:
        learner = LogisticRegression(
            C=strength,
            l1_ratio=1.0,
            solver="liblinear",
            fit_intercept=False,
            tol=_TOLERANCE,
            max_iter=_ROUNDS,
            random_state=0,
        )
        with catch_warnings():
            simplefilter("ignore", ConvergenceWarning)
            learner.fit(matrix, targets.is_strong, sample_weight=targets.weights)
        if learner.n_iter_[0] >= _ROUNDS:
            continue
        whole = learner.coef_[0][: count + len(screened)]
        found = most.cut(whole, count, len(rows))
        of_terms = found[count:]
        kept = np.flatnonzero(of_terms)
        fitted = Fitted(
            strength=strength,
            values=found[:count] * scale,
            terms=screened[kept],
            term_weights=of_terms[kept] * term_scale[kept],
        )
        if not fitted.is_empty:
            yield fitted
        if np.count_nonzero(whole) > np.count_nonzero(found):
            return


def _screened(present: Any, targets: Targets, most: Most) -> Indices:
    """The terms that tell most by themselves, in order of place; the others never get a weight."""
    marks = targets.is_strong.astype(np.float64)
    means = np.bincount(targets.sources, targets.weights * marks) / np.bincount(
        targets.sources, targets.weights
    )
    left = targets.weights * (marks - means[targets.sources])
    told = np.abs(present.T @ left)
    noise = np.sqrt(present.T @ left**2)
    often = np.asarray(present.sum(axis=0)).ravel()
    # What all of these have tells nothing, and has no spread to be scaled by.
    tells = (noise > 0) & (often >= LEAST_REQUESTS) & (often < present.shape[0])
    sure = np.divide(told, noise, out=np.zeros_like(told), where=tells)
    ordered = np.argsort(-sure, kind="stable")
    count = min(_MOST_SCREENED, _SCREENED * (most.terms or most.weights))
    kept: Indices = np.sort(ordered[:count][sure[ordered[:count]] > 0])
    return kept
