"""The page of a code to its examples: what stands as YAML below "Fails" and "Fixed"."""

import re

from lynkrc.diagnostics.pages import read_page

_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(code: str) -> list[tuple[str, str]]:
    """Heading and text of each example that is a whole document."""
    _, *sections = re.split(r"^## ", read_page(code), flags=re.MULTILINE)
    return [
        (section.split("\n", 1)[0], text) for section in sections for text in _YAML.findall(section)
    ]
