"""A small sound spec to hang examples on, and the way from YAML text to a typed spec."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from lynkrc.diagnostics.model import Diagnostic, Severity
from lynkrc.sema.check import Checker
from lynkrc.sema.loader import BaseFile
from lynkrc.sema.resolve import resolve
from lynkrc.sema.scope import LexiconFacts, Scope
from lynkrc.sema.typed import Bool
from lynkrc.sema.typed_config import TypedConfig
from lynkrc.sema.types import TRUST_LEVELS
from lynkrc.source.resources import read_spec, spec_names, spec_path
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.parse import parse_expression
from lynkrc.syntax.read import read_config

SECTIONS = {
    "providers": "providers:\n  house: {kind: simulator, trust: local}\n",
    "targets": "targets:\n  one: {provider: house, model: m}\n",
    "score": "score:\n  dimensions:\n    size: {weight: 100, value: 'ramp(ask.words, 0, 200)'}\n",
    "tiers": "tiers:\n  - {name: LOW, up_to: 50, chain: [one]}\n  - {name: HIGH, chain: [one]}\n",
}
"""What a decision needs; scores reach from 0 to 100, and the target can do everything."""

HEAD = "version: 1\nname: example\n"

BASES = {
    "./team.yaml": "version: 1\nname: team\nlexicons:\n  urgent: [urgent]\n",
    "./other-team.yaml": "version: 1\nname: other\nlexicons:\n  urgent: [asap]\n",
    "./circle.yaml": "version: 1\nname: circle\nextends: ./routing.yaml\n",
}


@dataclass(frozen=True)
class Files:
    """A loader of texts by name, and of the built-in specs."""

    texts: Mapping[str, str] = field(default_factory=lambda: BASES)

    def load(self, name: str, from_path: str) -> BaseFile | None:
        if name.startswith("builtin/"):
            try:
                return BaseFile(path=spec_path(name), data=read_spec(name).encode())
            except FileNotFoundError:
                return None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(from_path), name))
        if path == "routing.yaml":
            return BaseFile(path=path, data=b"")
        text = self.texts.get(name)
        return None if text is None else BaseFile(path=path, data=text.encode())


def catalog() -> tuple[SourceFile, ...]:
    return tuple(
        SourceFile(path=spec_path(name), text=read_spec(name)) for name in spec_names("catalog")
    )


def complete(text: str) -> str:
    """The example with the sections it leaves out, after its own so that its places stay."""
    start = "" if text.startswith("version:") else HEAD
    written = {line.split(":")[0] for line in text.splitlines() if line[:1].isalpha()}
    missing = (part for name, part in SECTIONS.items() if name not in written)
    return start + text + "".join(missing)


def resolved(
    text: str, files: Files | None = None, *, whole: bool = False, notes: bool = False
) -> tuple[TypedConfig | None, list[Diagnostic]]:
    """What `resolve` makes of an example, completed unless it is `whole`; without its notes."""
    file = SourceFile(path="routing.yaml", text=text if whole else complete(text))
    config, findings = read_config(file)
    assert config is not None, findings
    assert findings == [], [one.message for one in findings]
    typed, found = resolve(config, files or Files(), catalog())
    return typed, [one for one in found if notes or one.severity is not Severity.NOTE]


def sound(text: str, files: Files | None = None) -> TypedConfig:
    """The typed spec of an example without any finding."""
    typed, findings = resolved(text, files)
    assert findings == [], [one.message for one in findings]
    assert typed is not None
    return typed


def found(text: str, files: Files | None = None, *, whole: bool = False) -> list[tuple[str, str]]:
    """Code and marked text of each finding of an example."""
    _, findings = resolved(text, files, whole=whole)
    return [(one.code.id, one.span.text) for one in findings]


SCOPE = Scope(
    lexicons={"words": LexiconFacts(shown="words", entries=3, low64=-64, high64=224)},
    features={},
    clients=("codex",),
    targets=("one", "two"),
    providers=("house",),
    trust_levels=TRUST_LEVELS,
    tiers=("LOW", "HIGH"),
    rules=("early",),
)
"""The scope of a lone expression."""


def checked(
    text: str, *, require: bool = False, scope: Scope = SCOPE
) -> tuple[Bool | None, list[Diagnostic]]:
    """A lone condition, typed."""
    file = SourceFile(path="routing.yaml", text=text)
    expr, findings = parse_expression(text, lambda i, j: Span(file=file, start=i, end=j))
    assert findings == []
    assert expr is not None
    checker = Checker(scope, file)
    typed = checker.requirement(expr) if require else checker.guard(expr)
    return typed, checker.findings
