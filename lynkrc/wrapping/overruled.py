"""A client's own settings files to the variables in them that go before what it is given.

Claude Code has them as `env` of its settings (https://code.claude.com/docs/en/settings), aider in a
file `.env` (https://aider.chat/docs/config/dotenv.html).
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from lynkrc.wrapping.clients import Client, Wrapped

_LINE = re.compile(r"\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*")


def overruled(
    client: Client, how: Wrapped, environ: Mapping[str, str], folder: Path
) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Each file with the variables in it that would lead elsewhere; one we cannot read has none."""
    for path in _files(client.program, environ, folder):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        found = _env(text) if path.suffix == ".json" else _lines(text)
        led = {*client.withheld, *client.lead("", "")[1]}
        names = [name for name in found if name in led and found[name] != how.environ.get(name)]
        if names:
            yield path, tuple(sorted(names))


def _files(program: str, environ: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    home = Path(environ.get("HOME") or Path.home())
    match program:
        case "claude":
            own = Path(environ.get("CLAUDE_CONFIG_DIR") or home / ".claude")
            here = folder / ".claude"
            return own / "settings.json", here / "settings.json", here / "settings.local.json"
        case "aider":
            return home / ".env", folder / ".env"
        case _:
            return ()


def _env(text: str) -> Mapping[str, str]:
    """
    >>> _env('{"env": {"ANTHROPIC_BASE_URL": "https://a.test"}}'), _env("[]"), _env("{")
    ({'ANTHROPIC_BASE_URL': 'https://a.test'}, {}, {})
    """
    try:
        found = json.loads(text)["env"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _lines(text: str) -> Mapping[str, str]:
    r"""
    >>> _lines("# A=0\nexport OPENAI_API_KEY = 'sk-1'\n")
    {'OPENAI_API_KEY': 'sk-1'}
    """
    found = map(_LINE.fullmatch, text.splitlines())
    return {one[1]: one[2].strip("'\"") for one in found if one is not None}
