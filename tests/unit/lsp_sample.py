"""A spec to ask questions about, and the way from a text with a mark to what is known there."""

from lynkrc.cli.specs import DiskLoader, catalog_files
from lynkrc.lsp.analysis import Analysis, analyse
from lynkrc.sema.catalog_read import read_catalog

PATH = "routing.yaml"
MARK = "^"
SPEC = """\
version: 1
name: sample
extends: builtin/lynkr

providers:
  house:  {kind: ollama, trust: local}
  claude: {kind: anthropic, api_key: "${ANTHROPIC_API_KEY}", trust: cloud}

targets:
  small: {provider: house, model: llama3.2, context: 128k, capabilities: [tools], price: free}
  big:   {provider: claude, model: claude-sonnet-5-5}

lexicons:
  secret_words: [confidential, internal only, "~漢字"]

features:
  secret: header("x-data-class") == "漢字 \U0001f600" or matches(ask, secret_words)
  heavy: >
    ask.tokens > 4000
    and count(ask, secret_words) > 1

score:
  use: builtin/lynkr-13

tiers:
  - {name: SIMPLE, up_to: 25, chain: [small, big]}
  - {name: MEDIUM, up_to: 50, chain: [small, big]}
  - {name: COMPLEX, up_to: 75, chain: [big, small]}
  - {name: REASONING, chain: [big, small]}

otherwise: escalate

rules:
  - {name: stay-home, when: secret, require: "target.trust == local"}
  - name: heavy-asks
    when: 'heavy and client != "claude-code"'
    floor: COMPLEX
"""

LOADER = DiskLoader()
CATALOG, _ = read_catalog(catalog_files())


def known(text: str = SPEC, before: Analysis | None = None) -> Analysis:
    """What is known of a text."""
    return analyse(PATH, text, loader=LOADER, catalog=CATALOG, before=before)


def at(words: str, text: str = SPEC) -> int:
    """The offset of the mark in `words`, where these stand in a text without the mark."""
    inside = words.index(MARK)
    return text.index(words.replace(MARK, "", 1)) + inside
