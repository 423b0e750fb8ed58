"""Turns what is known of a connection into a text that can be kept, and back. Pure.

Whatever cannot be read back is as if it had never been kept: the backend knows it all.
"""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from desktop.domain.incident import Snapshot

T = TypeVar("T")


class Unintelligible(ValueError):
    """A text that is no kept snapshot of this version."""


def to_text(snapshot: Snapshot) -> str:
    """Return ``snapshot`` as JSON."""
    return json.dumps(_plain(snapshot), ensure_ascii=False, separators=(",", ":"))


def from_text(text: str) -> Snapshot:
    """Return the snapshot that ``to_text`` made a text of; Unintelligible when it is none."""
    try:
        return _value(Snapshot, json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as e:
        raise Unintelligible(f"{type(e).__name__}") from e


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.value if isinstance(value, Enum) else value


def _value(kind: type[T], plain: Any) -> T:  # noqa: ANN401 - whatever the text holds
    """Return ``plain`` as a ``kind``: a dataclass, enumeration, instant, tuple, or plain value, checked."""
    found: Any
    if get_origin(kind) in {Union, UnionType}:
        (real,) = (k for k in get_args(kind) if k is not NoneType)
        found = None if plain is None else _value(real, plain)
    elif get_origin(kind) is tuple:
        found = tuple(_value(get_args(kind)[0], part) for part in _of(list, plain))
    elif is_dataclass(kind):
        hints = get_type_hints(kind)
        found = kind(**{name: _value(hints[name], part) for name, part in _of(dict, plain).items()})
    elif issubclass(kind, Enum):
        found = kind(plain)
    elif issubclass(kind, datetime):
        found = datetime.fromisoformat(_of(str, plain))
        if found.tzinfo is None:
            raise ValueError("an instant without a zone")
    else:
        found = _of(kind, plain)
    return cast("T", found)


def _of(kind: type[T], plain: object) -> T:
    if type(plain) is not kind:
        raise TypeError(f"{type(plain).__name__} is no {kind.__name__}")
    return plain
