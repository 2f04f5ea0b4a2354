"""``lynkrc catalog``: the models we know, with windows, prices and abilities, and who says so.

In JSON tokens are numbers and prices USD per million tokens; null is what nobody states.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.specs import catalog_files
from lynkrc.cli.terminal import error, print_findings, wants_colour
from lynkrc.diagnostics.suggest import closest
from lynkrc.diagnostics.wording import printable
from lynkrc.sema.catalog import ModelFacts, Place, covers
from lynkrc.sema.catalog_read import read_catalog
from lynkrc.syntax.config import Price
from lynkrc_runtime.providers.table import KINDS

_ANY = "*"
_WITHOUT = (
    "`lynkrc catalog` lists what it knows, and a target of another model has its facts in the "
    "spec: `context`, `max_output`, `capabilities` and `price`"
)
_COLUMNS = ("model", "context", "output", "input $/M", "output $/M", "read on", "price of")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments: a model, a provider kind, the form of the output."""
    parser.add_argument("model", nargs="?", help="show this one with all that is known of it")
    parser.add_argument("--kind", choices=sorted(KINDS), help="as providers of this kind offer it")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the entries; 1 where none is about the model."""
    catalog, findings = read_catalog(catalog_files())
    if findings:
        print_findings(findings, "text", spec=Path(findings[0].span.file.path))
        return ExitCode.FINDINGS
    offered = [entry for entry in catalog if _offers(entry, arguments.kind)]
    model: str | None = arguments.model
    if model is None:
        chosen = [e for e in offered if arguments.kind or e.ids != (_ANY,) or e.context]
    else:
        chosen = _about(offered, model, anything=arguments.kind is not None)
        if not chosen:
            names = [id_.removesuffix(_ANY) for entry in offered for id_ in entry.ids]
            near = closest(model, filter(None, names))
            way_out = f"did you mean `{near}`?" if near else _WITHOUT
            error(f"the catalog does not know {printable(model)}; {way_out}")
            return ExitCode.FINDINGS
    if arguments.format == "json":
        print(json.dumps({"models": [msgspec.to_builtins(entry) for entry in chosen]}, indent=2))
    elif model is None:
        _print_table([_row(entry) for entry in chosen])
    else:
        bold, plain = ("\x1b[1m", "\x1b[0m") if wants_colour(sys.stdout) else ("", "")
        pages = (f"{bold}{_name(entry)}{plain}\n{_page(entry)}" for entry in chosen)
        sys.stdout.write("\n".join(pages))
    return ExitCode.OK


def _offers(entry: ModelFacts, kind: str | None) -> bool:
    """Whether providers of a kind may have what an entry is about."""
    place = entry.only or entry.sold_at
    if kind is None or place is None:
        return True
    # A kind without an address of its own may be at any host.
    return kind in place.kinds or bool(place.hosts and KINDS[kind].base_url is None)


def _about(entries: Sequence[ModelFacts], model: str, *, anything: bool) -> list[ModelFacts]:
    """The entries about a model; those about all models only where there is nothing closer."""
    close = [e for e in entries if any(id_ != _ANY and covers(id_, model) for id_ in e.ids)]
    return close or [e for e in entries if anything and e.ids == (_ANY,)]


def _name(entry: ModelFacts) -> str:
    if entry.ids == (_ANY,) and entry.only is not None:
        return f"any model of kind {', '.join(entry.only.kinds)}"
    return entry.ids[0]


def _row(entry: ModelFacts) -> tuple[str, ...]:
    price = entry.price
    sources = entry.sources if price is None else price.sources
    amounts = ("-", "-")
    if price is not None:
        # The dearer price with a mark: shorter prompts cost less.
        mark = "" if price.below is None else " <"
        amounts = (f"{price.price.input:g}{mark}", f"{price.price.output:g}{mark}")
    oldest = min(source.date for source in sources)
    limits = (_tokens(entry.context), _tokens(entry.max_output))
    return _name(entry), *limits, *amounts, oldest, entry.seller or "-"


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    for row in (_COLUMNS, *rows):
        inner = zip(row[1:-1], widths[1:-1], strict=True)
        cells = [cell.rjust(width) for cell, width in inner]
        print("  ".join((row[0].ljust(widths[0]), *cells, row[-1])))
    if any("<" in cell for row in rows for cell in row):
        print("\n< of the longest prompts; `lynkrc catalog MODEL` shows what shorter ones cost")


def _page(entry: ModelFacts) -> str:
    return "".join(
        f"  {label if first else '':<9}{line}\n"
        for label, lines in _facts(entry)
        for first, line in ((index == 0, line) for index, line in enumerate(lines))
    )


def _facts(entry: ModelFacts) -> Iterator[tuple[str, list[str]]]:
    """Each known fact with its lines."""
    yield "ids", list(entry.ids)
    if entry.only is not None:
        yield "only at", [_place(entry.only)]
    for label, tokens in (("context", entry.context), ("output", entry.max_output)):
        if tokens is not None:
            yield label, [f"{tokens:,} tokens"]
    if entry.capabilities is not None:
        yield "can", [", ".join(entry.capabilities)]
    if entry.price is not None:
        longest = "" if entry.price.tokens is None else " above that"
        lines = [f"{_amounts(entry.price.price)}{longest}"]
        if entry.price.below is not None:
            lines.insert(0, f"{_amounts(entry.price.below)} up to {entry.price.tokens:,} tokens")
        lines.append("USD per million tokens")
        if entry.sold_at is not None:
            lines[-1] += f", as {entry.seller} takes them: {_place(entry.sold_at)}"
        yield "price", lines
    shape = msgspec.to_builtins(entry.shape)
    if shape:
        yield "shape", [f"{name}: {_value(value)}" for name, value in shape.items()]
    if entry.retires is not None:
        yield "retires", [entry.retires]
    sources = [*(entry.price.sources if entry.price else ()), *entry.sources]
    yield "sources", [f"{source.date}  {source.url}" for source in dict.fromkeys(sources)]


def _place(place: Place) -> str:
    ways = [("kind", place.kinds), ("host", place.hosts)]
    return "; ".join(f"{way} {', '.join(names)}" for way, names in ways if names)


def _amounts(price: Price) -> str:
    figures = [f"input {price.input:g}", f"output {price.output:g}"]
    if price.cache_read is not None:
        figures.append(f"cache read {price.cache_read:g}")
    if price.cache_write is not None:
        figures.append(f"cache write {price.cache_write:g}")
    return ", ".join(figures)


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _tokens(number: int | None) -> str:
    if number is None:
        return "-"
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number % size == 0:
            return f"{number // size}{unit}"
    return str(number)
