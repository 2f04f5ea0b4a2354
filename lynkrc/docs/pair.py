"""A client dialect and a target dialect to a page: what is lost between them, changed, or a misfit.

The rows of ``docs/dialects.md`` that one note LK602 is about, for those who have no checkout.

>>> print(pair_page("openai-chat", "gemini").split("\\n\\n")[0])
# Chat to Gemini
>>> dialect_of("Ollama"), dialect_of("openai-chat"), dialect_of("grpc")
('ollama-chat', 'openai-chat', None)
"""

from collections.abc import Iterable

from lynkrc.sema.lossy import SPOKEN
from lynkrc_runtime.protocol.losses import FEATURES, Does, lossy, pair_table, refused


def dialect_of(word: str) -> str | None:
    """The dialect people mean by a word: its name, or what notes call it, in any case."""
    said = word.lower()
    return next((name for name, spoken in SPOKEN.items() if said in (name, spoken.lower())), None)


def pair_page(client: str, target: str) -> str:
    """The page, in Markdown, with its last line end. KeyError where no such pair is."""
    title = f"# {SPOKEN[client]} to {SPOKEN[target]}"
    if client == target:
        return (
            f"{title}\n\nPassed through: every value travels byte for byte, but for `model` and "
            "what the target's model does not take.\n"
        )
    table = pair_table(client, target)
    lost, misfits = lossy(client, target), refused(client, target)
    changed = tuple(
        name for name, one in table.items() if one.does is Does.CHANGES and name not in lost
    )
    parts = (
        title,
        "What else a request may say arrives as it is. Each change is listed in the answer's "
        "`x-lynkr-transforms`.",
        f"## Lost, always or with some models ({len(lost)})",
        _items(client, target, lost),
        f"## A misfit: the next target is tried ({len(misfits)})",
        _items(client, target, misfits),
        f"## Changed, and nothing lost ({len(changed)})",
        _items(client, target, changed),
    )
    return "\n\n".join(parts) + "\n"


def _items(client: str, target: str, names: Iterable[str]) -> str:
    table = pair_table(client, target)
    lines = []
    for name in names:
        how = table[name].how
        lines.append(f"- {name}. {FEATURES[name].meaning}" + (f" ({how})" if how else ""))
    return "\n".join(lines) or "Nothing."
