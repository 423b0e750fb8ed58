"""Text from outside made harmless for where it is written to: a chat message, a Markdown file, a cell of a CSV. Pure.

``text.plain`` makes a title one plain line; here it also loses what the other place would take for a command.
"""

import re
import string
from collections.abc import Iterable, Sequence

from desktop.domain.text import plain, storable

# Mentions and issue links are looked for in the finished text, after all escapes: only another character helps.
_MENTIONS = str.maketrans({"@": "＠", "#": "＃"})
# What Slack, Mattermost, Teams and Discord read as markup; a chat message has no escape that all of them know.
_CHAT = str.maketrans(
    {
        "<": "‹",
        ">": "›",
        "&": "＆",
        "`": "ˋ",
        "*": "∗",
        "_": "＿",
        "~": "∼",
        "[": "［",
        "]": "］",
        "|": "｜",
        "\\": "＼",
    }
)
_DOT_IN_NAME = re.compile(r"(?<=[\w-])\.(?=[^\W\d])")
# CommonMark, section 2.4: any ASCII punctuation character may be escaped.
_PUNCTUATION = {ord(c): "\\" + c for c in string.punctuation}
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")
_QUOTED = frozenset('",;\t\r\n')


def for_chat(text: str, limit: int) -> str:
    """Return ``text`` as one line that mentions nobody, links nowhere and has no markup, in any chat."""
    cleaned = plain(text, limit).translate(_MENTIONS).translate(_CHAT).replace("://", "∶//")
    return _DOT_IN_NAME.sub("․", cleaned)


def for_markdown(text: str, limit: int) -> str:
    """Return ``text`` as one line that every Markdown shows as the characters that it is, without a link."""
    return plain(text, limit).translate(_MENTIONS).translate(_PUNCTUATION)


def cell(text: str) -> str:
    """Return ``text`` as a cell of a CSV: never a formula, quoted where it must be (RFC 4180)."""
    safe = storable(text)
    if safe.lstrip().startswith(_FORMULA) or safe.startswith(_FORMULA):
        safe = "'" + safe
    return '"' + safe.replace('"', '""') + '"' if _QUOTED & set(safe) else safe


def csv(rows: Iterable[Sequence[str]]) -> str:
    """Return ``rows`` as a CSV (RFC 4180: lines end with CRLF, the last one too)."""
    return "".join(",".join(map(cell, row)) + "\r\n" for row in rows)
