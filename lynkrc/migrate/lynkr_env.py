"""A Lynkr `.env` to a draft, with an account of every variable in it.

Lynkr's tiers are ours; its fallback (up the tiers, then down, then `FALLBACK_PROVIDER`) is the
order of each chain. A tier that is missing takes its neighbour's target, and that is said.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

from lynkrc.migrate.account import Account, Fate, account_lines, carried, left
from lynkrc.migrate.draft import (
    ESCALATE_NOTE,
    Draft,
    DraftTarget,
    DraftTier,
    Known,
    draft_target,
    free_name,
    ollama_lines,
    short_name,
    simulated,
)
from lynkrc.migrate.lynkr_call import Call, call_of
from lynkrc.migrate.lynkr_providers import LYNKR_PROVIDERS, variables_of
from lynkrc.migrate.lynkr_settings import SETTINGS, read_settings
from lynkrc.migrate.lynkr_variables import SPECIAL, row_of
from lynkrc.migrate.migration import Migration, Unreadable
from lynkrc.migrate.read_env import Assignment, EnvFile, read_env
from lynkrc.source.decode_text import MAX_BYTES
from lynkrc_runtime.providers.kind import ProviderKind
from lynkrc_runtime.providers.table import KINDS

_TIERS: tuple[tuple[str, int | None], ...] = (
    ("SIMPLE", 19),
    ("MEDIUM", 50),
    ("COMPLEX", 75),
    ("REASONING", None),
)
"""Lynkr's tiers with the bounds its code has; its documents put the first at 25."""

_PROFILE = "builtin/lynkr-13"
"""Thirteen dimensions, as Lynkr has."""

_DEFAULT_PROVIDER = "databricks"
_LOCAL = ("ollama", "llamacpp", "lmstudio")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+~-]{0,199}")
_ORDINARY = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_UNUSED = "no tier and no fallback uses it"


@final
@dataclass(slots=True, kw_only=True)
class _Work:
    """What is known so far. `values` hold secrets: nothing of them is shown but models."""

    file: EnvFile
    values: Mapping[str, str]
    known: Known
    kinds: Mapping[str, ProviderKind]
    said: dict[str, Account] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    calls: dict[str, Call] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Providers that something names and that cannot be called, with why."""
    targets: dict[tuple[str, str], DraftTarget] = field(default_factory=dict)

    def say(self, account: Account) -> None:
        """Answer for a variable that is in the file; what is said first holds."""
        if account.name in self.values:
            self.said.setdefault(account.name, account)


def migrate_env(
    path: str, data: bytes, known: Known, kinds: Mapping[str, ProviderKind] = KINDS
) -> Migration | Unreadable:
    """The draft that does what the `.env` made Lynkr do. `path` is how messages call the file."""
    if len(data) > MAX_BYTES:
        return Unreadable(lines=(f"error: {path} has more than {MAX_BYTES:,} bytes",))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Unreadable(lines=(f"error: {path} is not UTF-8; save it as UTF-8",))
    file = read_env(text)
    work = _Work(file=file, values=_usable(file), known=known, kinds=kinds)
    _file_notices(work)
    _several_lines(work)
    read = read_settings(work.values)
    for account in read.accounts:
        work.say(account)
    chains, notes = _chains(work)
    accounts = _accounts(work)
    ending = _ending(path, accounts)
    intro = (
        f"Taken over from the Lynkr settings in {_name(path)}. At the end of this file stands what",
        "became of each of them. Keys stay in the environment, under the names they have there.",
    )
    if not chains:
        work.notices.append(
            "nothing in the file can be called, so the spec runs on the simulator: put a provider "
            "of yours in its place"
        )
        draft = simulated(name="routing", intro=intro, ending=ending)
    else:
        draft = _draft(work, chains, notes, intro, ending)
    draft = replace(draft, settings=read.settings)
    return Migration(draft=draft, accounts=accounts, notices=tuple(work.notices))


def _usable(file: EnvFile) -> dict[str, str]:
    """The values; those over several lines count as empty, since nothing here is so long."""
    return {one.name: "" if "\n" in one.value else one.value for one in file.assignments}


def _file_notices(work: _Work) -> None:
    for repeat in work.file.repeated:
        numbers = ", ".join(str(line) for line in repeat.lines)
        name = _display(repeat.name, repeat.lines[0])
        work.notices.append(f"{name} is set more than once (lines {numbers}): the last one holds")
    if work.file.malformed:
        numbers = ", ".join(str(line) for line in work.file.malformed[:20])
        more = ", ..." if len(work.file.malformed) > 20 else ""
        work.notices.append(f"no NAME=value on line {numbers}{more}: not read")


def _several_lines(work: _Work) -> None:
    """A value of several lines is no key, address or model that could be carried over."""
    for one in work.file.assignments:
        if "\n" in one.value and (one.name in SPECIAL or one.name in SETTINGS or _owner(one.name)):
            work.say(left(one.name, "its value goes over several lines"))


def _chains(work: _Work) -> tuple[list[tuple[str, ...]], list[str]]:
    """The chain of each tier and a comment on it; no chains where nothing can be called."""
    own: list[DraftTarget | None] = [_tier_target(work, name) for name, _ in _TIERS]
    notes = ["" for _ in _TIERS]
    fallback = _fallback(work, any(own))
    if not any(own):
        own, notes = _static(work, bool([n for n, _ in _TIERS if work.values.get(f"TIER_{n}")]))
        if not any(own):
            return [], notes
    else:
        _fill_gaps(work, own, notes)
        _say_provider(work)
    filled = [target for target in own if target is not None]
    chains = []
    for at in range(len(_TIERS)):
        walk = [*filled[at:], *reversed(filled[:at]), *([fallback] if fallback else [])]
        chains.append(tuple(dict.fromkeys(target.name for target in walk)))
    return chains, notes


def _tier_target(work: _Work, tier: str) -> DraftTarget | None:
    name = f"TIER_{tier}"
    written = work.values.get(name, "").strip()
    if not written:
        work.say(left(name, "it is empty"))
        return None
    id, colon, model = written.partition(":")
    if not colon:
        id, model = _provider_id(work), written
        work.say(carried("MODEL_PROVIDER", "the provider of tiers that name none"))
    found = _target(work, id.strip().lower(), model.strip())
    if isinstance(found, str):
        work.say(left(name, found))
        return None
    work.say(carried(name, f"`targets.{found.name}`, first in the chain of `{tier}`"))
    return found


def _target(work: _Work, id: str, model: str) -> DraftTarget | str:
    """The target for a model of a provider, or why there is none."""
    row = LYNKR_PROVIDERS.get(id)
    if row is None:
        return "it names no provider of Lynkr that lynkrc knows"
    call = work.calls.get(id) or call_of(row, work.values, work.kinds)
    if isinstance(call, str):
        work.refused[id] = call
        return call
    asked = call.model if call.fixed_model else model or call.model
    if not _MODEL.fullmatch(asked) or _holds_secret(work, asked):
        return "it names no model" if not asked else "what it names is no model's name"
    if id not in work.calls:
        work.calls[id] = call
        for name, where in call.used:
            work.say(carried(name, where))
        for name, why in (*call.lost, *row.others):
            work.say(left(name, why))
        for name in call.missing:
            work.notices.append(f"{name} is not in the file: {id} needs it")
    if model and call.fixed_model and model != call.model:
        work.notices.append(
            f"{id} is called by its endpoint {call.model}: the model {model} means nothing to it, "
            "there as here"
        )
    if not model and not call.fixed_model and row.model is not None:
        work.say(carried(row.model, f"the `model` of a target of `{call.provider.name}`"))
    key = (id, asked)
    if key not in work.targets:
        taken = [*(one.name for one in work.targets.values()), *(name for name, _ in _TIERS)]
        name = free_name(short_name(asked), taken)
        work.targets[key] = draft_target(name, call.provider, asked, work.known)
    return work.targets[key]


def _holds_secret(work: _Work, text: str) -> bool:
    """Whether a key of the file was put where a model's name belongs."""
    return any(
        len(value) >= 8 and value in text
        for name, value in work.values.items()
        if name.endswith(("KEY", "TOKEN", "SECRET", "PASSWORD"))
    )


def _provider_id(work: _Work) -> str:
    return work.values.get("MODEL_PROVIDER", "").strip().lower() or _DEFAULT_PROVIDER


def _static(work: _Work, were_tiers: bool) -> tuple[list[DraftTarget | None], list[str]]:
    """Everything to `MODEL_PROVIDER`, as Lynkr does without tiers."""
    found = _target(work, _provider_id(work), "")
    notes = ["" for _ in _TIERS]
    if isinstance(found, str):
        work.say(left("MODEL_PROVIDER", found))
        return [None for _ in _TIERS], notes
    work.say(carried("MODEL_PROVIDER", f"`targets.{found.name}`, in every tier"))
    why = "no TIER_ variable can be carried over" if were_tiers else "no TIER_ variable is set"
    work.notices.append(
        f"{why}: every tier has the target of MODEL_PROVIDER; put a cheaper one into SIMPLE to save"
    )
    notes[0] = "put a cheaper target first here, and routing begins to save"
    return [found for _ in _TIERS], notes


def _fill_gaps(work: _Work, own: list[DraftTarget | None], notes: list[str]) -> None:
    """Give a tier without a target that of the next stronger one, else of the next weaker."""
    gaps = [at for at, target in enumerate(own) if target is None]
    given = list(own)
    absent = []
    for at in gaps:
        order = [*range(at + 1, len(own)), *range(at - 1, -1, -1)]
        donor = next(other for other in order if given[other] is not None)
        own[at] = given[donor]
        tier, neighbour = _TIERS[at][0], _TIERS[donor][0]
        written = work.values.get(f"TIER_{tier}", "")
        state = "cannot be carried over" if written else "is not set"
        if not written:
            absent.append(tier)
        notes[at] = f"TIER_{tier} {state}: the target of {neighbour}"
        work.notices.append(f"TIER_{tier} {state}: {tier} takes the target of {neighbour}")
    if absent:
        work.notices.append(
            "with a TIER_ variable missing, Lynkr routes nothing and sends every request to "
            "MODEL_PROVIDER; this spec routes"
        )


def _say_provider(work: _Work) -> None:
    """`MODEL_PROVIDER` where every tier named a provider itself."""
    work.say(left("MODEL_PROVIDER", "each tier names its provider: nothing else is sent there"))


def _fallback(work: _Work, has_tiers: bool) -> DraftTarget | None:
    """The target of `FALLBACK_PROVIDER`, the last of every chain."""
    switch = work.values.get("FALLBACK_ENABLED", "").strip().lower()
    name = "FALLBACK_PROVIDER"
    if switch == "false":
        if has_tiers:
            work.notices.append(
                "FALLBACK_ENABLED=false also switches Lynkr's forced escalations off; the rules "
                "of builtin/lynkr hold always: replace those you do not want"
            )
        work.say(
            carried("FALLBACK_ENABLED", "no fallback provider in the chains; tiers still fall back")
        )
        work.say(left(name, "it is switched off"))
        return None
    id = work.values.get(name, "").strip().lower()
    if id in _LOCAL:
        work.say(left(name, "Lynkr takes no local provider as its fallback"))
        found: DraftTarget | str = ""
    elif id or work.values.get("DATABRICKS_API_KEY"):
        found = _target(work, id or _DEFAULT_PROVIDER, "")
    else:
        found = ""
    if isinstance(found, str):
        work.say(left(name, found or "it is empty"))
        work.say(left("FALLBACK_ENABLED", "no fallback provider can be called; tiers fall back"))
        return None
    work.say(carried(name, f"`targets.{found.name}`, last in every chain"))
    work.say(carried("FALLBACK_ENABLED", f"`targets.{found.name}`, last in every chain"))
    return found


def _accounts(work: _Work) -> tuple[Account, ...]:
    """One entry for each variable of the file."""
    entries = []
    for one in work.file.assignments:
        entry = work.said.get(one.name)
        if entry is None and _owner(one.name):
            owners = _owner(one.name)
            reasons = [work.refused[id] for id in owners if id in work.refused]
            if any(id in work.calls for id in owners):
                reasons = ["what uses its provider names a model, or takes another key"]
            entry = left(one.name, reasons[0] if reasons else _UNUSED)
        if entry is None:
            row = row_of(one.name)
            fate, text = row.fate, row.text
            if fate is Fate.LEFT and row.names and _is_off(one):
                fate, text = Fate.CARRIED, "off here, too"
            entry = Account(name=_display(one.name, one.line), fate=fate, text=text)
        entries.append(entry)
    return tuple(entries)


def _is_off(one: Assignment) -> bool:
    """Whether it switches off what the gateway does not do either."""
    return one.name.endswith("_ENABLED") and one.value.strip().lower() == "false"


def _owner(name: str) -> tuple[str, ...]:
    """The providers a variable belongs to."""
    return tuple(id for id, row in LYNKR_PROVIDERS.items() if name in variables_of(row))


def _display(name: str, line: int) -> str:
    """A variable's name; the number of its line where it may be a piece of a key instead."""
    return name if _ORDINARY.fullmatch(name) else f"line {line}"


def _draft(
    work: _Work,
    chains: Sequence[tuple[str, ...]],
    notes: Sequence[str],
    intro: tuple[str, ...],
    ending: tuple[str, ...],
) -> Draft:
    used = {name for chain in chains for name in chain}
    targets = tuple(one for one in work.targets.values() if one.name in used)
    providers = {call.provider.name: call.provider for call in work.calls.values()}
    needed = {target.provider for target in targets}
    return Draft(
        name="routing",
        intro=intro,
        providers=tuple(one for name, one in providers.items() if name in needed),
        targets=targets,
        tiers=tuple(
            DraftTier(name=name, up_to=up_to, chain=chain, note=note)
            for (name, up_to), chain, note in zip(_TIERS, chains, notes, strict=True)
        ),
        profile=_PROFILE,
        otherwise="escalate",
        otherwise_note=ESCALATE_NOTE,
        tiers_note="Lynkr's bounds; each chain goes up the tiers, then down, as its fallback does",
        hints=ollama_lines(targets, tuple(providers.values())),
        ending=ending,
    )


def _ending(path: str, accounts: Sequence[Account]) -> tuple[str, ...]:
    if not accounts:
        return (f"{_name(path)} sets no variable.",)
    what = f"{len(accounts)} variables" if len(accounts) > 1 else "one variable"
    return (f"What became of the {what} of {_name(path)}:", "", *account_lines(accounts, Fate))


def _name(path: str) -> str:
    """The file's own name: a spec does not tell where it was made."""
    return re.sub(r"[^\w.+-]", "_", path.replace("\\", "/").rsplit("/", 1)[-1])
