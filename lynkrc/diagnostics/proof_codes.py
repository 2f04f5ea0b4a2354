"""Kinds of findings about assertions (LK53x)."""

from lynkrc.diagnostics.model import Code, Severity

REFUTED = Code(id="LK530", name="assertion-refuted", severity=Severity.ERROR)
UNDECIDED = Code(id="LK531", name="assertion-unknown", severity=Severity.ERROR)
UNNEEDED_WAIVE = Code(id="LK532", name="unneeded-waive", severity=Severity.WARNING)

PROOF_CODES: tuple[Code, ...] = (REFUTED, UNDECIDED, UNNEEDED_WAIVE)
"""All of them, in order."""
