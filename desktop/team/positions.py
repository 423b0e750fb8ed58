"""On which line each key of a TOML text stands. Pure; any thread.

``tomllib`` reads TOML strictly but forgets where things stood. This walks the same text once more and only notes
lines; it may take for granted that the text is valid, because ``tomllib`` has read it before.
"""

import re
import tomllib

Path = tuple[str | int, ...]
"""The way to a value: keys, and places in arrays, counted from 0."""

# No team file nests deeper than six. A path is as long as it is deep: half a million elements under 400 brackets would
# fill the memory.
DEEPEST = 32

_BLANK = re.compile(r"(?:[ \t\n]++|#[^\n]*+)*+")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]++|\\.)*+"|'[^']*'""")
_STRING = re.compile(
    r'''"""(?:[^"\\]++|\\.|"(?!""))*+"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})|"(?:[^"\\]++|\\.)*+"|'[^']*\'''',
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def lines(text: str) -> dict[Path, int]:
    """Return the line (from 1) of every table, key and array element of ``text``: valid TOML with plain newlines.

    Raises ``RecursionError``, as ``tomllib`` does some hundred levels later, for what is nested too deeply.
    """
    return _Walk(text).document()


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted, self._line = 0, 1
        self._arrays: dict[Path, int] = {}
        self._found: dict[Path, int] = {}

    def document(self) -> dict[Path, int]:
        table: Path = ()
        self._skip()
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
            self._skip()
        return self._found

    def _header(self) -> Path:
        """Read ``[a.b]`` or ``[[a.b]]``; return the path of the table that it opens."""
        line = self._here()
        double = self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        *above, last = self._keys()
        self._at = self._text.index("]", self._at) + (2 if double else 1)
        path = (*self._resolved(above, line), last)
        if double:
            self._found.setdefault(path, line)
            self._arrays[path] = self._arrays.get(path, 0) + 1
        path = self._newest(path)
        self._found[path] = line
        return path

    def _note(self, path: Path, line: int) -> None:
        """Note on which line ``path`` stands first."""
        if len(path) > DEEPEST:
            raise RecursionError
        self._found.setdefault(path, line)

    def _resolved(self, keys: list[str], line: int) -> Path:
        """Return the path of the table above a header: it may stand nowhere else than in that header."""
        path: Path = ()
        for key in keys:
            path = self._newest((*path, key))
            self._note(path, line)
        return path

    def _newest(self, path: Path) -> Path:
        """Return the path of the newest element where ``path`` is an array of tables."""
        return (*path, self._arrays[path] - 1) if path in self._arrays else path

    def _pair(self, table: Path) -> None:
        line = self._here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, line)
        self._at = self._text.index("=", self._at) + 1
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip()
            raw = self._take(_KEY)
            keys.append(str(tomllib.loads(f"k = {raw}")["k"]) if raw[0] in "\"'" else raw)
            if not self._take(_DOT):
                return keys

    def _value(self, path: Path) -> None:
        self._skip()
        opening = self._text[self._at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline(path)
        else:
            self._take(_STRING if opening in "\"'" else _SCALAR)

    def _array(self, path: Path) -> None:
        place = 0
        while self._more("]"):
            self._note((*path, place), self._here())
            self._value((*path, place))
            place += 1

    def _inline(self, path: Path) -> None:
        while self._more("}"):
            self._pair(path)

    def _more(self, closing: str) -> bool:
        """Step over the bracket or comma here; tell whether another element follows, else step over ``closing``."""
        self._skip()
        if self._text[self._at] != closing:
            self._at += 1
            self._skip()
        if self._text[self._at] == closing:
            self._at += 1
            return False
        return True

    def _skip(self) -> None:
        """Step over blanks, line ends and comments; mostly there are none."""
        if self._text[self._at : self._at + 1] in " \t\n#":
            self._take(_BLANK)

    def _take(self, what: re.Pattern[str]) -> str:
        found = what.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found.group()

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
