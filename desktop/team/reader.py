"""Reads the tables of a document key by key and collects every mistake with its line. Any thread."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from desktop.domain.errors import Problem, TeamFileError
from desktop.domain.text import plain
from desktop.team.document import Document
from desktop.team.positions import Path
from desktop.team.words import Near, Wrong, nearest, said

_T = TypeVar("_T")
# Whoever has made so many mistakes mends these first. A file of one megabyte has room for half a million.
MOST = 1000
# Comparing a word with another takes 1 to 70 microseconds: with a thousand mistakes and people that would be a minute.
_COMPARISONS = 20_000
# How TOML itself writes a key that is no letter long.
_EMPTY = '""'


class Mistakes:
    """What was found wrong in a document so far, and what is worth a warning."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._wrong: list[Problem] = []
        self._warnings: list[Problem] = []
        self._comparisons = _COMPARISONS

    def add(self, path: Path, message: str, near: Near | None = None) -> None:
        """Note a mistake at ``path``, with what may have been meant; raise ``TeamFileError`` at one too many."""
        if len(self._wrong) >= MOST:
            end = Problem(self._document.source, 0, "", f"was read only as far as its first {MOST} mistakes.")
            raise TeamFileError([*self.found, end])
        self._wrong.append(self._problem(path, message + (self._hint(near) if near else "")))

    def warn(self, path: Path, message: str) -> None:
        """Note what is allowed but should be looked at."""
        if len(self._warnings) < MOST:
            self._warnings.append(self._problem(path, message))

    @property
    def found(self) -> tuple[Problem, ...]:
        """All mistakes in the order of the file."""
        return tuple(sorted(dict.fromkeys(self._wrong), key=lambda p: p.line))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """All warnings in the order of the file."""
        return tuple(sorted(dict.fromkeys(self._warnings), key=lambda p: p.line))

    def _hint(self, near: Near) -> str:
        """Return what may have been meant, as long as looking for that has not taken too long."""
        if near.comparisons > self._comparisons:
            return f": {near.otherwise}." if near.otherwise else "."
        self._comparisons -= near.comparisons
        return str(near)

    def _problem(self, path: Path, message: str) -> Problem:
        line = next((n for i in range(len(path), 0, -1) if (n := self._document.lines.get(path[:i]))), 0)
        return Problem(self._document.source, line, _shown(path), message)


class Table:
    """One table being read: asked key by key, it knows at the end which keys nobody asked for."""

    def __init__(self, data: Mapping[str, object], path: Path, mistakes: Mistakes, *, given: bool = True) -> None:
        self._data = data
        self._mistakes = mistakes
        self._asked: set[str] = set()
        self.path = path
        self.given = given

    def get(self, key: str, read: Callable[[object], _T], doubt: Callable[[_T], str] | None = None) -> _T | None:
        """Return the value of ``key`` as ``read`` makes it; None when it is absent or wrong, which is noted.

        What ``doubt`` says of a value that is right, where it says anything, is a warning.
        """
        self._asked.add(key)
        if key not in self._data:
            return None
        return self._read((*self.path, key), self._data[key], read, doubt)

    def need(self, key: str, read: Callable[[object], _T]) -> _T | None:
        """Like ``get``, for a key that must be there."""
        if key not in self._data:
            self.wrong("", f'"{key}" is missing.')
        return self.get(key, read)

    def each(self, key: str, read: Callable[[object], _T], doubt: Callable[[_T], str] | None = None) -> tuple[_T, ...]:
        """Return the values of the array ``key``, those that are right; ``doubt`` as for ``get``."""
        found = self.get(key, _array) or []
        path = (*self.path, key)
        values = [self._read((*path, place), value, read, doubt) for place, value in enumerate(found)]
        return tuple(v for v in values if v is not None)

    @contextmanager
    def table(self, key: str) -> Iterator["Table"]:
        """Open the table ``key``, an empty one when it is absent; when left, its unknown keys are noted."""
        data = self.get(key, _table(key))
        table = Table(data or {}, (*self.path, key), self._mistakes, given=data is not None)
        yield table
        table.close()

    def tables(self, key: str) -> Iterator["Table"]:
        """Yield the tables of the array ``key``; the unknown keys of each are noted when the next one is asked for."""
        for place, value in enumerate(self.get(key, _tables(key)) or []):
            path = (*self.path, key, place)
            data = self._read(path, value, _table(key))
            if data is not None:
                table = Table(data, path, self._mistakes)
                yield table
                table.close()

    def names(self) -> tuple[str, ...]:
        """Return the keys of a table whose keys are free, and take them all as known."""
        self._asked.update(self._data)
        return tuple(self._data)

    def has(self, key: str) -> bool:
        """Tell whether ``key`` is there, right or wrong."""
        return key in self._data

    def lacks(self, key: str) -> bool:
        """Tell whether the array ``key`` is absent or empty; one that holds only mistakes is neither."""
        return self._data.get(key, []) == []

    def states(self, key: str, inner: str) -> bool:
        """Tell whether the table ``key`` has a key ``inner``, right or wrong."""
        table = self._data.get(key)
        return isinstance(table, dict) and inner in table

    def wrong(self, key: str, message: str, near: Near | None = None) -> None:
        """Note a mistake at ``key``, or at the table itself when ``key`` is empty."""
        self._mistakes.add((*self.path, key) if key else self.path, message, near)

    def warn(self, key: str, message: str) -> None:
        """Note a warning at ``key``."""
        self._mistakes.warn((*self.path, key), message)

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._data:
            if key not in self._asked:
                self.wrong(key, "unknown key", nearest(key, self._asked))

    def _read(
        self, path: Path, value: object, read: Callable[[object], _T], doubt: Callable[[_T], str] | None = None
    ) -> _T | None:
        try:
            found = read(value)
        except Wrong as error:
            self._mistakes.add(path, str(error), error.near)
            return None
        if doubt is not None and (told := doubt(found)):
            self._mistakes.warn(path, told)
        return found


def _shown(path: Path) -> str:
    """Return ``path`` as a person reads it; places in arrays count from 1: ``people[2].name``."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{plain(part, 60) or _EMPTY}" for part in path)
    return "".join(parts).removeprefix(".")


def _array(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Wrong(f'expected an array like ["…", "…"], not {said(value)}.')
    return value


def _table(key: str) -> Callable[[object], dict[str, object]]:
    def read(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise Wrong(f"expected a table [{key}], not {said(value)}.")
        return value

    return read


def _tables(key: str) -> Callable[[object], list[object]]:
    def read(value: object) -> list[object]:
        if isinstance(value, dict):
            raise Wrong(f"stands once for each entry: write [[{key}]], with two brackets.")
        if not isinstance(value, list):
            raise Wrong(f"expected tables [[{key}]], not {said(value)}.")
        return value

    return read
