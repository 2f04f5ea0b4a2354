"""The findings about sections that say how requests are served, where no other code fits."""

from lynkrc.diagnostics.model import Code, Severity

UNKNOWN_OWNER = Code(id="LK423", name="unknown-owner", severity=Severity.ERROR)

SETTINGS_CODES: tuple[Code, ...] = (UNKNOWN_OWNER,)
"""All of them, in order."""
