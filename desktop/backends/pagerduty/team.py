"""The team file of Watchbell's own server, served beside PagerDuty's protocol. On the thread of the ``Wire``."""

from urllib.parse import urlsplit

from desktop.backends.pagerduty.client import Json, Wire
from desktop.domain.errors import InputError, NotFound

PATH = "/watchbell/v1/team"
# What the server takes at most.
LIMIT = 512 * 1024
# The server's code for: only force would do that, since somebody else would be on call now.
NEEDS_FORCE = 9001


def apply(wire: Wire, document: str, source: str, *, force: bool) -> Json:
    """Make ``document`` the team of the server, unless it refuses, and return its answer; ``source`` names the file.

    InputError where the other side is not Watchbell's own server: it is asked first, before it is shown anything.
    """
    content = document.encode()
    if len(content) > LIMIT:
        raise InputError(f"{source} is larger than {LIMIT // 1024} KiB, which is the most that a server takes")
    need_own_server(wire, PATH, "a team file can only be applied to that")
    params = [("source", source), *([("force", "true")] if force else [])]
    return wire.put_file(PATH, content, "application/toml; charset=utf-8", params)


def need_own_server(wire: Wire, path: str, why: str) -> None:
    """Raise ``InputError``, which ends in ``why``, where the other side is not Watchbell's own server."""
    host = urlsplit(wire.url).hostname or ""
    refusal = InputError(f"{host} is not Watchbell's own server: {why}")
    if host == "pagerduty.com" or host.endswith(".pagerduty.com"):
        raise refusal
    try:
        wire.get(path)
    except NotFound as error:
        raise refusal from error
