"""A small spec whose every part a plan can tell about, and plans between variants of it."""

from lynkrc.cli.specs import DiskLoader, catalog_files
from lynkrc.diff.compare import compare
from lynkrc.diff.plan import Plan, Spec
from lynkrc.ir.table import RouteTable
from lynkrc.pipeline import compile_spec

SPEC = """\
version: 1
name: shop
providers:
  house: {kind: simulator, trust: local}
  office: {kind: simulator, trust: internal}
  far: {kind: simulator, trust: cloud}
targets:
  small:
    {provider: house, model: tiny, context: 8000, max_output: 1000, price: free,
     capabilities: [tools]}
  mid:
    {provider: office, model: middling, context: 16000, max_output: 2000,
     price: {input: 1, output: 2}, capabilities: [tools]}
  large:
    {provider: far, model: huge, context: 32000, max_output: 4000,
     price: {input: 3, output: 15}, capabilities: [tools]}
lexicons:
  secrets: [salary, password]
score:
  dimensions:
    size: {weight: 100, value: "ramp(ask.words, 0, 20)"}
tiers:
  - {name: LOW, up_to: 50, chain: [small, mid]}
  - {name: HIGH, chain: [mid, small]}
otherwise: escalate
rules:
  - {name: legal, when: 'header("x-team") == "legal"', deny: {status: 403, message: "not here"}}
  - {name: urgent, when: 'header("x-urgent") == "yes"', floor: HIGH}
  - {name: research, when: 'header("x-research") == "yes"', chain: [large]}
  - {name: private, when: 'matches(ask, secrets)', require: target.trust == local}
"""


def edited(*edits: tuple[str, str], spec: str = SPEC) -> str:
    """The spec with pieces of it replaced; each must occur."""
    for old, new in edits:
        assert old in spec, old
        spec = spec.replace(old, new)
    return spec


def compiled(text: str, label: str = "routing.yaml") -> tuple[RouteTable, Spec]:
    """A spec's table, and how a plan calls it."""
    done = compile_spec(label, text.encode(), loader=DiskLoader(), catalog=catalog_files())
    assert done.table is not None and done.artifacts is not None, done.diagnostics
    made = done.artifacts
    return done.table, Spec(
        label=label, name=made.name, digest=made.meaning_digest, routes=made.routes
    )


def plan_of(new: str, old: str = SPEC) -> Plan:
    """The plan from one text to another."""
    (before, was), (after, now) = compiled(old, "old.yaml"), compiled(new, "new.yaml")
    return compare(before, after, specs=(was, now))
