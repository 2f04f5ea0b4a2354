"""The language server: requests of an editor to answers of the pure modules beside this one.

Checks and analyses run in worker threads, so the loop always hears the editor. A document that
changes while it is checked is checked once more when that is done; only findings about the text as
it then is are shown.
"""

import asyncio
import posixpath
from collections.abc import Awaitable, Callable, Sequence
from typing import BinaryIO, TypeVar, final

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from lynkrc import __version__
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.lsp import convert
from lynkrc.lsp.analysis import Analysis
from lynkrc.lsp.complete import complete
from lynkrc.lsp.define import Refused, definition, references, renamable, rename
from lynkrc.lsp.diagnose import actions_at, by_file, fix_all
from lynkrc.lsp.format import format_edits
from lynkrc.lsp.hover import hover
from lynkrc.lsp.positions import Unit
from lynkrc.lsp.session import Check, Session
from lynkrc.lsp.symbols import outline
from lynkrc.sema.loader import Loader
from lynkrc.source.text import SourceFile

_TRIGGERS = (".", "(", ",", ":", " ")
S = TypeVar("S")
T = TypeVar("T")


@final
class SpecServer:
    """One editor's server. `serve` starts it; the rest answers."""

    def __init__(self, loader: Loader, catalog: Sequence[SourceFile]) -> None:
        self._session = Session(loader, catalog)
        self._uris: dict[str, str] = {}
        self._versions: dict[str, int | None] = {}
        self._shown: dict[str, dict[str, list[Diagnostic]]] = {}
        self._running: set[str] = set()
        self._again: set[str] = set()
        self._was_shut_down = False
        self._server = LanguageServer(
            "lynkrc", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full
        )
        self._register()

    def serve(self, reader: BinaryIO, writer: BinaryIO) -> bool:
        """Speak over two streams until the editor ends it, and close the writer.

        Whether the editor asked the server to shut down before.
        """
        self._server.start_io(reader, writer)
        return self._was_shut_down

    def _register(self) -> None:
        kinds = [types.CodeActionKind.QuickFix, convert.FIX_ALL]
        triggers = types.CompletionOptions(trigger_characters=list(_TRIGGERS))
        renaming = types.RenameOptions(prepare_provider=True)
        acting = types.CodeActionOptions(code_action_kinds=kinds)
        self._answer(types.SHUTDOWN, self._shut_down)
        self._answer(types.TEXT_DOCUMENT_DID_OPEN, self._opened)
        self._answer(types.TEXT_DOCUMENT_DID_CHANGE, self._changed)
        self._answer(types.TEXT_DOCUMENT_DID_SAVE, self._files_changed)
        self._answer(types.TEXT_DOCUMENT_DID_CLOSE, self._closed)
        self._answer(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, self._files_changed)
        self._answer(types.TEXT_DOCUMENT_HOVER, self._hover)
        self._answer(types.TEXT_DOCUMENT_COMPLETION, self._complete, triggers)
        self._answer(types.TEXT_DOCUMENT_DEFINITION, self._define)
        self._answer(types.TEXT_DOCUMENT_REFERENCES, self._refer)
        self._answer(types.TEXT_DOCUMENT_PREPARE_RENAME, self._prepare_rename)
        self._answer(types.TEXT_DOCUMENT_RENAME, self._rename, renaming)
        self._answer(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, self._outline)
        self._answer(types.TEXT_DOCUMENT_FORMATTING, self._format)
        self._answer(types.TEXT_DOCUMENT_CODE_ACTION, self._actions, acting)

    def _answer(
        self, method: str, handler: Callable[[S], Awaitable[T]], options: object = None
    ) -> None:
        async def answer(params: S) -> T:
            # pygls writes on the functions it is given, and a bound method takes no attribute.
            return await handler(params)

        self._server.feature(method, options)(answer)

    # -- documents ---------------------------------------------------------------------------

    async def _shut_down(self, _: None) -> None:
        self._was_shut_down = True

    async def _opened(self, params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        path = self._path(document.uri)
        self._uris[path] = document.uri
        self._versions[path] = document.version
        self._session.put(path, document.text)
        await self._recheck(path)

    async def _changed(self, params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        path = self._path(uri)
        if not self._session.is_open(path):
            return
        self._versions[path] = params.text_document.version
        self._session.put(path, self._server.workspace.get_text_document(uri).source)
        await self._recheck(path)

    async def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        path = self._path(params.text_document.uri)
        dependents = self._session.dependents(path)
        self._session.drop(path)
        self._show(path, {})
        self._versions.pop(path, None)
        for other in dependents:
            await self._check_one(other)

    async def _files_changed(
        self, _: types.DidSaveTextDocumentParams | types.DidChangeWatchedFilesParams
    ) -> None:
        for path in self._session.paths():
            await self._check_one(path)

    async def _recheck(self, path: str) -> None:
        """Check a document, then those that have it as a base."""
        await self._check_one(path)
        for other in self._session.dependents(path):
            await self._check_one(other)

    async def _check_one(self, path: str) -> None:
        if path in self._running:
            self._again.add(path)
            return
        self._running.add(path)
        try:
            while self._session.is_open(path):
                self._again.discard(path)
                check = await self._in_thread(self._session.check, path)
                if check is not None and path not in self._again:
                    self._publish(path, check)
                    return
        finally:
            self._running.discard(path)
            self._again.discard(path)

    def _publish(self, path: str, check: Check) -> None:
        if self._session.text(path) is check.text:
            self._show(path, dict(by_file(check.checked.diagnostics)))

    def _show(self, owner: str, findings: dict[str, list[Diagnostic]]) -> None:
        """Show the findings of one document's check, wherever they lie."""
        before = self._shown.get(owner, {})
        self._shown[owner] = findings
        for path in dict.fromkeys((owner, *before, *findings)):
            self._show_file(path)

    def _show_file(self, path: str) -> None:
        """An open file shows what its own check found; another what is found through others."""
        if self._session.is_open(path):
            found = self._shown.get(path, {}).get(path, [])
        else:
            found = [one for shown in self._shown.values() for one in shown.get(path, [])]
        unit = self._unit()
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri=self._uri(path),
                version=self._versions.get(path),
                diagnostics=[
                    convert.diagnostic(one, unit, self._uri) for one in dict.fromkeys(found)
                ],
            )
        )

    # -- questions ---------------------------------------------------------------------------

    async def _hover(self, params: types.HoverParams) -> types.Hover | None:
        analysis, offset = await self._at(params.text_document, params.position)
        found = hover(offset, analysis)
        if found is None:
            return None
        return types.Hover(
            contents=convert.markdown(found.markdown),
            range=convert.range_in(analysis.file.text, found.start, found.end, self._unit()),
        )

    async def _complete(self, params: types.CompletionParams) -> types.CompletionList:
        analysis, offset = await self._at(params.text_document, params.position)
        text = analysis.file.text
        items = complete(text, offset, analysis)
        return convert.completion(items, text, self._unit(), snippets=self._knows_snippets())

    async def _define(self, params: types.DefinitionParams) -> types.Location | None:
        analysis, offset = await self._at(params.text_document, params.position)
        span = definition(offset, analysis, self._session.loader())
        return None if span is None else convert.location_of(span, self._unit(), self._uri)

    async def _refer(self, params: types.ReferenceParams) -> list[types.Location]:
        analysis, offset = await self._at(params.text_document, params.position)
        spans = references(offset, analysis, with_definition=params.context.include_declaration)
        return [convert.location_of(span, self._unit(), self._uri) for span in spans]

    async def _prepare_rename(self, params: types.PrepareRenameParams) -> types.Range | None:
        analysis, offset = await self._at(params.text_document, params.position)
        one = renamable(offset, analysis)
        return None if isinstance(one, Refused) else convert.range_of(one.span, self._unit())

    async def _rename(self, params: types.RenameParams) -> types.WorkspaceEdit:
        analysis, offset = await self._at(params.text_document, params.position)
        loader = self._session.loader()
        edits = rename(offset, params.new_name, analysis, loader)
        if isinstance(edits, Refused):
            raise JsonRpcInvalidParams(edits.reason)
        return convert.workspace_edit(edits, self._unit(), self._uri)

    async def _outline(self, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        analysis = await self._analysis(params.text_document)
        return convert.symbols(outline(analysis.root), self._unit())

    async def _format(self, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        path = self._path(params.text_document.uri)
        text = self._session.text(path)
        if text is None:
            raise _not_open(params.text_document)
        file = SourceFile(path=path, text=text)
        edits = await self._in_thread(format_edits, file)
        return convert.text_edits(edits, self._unit())

    async def _actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        path = self._path(params.text_document.uri)
        check = await self._in_thread(self._session.last_check, path)
        if check is None:
            raise _not_open(params.text_document)
        findings, unit = check.checked.diagnostics, self._unit()
        lines = convert.lines_of(check.text)
        start = lines.offset(params.range.start.line, params.range.start.character, unit)
        end = lines.offset(params.range.end.line, params.range.end.character, unit)
        quick = types.CodeActionKind.QuickFix
        offered = [(action, quick.value) for action in actions_at(findings, path, start, end)]
        everything = fix_all(findings, SourceFile(path=path, text=check.text))
        if everything is not None:
            offered.append((everything, convert.FIX_ALL))
        return [
            convert.code_action(action, kind, unit, self._uri)
            for action, kind in offered
            if _is_wanted(kind, params.context.only)
        ]

    # -- what the protocol calls things ------------------------------------------------------

    async def _at(
        self, document: types.TextDocumentIdentifier, position: types.Position
    ) -> tuple[Analysis, int]:
        analysis = await self._analysis(document)
        lines = convert.lines_of(analysis.file.text)
        return analysis, lines.offset(position.line, position.character, self._unit())

    async def _analysis(self, document: types.TextDocumentIdentifier) -> Analysis:
        path = self._path(document.uri)
        analysis = await self._in_thread(self._session.analysis, path)
        if analysis is None:
            raise _not_open(document)
        return analysis

    async def _in_thread(self, work: Callable[[S], T], argument: S) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._server.thread_pool, work, argument)

    def _path(self, uri: str) -> str:
        """The path of a file; a document that is none is known by its URI."""
        path = to_fs_path(uri) if uri.startswith("file:") else None
        return uri if path is None else posixpath.normpath(path.replace("\\", "/"))

    def _uri(self, path: str) -> str:
        return self._uris.get(path) or from_fs_path(path) or path

    def _unit(self) -> Unit:
        encoding = self._server.workspace.position_encoding
        return Unit(
            encoding.value if isinstance(encoding, types.PositionEncodingKind) else encoding
        )

    def _knows_snippets(self) -> bool:
        document = self._server.client_capabilities.text_document
        item = document.completion.completion_item if document and document.completion else None
        return bool(item and item.snippet_support)


def _not_open(document: types.TextDocumentIdentifier) -> JsonRpcInvalidParams:
    return JsonRpcInvalidParams(f"{document.uri} is not open")


def _is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether an editor that asks for some kinds of actions means this one."""
    return only is None or any(
        kind == one or kind.startswith(f"{one}.") for one in map(_text, only)
    )


def _text(kind: str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind
