"""What a message says: a line and a few more, plain and of limited length. Pure."""

from dataclasses import dataclass

from desktop.domain.text import plain, shorten, storable

TITLE_LIMIT, BODY_LIMIT = 200, 2000


@dataclass(frozen=True, slots=True)
class Text:
    """What is said: one line, and as many as it takes."""

    title: str
    body: str


def bounded(text: Text) -> Text:
    """Return ``text`` as it may leave: visible characters, as many as every channel can show."""
    lines = storable(text.body[: BODY_LIMIT * 4]).splitlines()
    body = "\n".join(plain(line, BODY_LIMIT) for line in lines)
    return Text(plain(text.title, TITLE_LIMIT), shorten(body, BODY_LIMIT))
