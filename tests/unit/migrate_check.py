"""A draft to its text: canonical, and without a finding but those `init` itself announces."""

from lynkrc.cli.specs import DiskLoader, catalog_files
from lynkrc.diagnostics.model import Severity
from lynkrc.migrate.draft import Draft
from lynkrc.migrate.write_spec import write_spec
from lynkrc.pipeline import check_spec
from lynkrc.source.text import SourceFile
from lynkrc.syntax.fmt import format_spec

PRICE, NOT_SERVED = "LK414", "LK601"


def findings_of(text: str) -> list[tuple[str, str]]:
    """Code and message of every finding in a spec that is more than a note."""
    checked = check_spec(
        "routing.yaml", text.encode(), loader=DiskLoader(), catalog=catalog_files()
    )
    found = [one for one in checked.diagnostics if one.severity is not Severity.NOTE]
    return [(one.code.id, one.message) for one in found]


def canonical(text: str) -> str | None:
    """The text as `lynkrc fmt` writes it."""
    return format_spec(SourceFile(path="routing.yaml", text=text))[0]


def unpriced(draft: Draft) -> list[str]:
    """The targets whose price has to be written before the spec checks."""
    return [one.name for one in draft.targets if one.unpriced]


def sound_text(draft: Draft) -> str:
    """The text of a draft, after a check: its findings are the missing prices it announces, and
    what this runtime does not serve of settings and kinds that the draft has."""
    text = write_spec(draft, schema=None)
    assert canonical(text) == text
    found = findings_of(text)
    wanted = [(PRICE, f"nothing states the price of `{name}`") for name in unpriced(draft)]
    assert [one for one in found if one[0] != NOT_SERVED] == wanted
    if not draft.settings and not any(tier.pick == "fastest" for tier in draft.tiers):
        told = [message for code, message in found if code == NOT_SERVED]
        kinds = {f"`kind: {one.kind}`" for one in draft.providers}
        own = {f"`providers.{one.name}.concurrency`" for one in draft.providers}
        assert all(message.split(" is compiled")[0] in kinds | own for message in told)
    return text
