"""A document and its bases to one spec: `extends`, `score.use`, overriding, origins.

A base is merged with its own bases first. Then, name by name, what the document defines replaces
what a base defines, for every use of the name: also the base's rules then read the document's
lexicon. In one spec a name has one meaning. Two bases that define a name differently are an error
unless the document defines it too.

- rules: the document's own come first, then the bases'; a same-named rule takes the base's place
- providers, targets, models, lexicons, features, clients: united by name
- tiers, otherwise: the document's, else the bases'
- score: the document's, with the dimensions, offset, lexicons and features of its profile (never
  rules); a document without `score` has its bases'

The merger does no input: a `Loader` is asked for each base.
"""

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Generic, TypeAlias, TypeVar, final

from lynkrc.diagnostics.model import Diagnostic, Label, Severity
from lynkrc.diagnostics.sema_codes import (
    BASES_TOO_DEEP,
    CIRCULAR_BASE,
    CONFLICTING_BASES,
    NO_PROFILE,
    UNKNOWN_BASE,
)
from lynkrc.diagnostics.suggest import closest
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.loader import BaseFile, Loader
from lynkrc.sema.term_files import with_terms
from lynkrc.source.resources import spec_names
from lynkrc.source.text import Span
from lynkrc.syntax.config import (
    SETTINGS,
    Assertion,
    Client,
    Config,
    Dimension,
    Lexicon,
    Located,
    ModelMapping,
    Name,
    NamedExpression,
    Number,
    Provider,
    Rule,
    Section,
    Target,
    Tier,
)
from lynkrc.syntax.read import read_source

MAX_LEVELS = 50
"""Greatest number of bases that stand on one another."""

BUILTIN = "builtin"
"""The origin of what ships with lynkrc, and the prefix of its names."""

V = TypeVar("V")
Definition: TypeAlias = (
    Client | Dimension | Lexicon | ModelMapping | NamedExpression | Provider | Rule | Target
)
T = TypeVar("T", bound=Definition)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced(Generic[T]):
    """A definition and where it comes from: "" for the document itself."""

    item: T
    origin: str

    @property
    def name(self) -> str:
        """The name it is used by."""
        return name_of(self.item).value

    @property
    def shown(self) -> str:
        """The name with its origin: ``builtin/greetings``."""
        return f"{self.origin}/{self.name}" if self.origin else self.name


def name_of(item: Definition) -> Name:
    """What a definition is called."""
    return item.pattern if isinstance(item, ModelMapping) else item.name


Sources: TypeAlias = tuple[Sourced[T], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One document with everything it inherits."""

    name: Name
    providers: tuple[Sourced[Provider], ...]
    targets: tuple[Sourced[Target], ...]
    models: tuple[Sourced[ModelMapping], ...]
    lexicons: tuple[Sourced[Lexicon], ...]
    features: tuple[Sourced[NamedExpression], ...]
    clients: tuple[Sourced[Client], ...]
    has_score: bool
    offset: Number | None
    dimensions: tuple[Sourced[Dimension], ...]
    tiers: tuple[Tier, ...]
    otherwise: Name | None
    rules: tuple[Sourced[Rule], ...]
    trust_levels: tuple[Name, ...]
    """From the most to the least trusted; empty where nothing states them."""
    needs: tuple[tuple[Name, Name], ...]
    assertions: tuple[Assertion, ...]
    settings: tuple[Section, ...]
    """At most one a key, in the order of `SETTINGS`."""
    span: Span = field(compare=False, repr=False)
    documents: tuple[Config, ...] = field(default=(), compare=False, repr=False)
    """Its sound bases, direct or not."""


def merge(config: Config, loader: Loader) -> tuple[Spec, list[Diagnostic]]:
    """The spec of a document, as far as its bases can be had."""
    merger = _Merger(loader)
    spec = merger.document(config, "", ())
    return replace(spec, documents=merger.bases()), merger.findings


@final
class _Merger:
    """Walks the bases of one document; each is read and merged once, however many name it."""

    def __init__(self, loader: Loader) -> None:
        self.findings: list[Diagnostic] = []
        self._loader = loader
        self._read: dict[str, Config | None] = {}
        self._merged: dict[tuple[str, bool], Spec] = {}

    def bases(self) -> tuple[Config, ...]:
        """The sound bases read so far."""
        return tuple(config for config in self._read.values() if config is not None)

    def document(self, config: Config, origin: str, above: tuple[str, ...]) -> Spec:
        """The spec of one document; `above` are the paths of those that lead to it."""
        above = (*above, _same(config.span.file.path))
        config = replace(config, lexicons=tuple(self._lexicons(config)))
        bases = [self._base(name, origin, config, above) for name in config.extends]
        use = config.score.use if config.score is not None else None
        profile = self._base(use, origin, config, above) if use is not None else None
        if use is not None and profile is not None and not profile.dimensions:
            self._report_profile(use)
        found = [base for base in bases if base is not None]
        return self._combine(config, origin, found, profile)

    def _lexicons(self, config: Config) -> Iterator[Lexicon]:
        for lexicon in config.lexicons:
            filled, found = with_terms(lexicon, self._loader, config.span.file.path)
            self.findings += found
            yield filled

    def _base(self, name: Name, origin: str, config: Config, above: tuple[str, ...]) -> Spec | None:
        file = self._loader.load(name.value, config.span.file.path)
        if file is None:
            self.findings.append(
                Diagnostic(
                    code=UNKNOWN_BASE,
                    message=f"there is no spec {shown(name.value)}",
                    span=name.span,
                    help=_which_base(name.value),
                )
            )
            return None
        path = _same(file.path)
        if path in above:
            circle = [*above[above.index(path) :], path]
            self.findings.append(
                Diagnostic(
                    code=CIRCULAR_BASE,
                    message=f"this leads back to itself: {' -> '.join(circle)}",
                    span=name.span,
                    help="let one of these files stand alone",
                )
            )
            return None
        if len(above) > MAX_LEVELS:
            self.findings.append(
                Diagnostic(
                    code=BASES_TOO_DEEP,
                    message=f"bases stand on one another more than {MAX_LEVELS} levels deep",
                    span=name.span,
                    help="let this file stand alone, or name its bases in the spec itself",
                )
            )
            return None
        base = self._config(file)
        if base is None:
            return None
        is_builtin = origin == BUILTIN or name.value.startswith(f"{BUILTIN}/")
        key = path, is_builtin
        if key not in self._merged:
            origin = BUILTIN if is_builtin else base.name.value
            self._merged[key] = self.document(base, origin, above)
        return self._merged[key]

    def _config(self, file: BaseFile) -> Config | None:
        path = _same(file.path)
        if path not in self._read:
            config, findings = _read(file.path, file.data)
            self.findings += findings
            broken = any(finding.code.severity is Severity.ERROR for finding in findings)
            self._read[path] = None if broken else config
        return self._read[path]

    def _report_profile(self, use: Name) -> None:
        self.findings.append(
            Diagnostic(
                code=NO_PROFILE,
                message=f"{shown(use.value)} has no score to use",
                span=use.span,
                help="`use` brings dimensions, an offset and lexicons; `extends` brings rules",
            )
        )

    def _combine(
        self, config: Config, origin: str, bases: Sequence[Spec], profile: Spec | None
    ) -> Spec:
        words = list(bases) if profile is None else [*bases, profile]

        def unite(
            own: Sequence[T], others: Iterable[Sequence[Sourced[T]]]
        ) -> tuple[Sourced[T], ...]:
            mine = tuple(Sourced(item=item, origin=origin) for item in own)
            return self._unite(mine, [one for other in others for one in other])

        score = config.score
        if score is not None:
            dimensions = unite(score.dimensions, [profile.dimensions] if profile else [])
            offset = score.offset or (profile.offset if profile else None)
        else:
            dimensions = unite((), [base.dimensions for base in bases])
            offset = self._one("offset", [base.offset for base in bases])
        return Spec(
            name=config.name,
            providers=unite(config.providers, [base.providers for base in bases]),
            targets=unite(config.targets, [base.targets for base in bases]),
            models=unite(config.models, [base.models for base in bases]),
            lexicons=unite(config.lexicons, [base.lexicons for base in words]),
            features=unite(config.features, [base.features for base in words]),
            clients=unite(config.clients, [base.clients for base in bases]),
            has_score=score is not None or any(base.has_score for base in bases),
            offset=offset,
            dimensions=dimensions,
            tiers=config.tiers or self._tiers([base.tiers for base in bases]),
            otherwise=config.otherwise or self._one("otherwise", [b.otherwise for b in bases]),
            rules=unite(config.rules, [base.rules for base in bases]),
            trust_levels=config.trust_levels or self._levels([base.trust_levels for base in bases]),
            needs=self._needs(config, bases),
            assertions=_once([config.assertions, *(base.assertions for base in bases)]),
            settings=self._settings(config, bases),
            span=config.span,
        )

    def _unite(
        self, own: tuple[Sourced[T], ...], inherited: Iterable[Sourced[T]]
    ) -> tuple[Sourced[T], ...]:
        """Own definitions first, then the inherited; an own one takes an inherited one's place."""
        overriding = {one.name: one for one in own}
        placed: dict[str, Sourced[T]] = {}
        for one in inherited:
            name = one.name
            first = placed.setdefault(name, overriding.get(name, one))
            if name not in overriding and first.item != one.item:
                self._conflict(name, name_of(one.item).span, name_of(first.item).span)
        return (*(one for one in own if one.name not in placed), *placed.values())

    def _tiers(self, ladders: Iterable[tuple[Tier, ...]]) -> tuple[Tier, ...]:
        written = [ladder for ladder in ladders if ladder]
        for ladder in written[1:]:
            if ladder != written[0]:
                self._conflict("tiers", ladder[0].span, written[0][0].span)
        return written[0] if written else ()

    def _levels(self, found: Iterable[tuple[Name, ...]]) -> tuple[Name, ...]:
        written = [levels for levels in found if levels]
        for levels in written[1:]:
            if levels != written[0]:
                self._conflict("trust_levels", levels[0].span, written[0][0].span)
        return written[0] if written else ()

    def _needs(self, config: Config, bases: Iterable[Spec]) -> tuple[tuple[Name, Name], ...]:
        own = {need.value for need, _ in config.needs}
        inherited: dict[str, tuple[Name, Name]] = {}
        for base in bases:
            for need, level in base.needs:
                first = inherited.setdefault(need.value, (need, level))
                if need.value not in own and first[1] != level:
                    self._conflict(need.value, level.span, first[1].span)
        return (*config.needs, *(one for name, one in inherited.items() if name not in own))

    def _settings(self, config: Config, bases: Iterable[Spec]) -> tuple[Section, ...]:
        """A section of the document takes the place of a base's as a whole."""
        chosen = {section.key.value: section for section in config.settings}
        own = set(chosen)
        for base in bases:
            for section in base.settings:
                first = chosen.setdefault(section.key.value, section)
                if section.key.value not in own and first != section:
                    self._conflict(section.key.value, section.key.span, first.key.span)
        return tuple(chosen[key] for key in SETTINGS if key in chosen)

    def _one(self, key: str, found: Iterable[Located[V] | None]) -> Located[V] | None:
        written = [one for one in found if one is not None]
        for one in written[1:]:
            if one != written[0]:
                self._conflict(key, one.span, written[0].span)
        return written[0] if written else None

    def _conflict(self, name: str, span: Span, first: Span) -> None:
        self.findings.append(
            Diagnostic(
                code=CONFLICTING_BASES,
                message=f"two bases define {shown(name)} differently",
                span=span,
                help="define it in your own file, which then holds",
                labels=(Label(span=first, message="and here"),),
            )
        )


@lru_cache(maxsize=8)  # those we ship are bases of most specs
def _read(path: str, data: bytes) -> tuple[Config | None, tuple[Diagnostic, ...]]:
    config, findings = read_source(path, data)
    return config, tuple(findings)


def _once(found: Iterable[tuple[Assertion, ...]]) -> tuple[Assertion, ...]:
    """Each assertion once, though two bases may stand on the one that makes it."""
    placed = {(a.span.file.path, a.span.start): a for assertions in found for a in assertions}
    return tuple(placed.values())


def _same(path: str) -> str:
    """A path in the one form in which equal paths are equal: ``a/../b`` is ``b``."""
    return posixpath.normpath(path.replace("\\", "/"))


def _which_base(name: str) -> str:
    built_in = spec_names("builtin")
    near = closest(name, built_in)
    if near is not None:
        return f"did you mean {shown(near)}?"
    return f"name a built-in ({listed(built_in)}) or a file relative to this one"
