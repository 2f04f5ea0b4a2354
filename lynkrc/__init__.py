"""lynkrc: the compiler from ``routing.yaml`` to a checked, reproducible bundle."""

__version__ = "0.1.0"
