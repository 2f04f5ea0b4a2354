"""``lynkrc`` as a program of its own."""

import gc
import sys

LASTING = frozenset(("lsp", "serve", "top", "wrap"))
"""Commands that go on until they are told to end."""


def main() -> int:
    """Run the command line; returns its exit code.

    A compiler makes much and throws little away, nearly none of it in cycles: its collector looks
    rarely, for most specs never, and not at all at what is left in the end.
    """
    gc.set_threshold(1_000_000 if LASTING.isdisjoint(sys.argv) else 100_000, 10, 10)
    # Imported here: what is imported is most of what the collector would look at.
    from lynkrc.cli.main import main as run

    code = run()
    gc.freeze()
    return code


if __name__ == "__main__":
    raise SystemExit(main())
