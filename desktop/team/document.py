"""From bytes to a TOML document whose every key knows its line; or one clear mistake. Any thread.

Reads the one file that it is given, nothing else.
"""

import os
import re
import stat
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from desktop.domain.errors import Problem, TeamFileError
from desktop.domain.text import plain
from desktop.team import positions

LIMIT = 1024 * 1024
# Each impossible date costs another reading of the whole text: so often it is read, less often when it is long.
_READINGS = 20

# Python's reader takes time and memory with the square of the parts of a dotted key: for 100,000 of them, all there is.
_DOTTED = re.compile(r"""(?<![\w\\-])(?:(?:[\w-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){64}""")

# At the end only: a key that a message quotes may say the same.
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)$")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)?)?")
_DATE_ALONE = re.compile(rf"^([ \t]*[\w.-]+[ \t]*=[ \t]*)({_DATE.pattern})(?=[ \t]*(?:#.*)?$)", re.MULTILINE)


_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Document:
    """What the file says, by key, and on which line each key stands."""

    source: str
    data: dict[str, object]
    lines: dict[positions.Path, int]


def load(path: Path) -> str:
    """Return the text of the file ``path``; raise ``TeamFileError`` when it is too large, unreadable or not UTF-8.

    A pipe, a device or a folder is refused before anything is read: a pipe would be waited for without end.
    """
    source = path.name
    try:
        _check_kind(source, path.stat().st_mode)
        with open(path, "rb", opener=_without_waiting) as file:
            # Another may stand there by now.
            _check_kind(source, os.fstat(file.fileno()).st_mode)
            raw = file.read(LIMIT + 1)
    except OSError as error:
        raise _wrong(source, 0, f"cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        # A path with a NUL in it, or with what the file system cannot encode.
        raise _wrong(source, 0, "cannot be read: no file can be called that.") from error
    return decode(raw, source)


def _check_kind(source: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise _wrong(source, 0, f"cannot be read: it is {kind}, not a file.")


def _without_waiting(path: str, flags: int) -> int:
    """Open ``path``; a pipe that took the place of the file is not waited for (Windows has neither)."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def decode(raw: bytes, source: str) -> str:
    """Return the text that the bytes of a file are; raise ``TeamFileError`` when they are too many or not UTF-8."""
    _check_size(source, len(raw))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _wrong(source, line, f"is not UTF-8 (byte 0x{raw[error.start]:02x}): save the file as UTF-8.") from error


def read(text: str, source: str) -> Document:
    """Return the document that ``text`` is; raise ``TeamFileError`` with line and column when it is not TOML."""
    _check_size(source, len(text))
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    dotted = _DOTTED.search(text)
    if dotted is not None:
        raise _wrong(source, text.count("\n", 0, dotted.start()) + 1, "is nested too deeply.")
    try:
        data, text = _parse(text, source)
        return Document(_called(source), data, positions.lines(text))
    except RecursionError as error:
        raise _wrong(source, 0, "is nested too deeply.") from error


def _parse(text: str, source: str) -> tuple[dict[str, object], str]:
    """Return the parsed ``text``, and the text that was parsed: impossible dates are put in quotes.

    A date such as 2026-02-30 ends the reading of TOML; as a text it is reported where a date is expected, together
    with every other mistake.
    """
    for _ in range(max(2, min(_READINGS, LIMIT // max(len(text), 1)))):
        try:
            return tomllib.loads(text), text
        except tomllib.TOMLDecodeError as error:
            mended = _with_quoted_dates(text, str(error))
            if mended is None:
                raise _syntax(source, str(error)) from error
            text = mended
        except ValueError as error:
            # Python refuses to read an integer of thousands of digits.
            raise _wrong(source, 0, f"is not TOML: {error}.") from error
    raise _wrong(source, 0, "is not TOML: too many dates that are not in the calendar.")


def _with_quoted_dates(text: str, error: str) -> str | None:
    """Return ``text`` with the impossible date that ``error`` is about in quotes, and all that have a line each.

    None when it is about something else.
    """
    place = _PLACE.search(error)
    if place is None:
        return None
    start = _start_of_line(text, int(place[1]))
    end = text.find("\n", start)
    # A month of 13 is told at the place where a number would have ended, within the date.
    at = start + int(place[2]) - 1
    for found in _DATE.finditer(text, start, len(text) if end < 0 else end):
        if found.start() <= at <= found.end() and not _in_calendar(found.group()):
            text = f'{text[: found.start()]}"{found.group()}"{text[found.end() :]}'
            return _DATE_ALONE.sub(_quoted, text)
    return None


def _quoted(found: re.Match[str]) -> str:
    return found[0] if _in_calendar(found[2]) else f'{found[1]}"{found[2]}"'


def _in_calendar(text: str) -> bool:
    try:
        date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _start_of_line(text: str, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    return start


def _syntax(source: str, error: str) -> TeamFileError:
    """Make one line of what ``tomllib`` says: "… (at line 3, column 5)", or "… (at end of document)"."""
    place = _PLACE.search(error)
    said = plain(error.rpartition(" (at ")[0], 120)
    if place is None:
        return _wrong(source, 0, f"is not TOML: {said}, at the end of the file.")
    return _wrong(source, int(place[1]), f"is not TOML, at column {place[2]}: {said}.")


def _check_size(source: str, size: int) -> None:
    if size > LIMIT:
        raise _wrong(source, 0, f"is larger than {LIMIT // 1024} KiB: that is no team file.")


def _wrong(source: str, line: int, message: str) -> TeamFileError:
    return TeamFileError([Problem(_called(source), line, "", message)])


def _called(source: str) -> str:
    """Return the name of a file as messages show it: nearly every character can be in one."""
    return plain(source, 100) or "team file"
