"""An editor's end of the wire: raw JSON-RPC over the pipes of a server process."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.warm_server import PATH, PATIENCE, WarmProcess, start


class Editor:
    """Starts ``lynkrc lsp``; notifications are kept until somebody asks for them."""

    def __init__(
        self, folder: Path, encodings: tuple[str, ...] = ("utf-16",), *, is_forked: bool = True
    ) -> None:
        self.folder = folder
        self._notes: list[dict[str, Any]] = []
        self._count = 0
        its, ours = os.pipe()
        self._said = open(ours, "wb")  # noqa: SIM115, PTH123 - a stream, closed with the process
        ours, its_own = os.pipe()
        self._heard = open(ours, "rb")  # noqa: SIM115, PTH123 - as above
        self.process = (_forked if is_forked else _started)(folder, its, its_own)
        for number in (its, its_own):
            os.close(number)
        # A server that says nothing more fails a test instead of holding it up.
        self._watchdog = threading.Timer(PATIENCE, self.process.kill)
        self._watchdog.start()
        general = {"positionEncodings": list(encodings)}
        item = {"snippetSupport": True}
        self.capabilities = self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "capabilities": {
                    "general": general,
                    "textDocument": {"completion": {"completionItem": item}},
                },
            },
        )["capabilities"]
        self.tell("initialized", {})

    def __enter__(self) -> "Editor":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watchdog.cancel()
        self.process.kill()
        self._said.close()
        self._heard.close()
        self.process.__exit__(kind, error, trace)

    def tell(self, method: str, params: object) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: object) -> Any:
        """The result of a request; AssertionError for an error."""
        answer = self.answer(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    def answer(self, method: str, params: object) -> dict[str, Any]:
        self._count += 1
        number = self._count
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == number and "method" not in message:
                return message
            self._notes.append(message)

    def diagnostics(
        self, uri: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> list[dict[str, Any]]:
        """The findings of the first notification about a file that is `wanted`."""
        while True:
            for index, note in enumerate(self._notes):
                params = note.get("params", {})
                is_it = note.get("method") == "textDocument/publishDiagnostics"
                if is_it and params["uri"] == uri and wanted(params):
                    del self._notes[: index + 1]
                    found: list[dict[str, Any]] = params["diagnostics"]
                    return found
            self._notes.append(self._receive())

    def open(self, path: Path, text: str | None = None) -> str:
        uri = path.as_uri()
        text = path.read_text(encoding="utf-8") if text is None else text
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def change(self, uri: str, text: str, version: int) -> None:
        document = {"uri": uri, "version": version}
        change = {"textDocument": document, "contentChanges": [{"text": text}]}
        self.tell("textDocument/didChange", change)

    def at(self, method: str, uri: str, line: int, character: int, **more: object) -> Any:
        place = {"line": line, "character": character}
        params = {"textDocument": {"uri": uri}, "position": place, **more}
        return self.ask(f"textDocument/{method}", params)

    def end(self) -> int:
        """Shut down and exit; the exit code."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self.process.wait()

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        self._said.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._said.flush()

    def _receive(self) -> dict[str, Any]:
        length = 0
        while line := self._heard.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the server went away"
        message: dict[str, Any] = json.loads(self._heard.read(length))
        return message


def _started(folder: Path, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "lynkrc", "lsp"]
    return subprocess.Popen(words, stdin=stdin, stdout=stdout, cwd=folder, env=_environment())


def _forked(folder: Path, stdin: int, stdout: int) -> WarmProcess:
    streams = (stdin, stdout, 2)
    return start("command", ["lsp"], cwd=folder, env=_environment(), streams=streams)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": PATH}
