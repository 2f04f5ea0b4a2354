"""Who may import whom: downwards only, and every third-party package has one home."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMPILER = ROOT / "lynkrc"
RUNTIME = ROOT / "runtime" / "lynkrc_runtime"

ALLOWED: dict[str, set[str]] = {
    # Findings point into a source text, and reading a source makes findings: text, then model.
    "source": {"diagnostics"},
    "diagnostics": {"source.text"},
    "syntax": {"source", "diagnostics"},
    "ir": {"source.text"},
    "sema": {"source", "diagnostics", "syntax"},
    "lower": {"source", "diagnostics", "syntax", "sema", "ir"},
    "passes": {"ir"},
    "interp": {"ir"},
    "analysis": {"ir", "interp", "diagnostics", "source.text"},
    # A plan says settings in the words of `routes.txt`.
    "diff": {
        "ir",
        "interp",
        "analysis",
        "testing",
        "diagnostics",
        "codegen.owners_text",
        "codegen.quantities",
        "codegen.settings_text",
    },
    "usage": {"diff.intervals", "diff.replayed", "diagnostics"},
    # Shown data is shown as findings are; logs and intervals are those that `diff` reads and makes.
    "quality": {
        "ir",
        "interp",
        "diagnostics",
        "source",
        "diff.intervals",
        "diff.logged",
        "diff.replayed",
    },
    # A file of tests is checked by its schema, as a spec is.
    "testing": {
        "ir",
        "interp",
        "analysis",
        "codegen",
        "source",
        "diagnostics",
        "syntax.schema_check",
    },
    "proofs": {"ir", "interp", "analysis", "testing", "diagnostics"},
    "codegen": {"ir", "source.text"},
    "graph": {"ir"},
    "native": {"codegen"},
    # A table is taken apart with what made it.
    "bench": {"source", "diagnostics", "syntax", "lower", "ir", "codegen"},
    "bundle": {"codegen", "diagnostics", "ir"},
    # Words for people are those that the language server shows.
    "docs": {"source", "diagnostics", "sema", "lsp.words"},
    "tracing": {"diagnostics.wording"},
    # Numbers are told as `usage` tells them.
    "live": {"usage.report", "diagnostics.wording"},
    "wrapping": set(),
    "lsp": {"pipeline", "sema", "syntax", "source", "diagnostics"},
    "migrate": {"source", "diagnostics", "syntax"},
    "pipeline": {
        "source",
        "diagnostics",
        "syntax",
        "sema",
        "ir",
        "lower",
        "passes",
        "codegen",
        "native",
        "bundle",
        "analysis",
        "proofs",
    },
}
"""Room -> rooms it may import from `lynkrc` (itself is always allowed); `cli` may import all."""

RUNTIME_PURE = (
    "lynkrc_runtime.access.digest",
    "lynkrc_runtime.attempt",
    "lynkrc_runtime.cost",
    "lynkrc_runtime.feature_facts",
    "lynkrc_runtime.feature_table",
    "lynkrc_runtime.features",
    "lynkrc_runtime.scan",
    "lynkrc_runtime.decide",
    "lynkrc_runtime.decision_headers",
    "lynkrc_runtime.dispatch",
    "lynkrc_runtime.bundle",
    # Whether two packages own the files of both.
    "lynkrc_runtime.installed",
    "lynkrc_runtime.native_tag",
    # What a compiler notes of its native code, and the form of the signatures it writes.
    "lynkrc_runtime.native_trust",
    "lynkrc_runtime.plain_file",
    "lynkrc_runtime.signature",
    "lynkrc_runtime.protocol",
    "lynkrc_runtime.providers.kind",
    "lynkrc_runtime.providers.table",
    "lynkrc_runtime.providers.ways",
    "lynkrc_runtime.served",
    "lynkrc_runtime.settings",
    "lynkrc_runtime.clients",
    "lynkrc_runtime.offered",
    "lynkrc_runtime.string_classes",
    # Metrics are read as a supervisor reads its workers'.
    "lynkrc_runtime.telemetry.merging",
    "lynkrc_runtime.telemetry.summary",
    "lynkrc_runtime.text_counts",
    "lynkrc_runtime.times",
    "lynkrc_runtime.trace",
    "lynkrc_runtime.usage_database",
    "lynkrc_runtime.usage_record",
)
"""Parts of the runtime without I/O, which the compiler may import."""

OPTIONS = ("lynkrc/cli/completion.py", "lynkrc_runtime.__main__")
"""The options of `serve` are the runtime's, and are completed as it declares them."""

HOMES: dict[str, tuple[str, ...]] = {
    "yaml": ("lynkrc/source/",),
    "jsonschema": ("lynkrc/syntax/schema_check.py",),
    "lark": ("lynkrc/syntax/",),
    "jinja2": ("lynkrc/codegen/", "lynkrc/tracing/page.py"),
    "pygls": ("lynkrc/lsp/server.py",),
    "lsprotocol": ("lynkrc/lsp/server.py", "lynkrc/lsp/convert.py"),
    "Cython": ("lynkrc/native/build.py",),
    "aiohttp": (
        "runtime/lynkrc_runtime/upstream_answer.py",
        "runtime/lynkrc_runtime/upstream_http.py",
        "runtime/lynkrc_runtime/server/",
    ),
    "yarl": (
        "runtime/lynkrc_runtime/upstream_http.py",
        "runtime/lynkrc_runtime/server/remote_fetch.py",
    ),
    "prometheus_client": ("runtime/lynkrc_runtime/telemetry/",),
    "uvloop": ("runtime/lynkrc_runtime/__main__.py", "runtime/lynkrc_runtime/server/"),
    "botocore": (
        "runtime/lynkrc_runtime/protocol/event_stream.py",
        "runtime/lynkrc_runtime/providers/signing_aws.py",
    ),
    "redis": ("runtime/lynkrc_runtime/state/redis.py",),
    "opentelemetry": ("runtime/lynkrc_runtime/telemetry/spans_otlp.py",),
    "requests": ("runtime/lynkrc_runtime/telemetry/spans_otlp.py",),
    "google": (
        "runtime/lynkrc_runtime/providers/signing_gcp.py",
        "runtime/lynkrc_runtime/telemetry/spans_otlp.py",
    ),
    "msgspec": ("runtime/lynkrc_runtime/", "lynkrc/"),
    "z3": ("lynkrc/analysis/",),
    "numpy": ("lynkrc/quality/",),
    "scipy": ("lynkrc/quality/fit.py",),
    "sklearn": ("lynkrc/quality/fit.py",),
    "matplotlib": ("lynkrc/quality/plot.py",),
    "shtab": ("lynkrc/cli/completion.py",),
    "cryptography": ("lynkrc/bundle/sign.py", "runtime/lynkrc_runtime/signature.py"),
}
"""Third-party package -> path prefixes that may import it."""


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


@cache
def imported(path: Path) -> tuple[tuple[str, int], ...]:
    """Every absolute module name a file imports, with its line."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield node.module or "", node.lineno


def room_of(path: Path) -> str:
    return path.relative_to(COMPILER).parts[0].removesuffix(".py")


def within(name: str, parts: set[str] | tuple[str, ...], prefix: str = "") -> bool:
    return any(name == prefix + part or name.startswith(f"{prefix}{part}.") for part in parts)


def test_the_compiler_imports_downwards_only() -> None:
    wrong = []
    for path in modules(COMPILER):
        room = room_of(path)
        if room in ("cli", "__init__", "__main__"):
            continue
        wrong += [
            f"{path.relative_to(ROOT)}:{line} imports {name}"
            for name, line in imported(path)
            if name.split(".")[0] == "lynkrc"
            and name != "lynkrc"
            and not within(name, {room, *ALLOWED[room]}, "lynkrc.")
        ]
    assert wrong == []


def test_the_compiler_uses_only_the_pure_parts_of_the_runtime() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(COMPILER)
        for name, line in imported(path)
        if name.startswith("lynkrc_runtime.")
        and not within(name, RUNTIME_PURE)
        and (path.relative_to(ROOT).as_posix(), name) != OPTIONS
    ]
    assert wrong == []


def test_the_runtime_never_imports_the_compiler() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(RUNTIME)
        for name, line in imported(path)
        if name.split(".")[0] in {"lynkrc", "lark", "jinja2", "jsonschema", "Cython", "z3", "yaml"}
    ]
    assert wrong == []


def test_third_party_packages_have_one_home() -> None:
    ours = {"lynkrc", "lynkrc_runtime", *sys.stdlib_module_names}
    wrong = []
    for path in [*modules(COMPILER), *modules(RUNTIME)]:
        relative = path.relative_to(ROOT).as_posix()
        wrong += [
            f"{relative}:{line} imports {name}"
            for name, line in imported(path)
            if (package := name.split(".")[0]) not in ours
            and not any(relative.startswith(home) for home in HOMES.get(package, ()))
        ]
    assert wrong == []


def test_the_pure_parts_of_the_runtime_do_no_network_io() -> None:
    wrong = []
    for path in modules(RUNTIME):
        name = ".".join(path.relative_to(RUNTIME.parent).with_suffix("").parts)
        if within(name.removesuffix(".__init__"), RUNTIME_PURE):
            wrong += [
                f"{name}:{line} imports {module}"
                for module, line in imported(path)
                if module.split(".")[0] in {"aiohttp", "asyncio", "socket"}
            ]
    assert wrong == []
