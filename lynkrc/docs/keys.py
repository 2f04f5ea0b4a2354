"""The routing schema to the part of the reference page about sections and keys."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import final

from lynkrc.docs.markdown import code, codes, link, table
from lynkrc.docs.schema_words import (
    Schema,
    defined,
    flow,
    followed,
    form_name,
    forms,
    has_keys,
    routing,
    split_default,
    value_words,
)
from lynkrc_runtime.served import NOT_SERVED

_NAME = "NAME"
_MOST_EXAMPLES = 3
_SECTION = re.compile(r"^([a-z_]+):", re.MULTILINE)


def section_names() -> tuple[str, ...]:
    """The top-level keys, in canonical order."""
    return tuple(routing()["properties"])


def sections_part() -> str:
    """Every section with its keys."""
    places = _places()
    return "\n\n".join(
        "\n\n".join(_section(name, schema, places))
        for name, schema in routing()["properties"].items()
    )


def forms_part() -> str:
    """The forms that single values have, which the tables of keys refer to."""
    rows = []
    for name in forms():
        schema = routing()["$defs"][name]
        rows.append((form_name(name), schema["description"] + _examples(schema)))
    return table(("form", "what it is"), rows)


@cache
def example() -> str:
    """A spec that uses every section, from which the page takes its examples."""
    return files("lynkrc.docs").joinpath("example.yaml").read_text(encoding="utf-8")


def example_of(section: str) -> str:
    """The lines of `example` about one section."""
    starts = [*_SECTION.finditer(example())]
    ends = [found.start() for found in starts[1:]] + [len(example())]
    lines = {
        found[1]: example()[found.start() : end] for found, end in zip(starts, ends, strict=True)
    }
    return lines[section].rstrip()


@final
class _Placed:
    """Mappings with keys of ours below a section, with their headings, outermost first."""

    def __init__(self, seen: set[str]) -> None:
        self._seen = seen
        self.found: list[tuple[str, str | None, Schema]] = []

    def walk(self, path: str, schema: Schema) -> None:
        """Collect what lies at `path` and below it; a definition is told of once."""
        name = defined(schema)
        if name is not None and name in self._seen:
            return
        if name is not None:
            self._seen.add(name)
        whole = followed(schema)
        if "properties" in whole:
            self.found.append((path, name, whole))
        for key, inner in whole.get("properties", {}).items():
            self.walk(f"{path}.{key}", inner)
        if "items" in whole:
            self.walk(f"{path}[]", whole["items"])
        elif isinstance(whole.get("additionalProperties"), Mapping) and not has_keys(schema):
            self.walk(f"{path}.{_NAME}", whole["additionalProperties"])


@cache
def _mappings() -> Mapping[str, list[tuple[str, str | None, Schema]]]:
    """The mappings of each section."""
    seen: set[str] = set()
    by_section = {}
    for section, schema in routing()["properties"].items():
        placed = _Placed(seen)
        placed.walk(section, schema)
        by_section[section] = placed.found
    return by_section


@cache
def _places() -> Mapping[str, str]:
    """Definition of a mapping with keys of ours -> the heading it stands under."""
    places = {}
    for section, mappings in _mappings().items():
        for path, name, _ in mappings:
            if name is not None:
                places[name] = section if _is_of_section(path) else path
    return places


def _is_of_section(path: str) -> bool:
    """Whether a mapping is told of under its section's own heading."""
    return "." not in path.removesuffix(f".{_NAME}")


def _section(name: str, schema: Schema, places: Mapping[str, str]) -> Iterator[str]:
    yield f"### {name}"
    yield followed(schema)["description"]
    instead = NOT_SERVED.get(name)
    if instead is not None:
        yield f"**Not served yet:** {instead}."
    mappings = _mappings()[name]
    inner = [one for one in mappings if not _is_of_section(one[0])]
    outer = [one for one in mappings if _is_of_section(one[0])]
    whole = followed(schema)
    if not outer:
        yield f"Value: {value_words(schema, places)}."
    for path, _, mapping in outer:
        if path.endswith(f".{_NAME}"):
            names = value_words(whole["propertyNames"], places)
            yield f"An entry, by a {names} of yours: {_lowered(mapping)} Its keys:"
        elif path.endswith("[]"):
            yield f"An item of the list: {_lowered(mapping)} Its keys:"
        yield from _keys(path, mapping, places)
    yield f"```yaml\n{example_of(name)}\n```"
    for path, _, mapping in inner:
        yield f"#### {path}"
        yield mapping["description"]
        yield from _keys(path, mapping, places)


def _lowered(mapping: Schema) -> str:
    """What a mapping is, within a sentence."""
    text: str = mapping["description"]
    return (
        text if text.partition(" ")[0].isupper() and text[1] != " " else text[0].lower() + text[1:]
    )


def _keys(path: str, mapping: Schema, places: Mapping[str, str]) -> Iterator[str]:
    required = mapping.get("required", ())
    rows = []
    for key, schema in mapping["properties"].items():
        words = _value(f"{path}.{key}", schema, places)
        if key in required:
            words += " **required**"
        rows.append((code(key), words, _meaning(f"{path}.{key}", schema)))
    yield table(("key", "value", "meaning"), rows)
    rules = [*_together(mapping)]
    if rules:
        yield " ".join(rules)


def _value(path: str, schema: Schema, places: Mapping[str, str]) -> str:
    if path == f"providers.{_NAME}.kind":
        return f"one of the {link('kinds', 'Provider kinds')}"
    if defined(schema) is None and has_keys(schema):
        return link("mapping", path)
    return value_words(schema, places)


def _meaning(path: str, schema: Schema) -> str:
    text, default = split_default(followed(schema)["description"])
    if default is not None:
        text += f" Default: {default if ' ' in default else code(default)}."
    if path != f"providers.{_NAME}.kind":
        text += _examples(schema)
    instead = NOT_SERVED.get(path.replace(f".{_NAME}", ""))
    return text if instead is None else f"{text} *Not served yet: {instead}.*"


def _examples(schema: Schema) -> str:
    written = schema.get("examples", ())[:_MOST_EXAMPLES]
    word = "Example" if len(written) == 1 else "Examples"
    return f" {word}: {codes(flow(one) for one in written)}." if written else ""


def _together(mapping: Schema) -> Iterator[str]:
    """Which keys go with which, as sentences."""
    for keyword, words in (("anyOf", "At least one of"), ("oneOf", "Exactly one of")):
        sets = [" and ".join(map(code, one["required"])) for one in mapping.get(keyword, ())]
        if sets:
            yield f"{words}: {', '.join(sets)}."
    for key, needed in mapping.get("dependentRequired", {}).items():
        yield f"{code(key)} needs {codes(needed)}."
    for key, schema in mapping.get("dependentSchemas", {}).items():
        yield f"{code(key)} excludes {codes(schema['properties'])}."


def document_part() -> str:
    """The top-level keys in one table, with links to their sections."""
    required = routing()["required"]
    rows = []
    for name in section_names():
        text, _, _ = followed(routing()["properties"][name])["description"].partition(". ")
        state = "**required**" if name in required else _state(name)
        rows.append((link(code(name), name), text.rstrip(".") + ".", state))
    return table(("section", "what it says", ""), rows)


def _state(section: str) -> str:
    if section in NOT_SERVED:
        return "not served yet"
    return "partly served" if any(path.startswith(f"{section}.") for path in NOT_SERVED) else ""
