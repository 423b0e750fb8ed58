"""The commands that add and list connections."""

import os
import sys
from argparse import Namespace
from pathlib import Path

from desktop.backends.route import NO_PROXY, without_login
from desktop.backends.token import TOKEN_LIMIT
from desktop.cli import output, watching
from desktop.cli.mends import ONLY_READS
from desktop.connections import setting_up
from desktop.connections.accounts import URL_VARIABLE, environment_connection
from desktop.domain.errors import InputError
from desktop.domain.text import plain
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.instance import Reply, tell_of_settings
from desktop.system.paths import user_paths
from desktop.system.secrets import Secrets
from desktop.system.settings import ConnectionSettings

_DEAF = "Watchbell runs and could not be told of this connection: quit it and start it again, so that it is watched"


def connect(options: Namespace) -> int:
    """Try an address with the token from standard input, and keep both."""
    token = sys.stdin.readline(TOKEN_LIMIT + 1).strip()
    if len(token) > TOKEN_LIMIT:
        raise InputError(f"standard input held more than {TOKEN_LIMIT} characters in one line: that is no token")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError("standard input held no token: write it there as one line")
    ca = options.ca and str(Path(options.ca).absolute())
    paths = user_paths()
    try:
        made = setting_up.connect(paths, Secrets(), options.url, token, proxy=options.proxy, ca=ca)
    finally:
        # Also where the address alone could be kept: then the application asks for the token.
        if not tell_of_settings(paths):
            print(_DEAF, file=sys.stderr)
    if made.may_acknowledge is False:
        who = plain(made.me.name, 120)
        print(
            f"note: the role of {who} may only read there: every click will be refused. {ONLY_READS}", file=sys.stderr
        )
    connection = made.connection
    if options.json:
        output.data({"id": connection.id, "name": connection.name, "url": connection.url, "person": made.me.id})
    else:
        output.line(f"connected to {connection.name} as {made.me.name}")
    return 0


def show(options: Namespace) -> int:
    """List the connections, the environment's first, with the way to each, and who watches it while Watchbell runs."""
    paths = user_paths()
    kept = settings_file.load(paths.settings).connections
    named = environment_connection(os.environ, kept)
    given = None if named is None else named[0]
    found = kept if given is None else (given, *(c for c in kept if c.id != given.id))
    if options.json:
        output.data({"connections": [_data(c) for c in found]})
    elif not found:
        output.line("There is no connection: the built-in server is used.")
    else:
        running, now = watching.ask(paths), utc_now()
        for c in found:
            output.line(f"{c.id}  {c.name}  {without_login(c.url)}")
            if c is given:
                output.line(f"    given by {URL_VARIABLE}")
            if c.proxy:
                direct = "none, whatever the environment says"
                output.line(f"    proxy: {direct if c.proxy == NO_PROXY else without_login(c.proxy)}")
            if c.ca:
                output.line(f"    authority: {plain(c.ca, 300)}, and no other")
            if running.reply is not Reply.ABSENT:
                output.line(f"    {watching.watched(running, c.id, now).line}")
    return 0


def _data(connection: ConnectionSettings) -> dict[str, str | None]:
    """Return the JSON shape of a connection; ``proxy`` and ``ca`` are null for those of the system."""
    return {
        "id": connection.id,
        "name": connection.name,
        "url": without_login(connection.url),
        "proxy": without_login(connection.proxy) or None,
        "ca": connection.ca or None,
    }
