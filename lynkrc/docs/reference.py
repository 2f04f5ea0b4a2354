"""The schema and the tables of the language to its reference page, ``docs/reference.md``.

Nothing is said here that another place defines: keys come from ``schema/routing.schema.json``,
features from `lynkrc_runtime.feature_table`, kinds from `lynkrc_runtime.providers.table`, what is
not served from `lynkrc_runtime.served`, findings from `lynkrc.diagnostics.codes`.

>>> reference_page().splitlines()[0]
'# Reference of routing.yaml'
"""

from lynkrc.diagnostics.sema_codes import NOT_SERVED
from lynkrc.docs.keys import document_part, forms_part, section_names, sections_part
from lynkrc.docs.markdown import code, link
from lynkrc.docs.schema_words import FORMS
from lynkrc.docs.tables import (
    absent_words,
    capabilities_part,
    codes_heading,
    codes_part,
    decided_part,
    features_part,
    functions_part,
    kinds_part,
    operators_part,
    provenances_part,
    target_part,
    texts,
    unserved_part,
)
from lynkrc_runtime.served import RUNTIME

_FEATURES = "What a request is known by"
_PARTS = (
    "Sections",
    FORMS,
    _FEATURES,
    "Expressions",
    "Capabilities",
    "Provider kinds",
    "Not served yet",
    "Findings",
)


def reference_page() -> str:
    """The page, with its last line end."""
    return (
        "\n\n".join(
            (
                "# Reference of routing.yaml",
                "Made by `make generate` of the schema and the tables of the compiler and the "
                "runtime; what is changed here by hand is lost. [The guide](language.md) explains "
                "the language in order.",
                _contents(),
                "## Sections",
                document_part(),
                sections_part(),
                f"## {FORMS}",
                forms_part(),
                f"## {_FEATURES}",
                "Features, for use in `when`, `value`, `features`, `require` and `assert`. "
                'A number above its range is read as its top, which means "this or more". LEXICON '
                f"is a name of {link('`lexicons`', 'lexicons')}; TEXT is {texts()}.",
                features_part(),
                provenances_part(),
                "## Expressions",
                "Operators, loosest first:",
                operators_part(),
                "Functions of numbers:",
                functions_part(),
                "Text is compared with literals only, without regard to ASCII case and to blanks "
                "around it. What a request does not have equals nothing: `==`, `in` and "
                f"`starts_with` are false, `!=` is true, and {absent_words()} asks for it. `k` is "
                "1,000 and `M` 1,000,000. A name with `-` in it stands in quotes.",
                "In `require` and `assert` a target is read:",
                target_part(),
                "In `assert` alone the decision is read:",
                decided_part(),
                "## Capabilities",
                capabilities_part(),
                "## Provider kinds",
                "The address is that of a call; `base_url` replaces its part before the path that "
                "every call has. `{region}` and `{project}` are the provider's, `{model}` is the "
                "target's `model`. [Providers](providers.md) has an example of each kind, [the "
                "page of dialects](dialects.md#which-kinds-speak-what) what else it is called in.",
                kinds_part(),
                "## Not served yet",
                f"What the language has and runtime {RUNTIME} does not act on yet. It is checked "
                f"and compiled whole; `lynkrc check` warns of each by {_not_served()}, and the "
                "gateway says so when it starts.",
                unserved_part(),
                "## Findings",
                "`lynkrc explain CODE` shows a code's page. An allowable one can be meant: "
                f"{code('allow: {CODE: reason}')} on the item it is about keeps it silent.",
                codes_part(),
            )
        )
        + "\n"
    )


def _not_served() -> str:
    return link(NOT_SERVED.id, codes_heading("LK6"))


def _contents() -> str:
    """The parts of the page, and the sections of a spec, as links."""
    lines = []
    for part in _PARTS:
        lines.append(f"- {link(part, part)}")
        if part == "Sections":
            lines[-1] += ": " + ", ".join(link(code(name), name) for name in section_names())
    return "\n".join(lines)
