"""What is said to the application that runs, and how that is read. Pure.

By a second start, one word and no secret: "show", and the token by which the desktop lets a window come to the front.
By who changed the settings: "reload", and nothing else. By who wants to know what it watches: "watch"; the answer is
what ``desktop.domain.sight`` says.
"""

MOST_BYTES = 256
"""No request is longer."""

DONE = b"ok\n"
"""What a request is answered with."""

RELOAD = b"reload\n"
"""What is sent by who changed the settings."""

WATCH = b"watch\n"
"""What is sent by who wants to know what is watched."""

_WORD = b"show"
_TOKEN_LIMIT = 200


def request(token: str = "") -> bytes:
    """Return what is sent; ``token`` is the startup or activation token of whoever starts us, where there is one."""
    good = token.isascii() and token.isprintable() and " " not in token and len(token) <= _TOKEN_LIMIT
    return b" ".join([_WORD, token.encode("ascii")] if token and good else [_WORD]) + b"\n"


def asked(line: bytes) -> str | None:
    """Return the token of a request ("" without one); None for everything that is no request."""
    word, _, token = line.removesuffix(b"\n").partition(b" ")
    if word != _WORD or not line.endswith(b"\n") or len(line) > MOST_BYTES:
        return None
    text = token.decode("ascii", "replace")
    return text if request(text) == line else None
