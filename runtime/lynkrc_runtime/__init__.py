"""The lynkrc gateway: loads a bundle and serves clients."""

__version__ = "0.1.0"
