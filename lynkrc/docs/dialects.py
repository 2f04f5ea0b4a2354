"""The tables of dialects, losses and provider kinds to the page ``docs/dialects.md``.

Nothing is said here that another place defines: what is lost comes from
`lynkrc_runtime.protocol.losses`, which kinds speak what from `lynkrc_runtime.providers.table`.

>>> dialects_page().splitlines()[0]
'# Dialects, and what is lost between them'
"""

from collections.abc import Iterable, Iterator

from lynkrc.diagnostics.sema_codes import LOSSY_PAIR
from lynkrc.docs.markdown import code, codes, link, table
from lynkrc_runtime.feature_table import DIALECTS, SURFACES
from lynkrc_runtime.protocol.losses import (
    CLIENTS,
    PARTS,
    TARGETS,
    TRANSFORMS,
    Does,
    Feature,
    lossy,
    pair_table,
    refused,
)
from lynkrc_runtime.providers.kind import ProviderKind
from lynkrc_runtime.providers.table import KINDS

_PAIRS = "The pairs"
_FEATURES = "Feature by feature"
_KINDS = "Which kinds speak what"
_TRANSFORMS = "Names of transforms"
_PAGES = "../lynkrc/diagnostics/pages"

_SPOKEN = {
    "anthropic-messages": "Anthropic Messages",
    "openai-chat": "OpenAI Chat Completions",
    "openai-responses": "OpenAI Responses",
    "gemini": "Gemini generateContent",
    "bedrock-converse": "Amazon Bedrock Converse",
    "ollama-chat": "Ollama chat",
}

_WORDS = {
    Does.CARRIES: "",
    Does.CHANGES: "changed",
    Does.DROPS: "**lost**",
    Does.REFUSES: "*misfit*",
}


def dialects_page() -> str:
    """The page, with its last line end."""
    return (
        "\n\n".join(
            (
                "# Dialects, and what is lost between them",
                "Made by `make generate` of the tables of the runtime; what is changed here by "
                "hand is lost. [The reference](reference.md) has the keys of a spec.",
                "\n".join(
                    f"- {link(part, part)}" for part in (_PAIRS, _FEATURES, _KINDS, _TRANSFORMS)
                ),
                "A client speaks one of these dialects to the gateway:",
                table(("dialect", "is", "`surface`"), _clients()),
                "A target is called in one of these:",
                table(("dialect", "is"), ((code(name), _SPOKEN[name]) for name in TARGETS)),
                "A client whose own dialect the target's kind speaks is passed through: every "
                "value travels byte for byte, but for `model` and what the target's model does "
                "not take. Every other request is translated. Each change is listed in the "
                "answer's `x-lynkr-transforms`. `dialect` on a target or its provider chooses "
                "one; `on_loss: deny` on a target turns away what would lose something, and the "
                f"next target is tried. `lynkrc check` says by "
                f"[{LOSSY_PAIR.id}]({_PAGES}/{LOSSY_PAIR.id}.md) which pairs a spec has.",
                f"## {_PAIRS}",
                "How many of the features a client can express are lost, always or with some "
                "models, and how many make a request a misfit, for which the next target is "
                "tried.",
                table(("client", *map(code, TARGETS)), _pairs()),
                f"## {_FEATURES}",
                "What a target dialect does with each feature of a translated request. An empty "
                "cell carries it; *passed* is only ever passed through; *misfit* means that the "
                "request cannot mean the same, so the next target is tried. It is told of "
                "a model that takes all that its dialect has; a model that takes less is said to "
                "in its request shape, and what that changes has the same names.",
                *(f"### {heading}\n\n{_part(features)}" for heading, features in PARTS),
                f"## {_KINDS}",
                "The first is called where nothing else is said; a client that speaks another of "
                "them is passed through in that, where the kind allows it.",
                table(("kind", *map(code, TARGETS)), map(_kind, KINDS.values())),
                f"## {_TRANSFORMS}",
                "The forms of names in `x-lynkr-transforms`; the first that fits a name is its "
                "own, and `*` is any text. Only a loss counts for `on_loss`: a change of "
                "spelling, a value brought into range and a repair lose nothing.",
                table(
                    ("name", "meaning", "a loss"),
                    ((code(one.pattern), one.meaning, _yes(one.loses)) for one in TRANSFORMS),
                ),
            )
        )
        + "\n"
    )


def _clients() -> Iterator[tuple[str, str, str]]:
    for name, surface in zip(DIALECTS, SURFACES, strict=True):
        yield code(name), _SPOKEN[name], code(surface)


def _pairs() -> Iterator[tuple[str, ...]]:
    for client in CLIENTS:
        yield code(client), *(_pair(client, target) for target in TARGETS)


def _pair(client: str, target: str) -> str:
    if client == target:
        return "passed through"
    lost, gone = len(lossy(client, target)), len(refused(client, target))
    return f"{lost} of {len(pair_table(client, target))} lost, {gone} misfits"


def _part(features: Iterable[Feature]) -> str:
    rows = (
        (one.name, one.meaning, _who(one), *(_cell(one, target) for target in TARGETS))
        for one in features
    )
    return table(("feature", "is", "of", *map(code, TARGETS)), rows)


def _who(feature: Feature) -> str:
    if feature.clients == CLIENTS:
        return "all"
    return ", ".join(name.rpartition("-")[2] for name in feature.clients)


def _cell(feature: Feature, target: str) -> str:
    if set(feature.clients) == {target}:
        return "passed"
    outcome = feature.at[target]
    word = _WORDS[outcome.does]
    return f"{word}: {outcome.how}" if outcome.how else word


def _kind(kind: ProviderKind) -> tuple[str, ...]:
    offered = {endpoint.dialect: endpoint for endpoint in kind.endpoints}
    cells = []
    for target in TARGETS:
        endpoint = offered.get(target)
        if endpoint is None:
            cells.append("")
        elif endpoint is kind.endpoints[0]:
            cells.append("first")
        elif endpoint.models:
            cells.append(f"models {codes(f'{one}*' for one in endpoint.models)}")
        else:
            cells.append("passed through" if endpoint.passes else "by `dialect`")
    return code(kind.name), *cells


def _yes(loses: bool) -> str:
    return "yes" if loses else "no"
