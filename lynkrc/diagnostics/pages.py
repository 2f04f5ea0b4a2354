"""Codes to their pages: what a finding means, why it is one, and how to get rid of it.

>>> read_page("LK101").splitlines()[0]
'# LK101: unknown-key'
"""

from importlib.resources import files


def read_page(code: str) -> str:
    """The Markdown of a code's page; FileNotFoundError for a code there is none of."""
    if not code.isalnum():
        raise FileNotFoundError(f"{code!r} is no code")
    page = files("lynkrc").joinpath("diagnostics", "pages", f"{code}.md")
    return page.read_text(encoding="utf-8")


def introduction(page: str) -> list[str]:
    """The paragraphs of a page before its examples: what the finding means, and why it is one."""
    head, _, _ = page.partition("\n## ")
    _, *paragraphs = head.strip().split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs]
