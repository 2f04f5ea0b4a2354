"""What is lost between two dialects, as data: features, outcomes and the names of transforms."""

from lynkrc_runtime.protocol.losses.model import CLIENTS, TARGETS, Does, Feature, Outcome
from lynkrc_runtime.protocol.losses.pairs import FEATURES, PARTS, lossy, pair_table, refused
from lynkrc_runtime.protocol.losses.transforms import TRANSFORMS, fits, form_of, losses_in

__all__ = (
    "CLIENTS",
    "FEATURES",
    "PARTS",
    "TARGETS",
    "TRANSFORMS",
    "Does",
    "Feature",
    "Outcome",
    "fits",
    "form_of",
    "losses_in",
    "lossy",
    "pair_table",
    "refused",
)
