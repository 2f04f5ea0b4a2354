"""A spec to the findings about what of it this version of the runtime does not serve.

It is checked and compiled whole: what is said here is only that nothing acts on it yet
(`lynkrc_runtime.served`).
"""

from collections.abc import Iterable, Iterator

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import NOT_SERVED as CODE
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.merge import Spec
from lynkrc.source.nodes import MappingNode, Node
from lynkrc.source.text import Span
from lynkrc_runtime.served import NOT_SERVED, RUNTIME


def check_served(spec: Spec) -> Iterable[Diagnostic]:
    """One finding a part, at the place where it is first written."""
    seen: set[str] = set()
    for path, span in _settings(spec):
        instead = NOT_SERVED.get(path)
        if instead is not None and path not in seen:
            seen.add(path)
            yield Diagnostic(
                code=CODE,
                message=f"{shown(path)} is compiled, and not yet served by runtime {RUNTIME}: "
                f"{instead}",
                span=span,
                help="a later runtime serves it as written; until then do not count on it",
            )


def _settings(spec: Spec) -> Iterator[tuple[str, Span]]:
    for section in spec.settings:
        key = section.key.value
        yield key, section.key.span
        yield from _below(key, section.node)


def _below(path: str, node: Node) -> Iterator[tuple[str, Span]]:
    if not isinstance(node, MappingNode):
        return
    for key, value in node.entries:
        inner = f"{path}.{key.text}"
        yield inner, key.span
        yield from _below(inner, value)
