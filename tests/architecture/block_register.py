"""Every page with fenced blocks, and who does what they say; `test_blocks` holds it to that."""

from collections.abc import Mapping
from types import MappingProxyType

PAGES = (
    "start",
    "proofs",
    "diff",
    "testing",
    "tracing",
    "keys-limits-budgets",
    "sessions",
    "operations",
    "observability",
    "terminal",
    "migrate/lynkr",
    "migrate/litellm",
    "migrate/claude-code-router",
)
"""Pages of docs/ that `test_tool_pages` does from top to bottom, by `page_walk`."""

ALSO: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"start": ("clients/anthropic-sdk", "clients/openai-sdk")}
)
"""Pages that are done after another, by the gateway that runs at its end."""

ELSEWHERE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "README.md": {
            "python": "architecture/test_readme.py",
            "sh": "architecture/test_readme.py",
            "text": "architecture/test_readme.py",
            "yaml": "architecture/test_readme.py",
        },
        "CONTRIBUTING.md": dict.fromkeys(
            ("diff", "sh", "text", "yaml"), "architecture/test_contributing.py"
        ),
        "docs/adding-a-provider.md": dict.fromkeys(
            ("diff", "python", "sh", "text", "yaml"), "architecture/test_contributing.py"
        ),
        "docs/ci.md": {
            "sh": "architecture/test_blocks.py",
            "yaml": "architecture/test_blocks.py",
        },
        "docs/clients/claude-code.md": {"json": "architecture/test_guides.py"},
        "docs/clients/codex.md": {"toml": "architecture/test_guides.py"},
        "docs/clients/continue.md": {"yaml": "architecture/test_guides.py"},
        "docs/clients/frameworks.md": {
            "js": "architecture/test_guides.py",
            "python": "architecture/test_guides.py",
            "yaml": "architecture/test_guides.py",
        },
        "docs/install.md": {
            "sh": "architecture/test_packages.py",
            "text": "architecture/test_packages.py",
        },
        "docs/language.md": {
            "text": "architecture/test_docs.py",
            "toml": "architecture/test_blocks.py",
            "yaml": "architecture/test_docs.py",
        },
        "docs/providers.md": {"yaml": "architecture/test_guides.py"},
        "docs/quality.md": {"sh": "architecture/test_quality_page.py"},
        "docs/reference.md": {"yaml": "architecture/test_reference.py"},
        "docs/scaling.md": {
            "sh": "deploy/test_composed_gateway.py",
            "yaml": "deploy/test_scaling_page.py",
        },
        "docs/signing.md": {"sh": "unit/test_signing_page.py"},
    }
)
"""By page and language, the test (under tests/) that does or compiles the blocks."""

ONLY_READ: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("docs/architecture.md", ""): "a drawing",
        ("docs/language.md", "lua"): "settings of Neovim, which the tests do not install",
        ("docs/quality.md", "text"): "commands on data of others, which is not in the repository",
        ("docs/signing.md", "text"): "a command that ends when the gateway does",
    }
)
"""Blocks that nobody runs and that cannot say so themselves, and why; commands among them parse."""

NOT_RUN: Mapping[str, int] = MappingProxyType(
    {
        "CONTRIBUTING.md": 1,
        "docs/clients/aider.md": 1,
        "docs/clients/claude-code.md": 1,
        "docs/clients/codex.md": 1,
        "docs/performance.md": 6,
        "docs/scaling.md": 4,
        "docs/start.md": 3,
    }
)
"""How many blocks of a page begin with `# not run here:` and the reason."""
