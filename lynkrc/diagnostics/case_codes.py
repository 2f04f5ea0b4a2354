"""The findings about files of tests, where no code of a spec fits."""

from lynkrc.diagnostics.model import Code, Severity

UNREAD_FEATURE = Code(id="LK651", name="unread-feature", severity=Severity.ERROR)
UNKNOWN_RULE = Code(id="LK652", name="unknown-rule", severity=Severity.ERROR)
NOT_DECIDED = Code(id="LK653", name="header-not-of-decision", severity=Severity.ERROR)
IMPOSSIBLE_FEATURES = Code(id="LK654", name="impossible-features", severity=Severity.ERROR)

CASE_CODES: tuple[Code, ...] = (UNREAD_FEATURE, UNKNOWN_RULE, NOT_DECIDED, IMPOSSIBLE_FEATURES)
"""All of them, in order."""
