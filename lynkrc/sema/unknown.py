"""A name nothing is called by to the finding that says so, and what was perhaps meant."""

from lynkrc.diagnostics.sema_codes import UNKNOWN_NAME
from lynkrc.diagnostics.suggest import closest, did_you_mean
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.context import Context
from lynkrc.sema.naming import nearest
from lynkrc.sema.scope import ABSENT, DECIDED
from lynkrc.source.text import Span
from lynkrc_runtime.feature_table import TEXTS


def report_unknown(context: Context, name: str, span: Span) -> None:
    """Add the finding about a name in an expression."""
    help, meant = _help(context, name)
    message = f"nothing here is called {shown(name)}"
    context.report(UNKNOWN_NAME, span, message, help, fix=nearest(span, name, meant))


def _help(context: Context, name: str) -> tuple[str, tuple[str, ...]]:
    """The way out, and the names one of which was perhaps meant."""
    if name == ABSENT:
        return 'only a test reads it: `header("x") == absent`', ()
    if name.lower() in ("true", "false"):
        return f"write `{name.lower()}`", (name.lower(),)
    if name in DECIDED:
        return "it is the outcome of the decision, which only assertions can read", ()
    if name in context.scope.lexicons:
        return f"it is a lexicon: write `matches(ask, {name})` or `count(ask, {name})`", ()
    if name in TEXTS:
        return f"it is a text: `matches({name}, LEXICON)` tests it", ()
    known = context.scope.names(context.place)
    if closest(name, known):
        return did_you_mean(name, known), tuple(known)
    first = name.split(".", maxsplit=1)[0]
    related = [one for one in known if one.split(".")[0] == first]
    if related:
        return f"there are {listed(related, 'and')}", ()
    defined = ", or define it under `features`" if name.isidentifier() else ""
    return f"correct the name{defined}", ()
