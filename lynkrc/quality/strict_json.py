"""Bytes to the one JSON value they are: no NaN, no member written twice, no half character.

>>> loads(b'{"a": 1}')
{'a': 1}
>>> loads(b'{"a": 1, "a": 2}')
Traceback (most recent call last):
lynkrc.quality.strict_json.NotStrict: the member "a" is written twice
"""

import json
from collections import Counter
from typing import Any, Never, final

_MARK = "\ufeff"


@final
class NotStrict(Exception):
    """What is wrong, in words without the data; `help` is a way out."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


def loads(data: bytes) -> Any:
    """The value. NotStrict for what is no JSON, or JSON that can be read in two ways."""
    try:
        text = data.decode()
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        if "\\u" in text:
            # Half a surrogate pair can be written in JSON, but it is no text.
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise NotStrict("it is not UTF-8", "save it as UTF-8") from None
    except UnicodeEncodeError:
        help = "write both halves, or the character itself"
        raise NotStrict("it has half a surrogate pair", help) from None
    except json.JSONDecodeError as error:
        if text.startswith(_MARK):
            raise NotStrict("it begins with a byte order mark", "remove the mark") from None
        help = "look there for a comma, a quote or a bracket too few"
        raise NotStrict(f"{error.msg} at character {error.pos + 1}", help) from None
    except RecursionError:
        raise NotStrict("it is nested too deeply", "put less inside one another") from None
    except ValueError:  # an integer of more digits than Python reads
        raise NotStrict("it has a number that is too long", "write fewer digits") from None
    return value


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        (twice, _), *_ = Counter(name for name, _ in members).most_common(1)
        raise NotStrict(f"the member {json.dumps(twice)} is written twice", "remove one of the two")
    return found


def _constant(name: str) -> Never:
    raise NotStrict(f"{name} is no number of JSON", "write a finite number or null")


__all__ = ["NotStrict", "loads"]
