"""What the compiler knows to the types of the protocol: ranges, findings, completions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from lsprotocol import types

from lynkrc.diagnostics.model import Diagnostic, Edit, Severity
from lynkrc.lsp.complete import Item, ItemKind
from lynkrc.lsp.diagnose import Action, is_unnecessary, meaning, message
from lynkrc.lsp.positions import Lines, Unit
from lynkrc.lsp.roles import Kind
from lynkrc.lsp.symbols import Symbol
from lynkrc.source.text import Span

SOURCE = "lynkrc"
FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.{SOURCE}"
"""The kind of the action that makes all safe fixes, for editors that run it when saving."""

_SEVERITIES = MappingProxyType(
    {
        Severity.ERROR: types.DiagnosticSeverity.Error,
        Severity.WARNING: types.DiagnosticSeverity.Warning,
        Severity.NOTE: types.DiagnosticSeverity.Information,
    }
)
_ITEMS: Mapping[ItemKind, types.CompletionItemKind] = MappingProxyType(
    {
        ItemKind.KEY: types.CompletionItemKind.Property,
        ItemKind.CHOICE: types.CompletionItemKind.EnumMember,
        ItemKind.NAME: types.CompletionItemKind.Reference,
        ItemKind.FEATURE: types.CompletionItemKind.Variable,
        ItemKind.FUNCTION: types.CompletionItemKind.Function,
        ItemKind.KEYWORD: types.CompletionItemKind.Keyword,
    }
)
_SYMBOLS: Mapping[Kind | None, types.SymbolKind] = MappingProxyType(
    {
        None: types.SymbolKind.Namespace,
        Kind.PROVIDER: types.SymbolKind.Interface,
        Kind.TARGET: types.SymbolKind.Object,
        Kind.TIER: types.SymbolKind.Class,
        Kind.RULE: types.SymbolKind.Event,
        Kind.LEXICON: types.SymbolKind.Array,
        Kind.FEATURE: types.SymbolKind.Variable,
        Kind.DIMENSION: types.SymbolKind.Number,
        Kind.CLIENT: types.SymbolKind.Package,
    }
)

ToUri = Callable[[str], str]
"""A path to the URI by which the editor knows the file."""


@lru_cache(maxsize=16)
def lines_of(text: str) -> Lines:
    """The lines of a text, indexed once."""
    return Lines(text)


def range_in(text: str, start: int, end: int, unit: Unit) -> types.Range:
    """A range of a text."""
    lines = lines_of(text)
    return types.Range(
        start=types.Position(*lines.place(start, unit)),
        end=types.Position(*lines.place(end, unit)),
    )


def range_of(span: Span, unit: Unit) -> types.Range:
    """The range of a span in its file."""
    return range_in(span.file.text, span.start, span.end, unit)


def location_of(span: Span, unit: Unit, to_uri: ToUri) -> types.Location:
    """A span with its file."""
    return types.Location(uri=to_uri(span.file.path), range=range_of(span, unit))


def diagnostic(finding: Diagnostic, unit: Unit, to_uri: ToUri) -> types.Diagnostic:
    """A finding; `data` says what its code means and which command tells more."""
    return types.Diagnostic(
        range=range_of(finding.span, unit),
        message=message(finding),
        severity=_SEVERITIES[finding.severity],
        code=finding.code.id,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if is_unnecessary(finding) else None,
        related_information=[
            types.DiagnosticRelatedInformation(
                location=location_of(label.span, unit, to_uri), message=label.message
            )
            for label in finding.labels
        ]
        or None,
        data={
            "name": finding.code.name,
            "meaning": meaning(finding.code.id),
            "explain": f"lynkrc explain {finding.code.id}",
        },
    )


def text_edits(edits: Iterable[Edit], unit: Unit) -> list[types.TextEdit]:
    """Edits of one file."""
    return [types.TextEdit(range=range_of(edit.span, unit), new_text=edit.text) for edit in edits]


def workspace_edit(edits: Sequence[Edit], unit: Unit, to_uri: ToUri) -> types.WorkspaceEdit:
    """Edits, file by file."""
    paths = dict.fromkeys(edit.span.file.path for edit in edits)
    return types.WorkspaceEdit(
        changes={
            to_uri(path): text_edits([e for e in edits if e.span.file.path == path], unit)
            for path in paths
        }
    )


def code_action(action: Action, kind: str, unit: Unit, to_uri: ToUri) -> types.CodeAction:
    """Something that mends findings."""
    return types.CodeAction(
        title=action.title,
        kind=kind,
        diagnostics=[diagnostic(finding, unit, to_uri) for finding in action.mends],
        is_preferred=action.preferred or None,
        edit=workspace_edit(action.edits, unit, to_uri),
    )


def completion(
    items: Sequence[Item], text: str, unit: Unit, *, snippets: bool
) -> types.CompletionList:
    """Completions in their order; `snippets`: the editor knows places to fill in."""
    return types.CompletionList(
        is_incomplete=False,
        items=[_completion(index, item, text, unit, snippets) for index, item in enumerate(items)],
    )


def _completion(
    index: int, item: Item, text: str, unit: Unit, snippets: bool
) -> types.CompletionItem:
    snippet = item.snippet if snippets else None
    return types.CompletionItem(
        label=item.label,
        kind=_ITEMS[item.kind],
        detail=item.detail or None,
        documentation=markdown(item.doc) if item.doc else None,
        sort_text=f"{index:05}",
        filter_text=item.label,
        insert_text_format=types.InsertTextFormat.PlainText
        if snippet is None
        else types.InsertTextFormat.Snippet,
        text_edit=types.TextEdit(
            range=range_in(text, item.start, item.end, unit),
            new_text=item.insert if snippet is None else snippet,
        ),
    )


def markdown(text: str) -> types.MarkupContent:
    """A text as Markdown."""
    return types.MarkupContent(kind=types.MarkupKind.Markdown, value=text)


def symbols(found: Iterable[Symbol], unit: Unit) -> list[types.DocumentSymbol]:
    """An outline."""
    return [
        types.DocumentSymbol(
            name=symbol.name,
            kind=_SYMBOLS.get(symbol.kind, types.SymbolKind.Object),
            detail=None if symbol.kind is None else symbol.kind.value,
            range=range_of(symbol.whole, unit),
            selection_range=range_of(symbol.head, unit),
            children=symbols(symbol.below, unit) or None,
        )
        for symbol in found
    ]
