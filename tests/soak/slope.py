"""Samples over time to the line through them: whether something grows.

>>> slope([(0.0, 10.0), (1.0, 12.0), (2.0, 14.0)])
2.0
"""

from collections.abc import Sequence


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """Growth a second, by least squares. At least two samples at different moments."""
    count = len(samples)
    middle = sum(moment for moment, _ in samples) / count
    height = sum(value for _, value in samples) / count
    spread = sum((moment - middle) ** 2 for moment, _ in samples)
    return sum((moment - middle) * (value - height) for moment, value in samples) / spread
