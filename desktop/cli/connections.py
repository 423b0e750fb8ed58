"""The commands that add and list connections."""

import sys
from argparse import Namespace
from pathlib import Path

from desktop import connections
from desktop.cli import output
from desktop.domain.errors import InputError
from desktop.system import settings as settings_file
from desktop.system.paths import user_paths
from desktop.system.secrets import Secrets

# Longer than any token, and than what any keyring takes.
_TOKEN_LIMIT = 8192


def connect(options: Namespace) -> int:
    """Try an address with the token from standard input, and keep both."""
    token = sys.stdin.readline(_TOKEN_LIMIT + 1).strip()
    if len(token) > _TOKEN_LIMIT:
        raise InputError(f"standard input held more than {_TOKEN_LIMIT} characters in one line: that is no token")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError("standard input held no token: write it there as one line")
    ca = options.ca and str(Path(options.ca).absolute())
    connection, me = connections.connect(user_paths(), Secrets(), options.url, token, proxy=options.proxy, ca=ca)
    if options.json:
        output.data({"id": connection.id, "name": connection.name, "url": connection.url, "person": me.id})
    else:
        output.line(f"connected to {connection.name} as {me.name}")
    return 0


def show(options: Namespace) -> int:
    """List the connections."""
    found = settings_file.load(user_paths().settings).connections
    if options.json:
        output.data({"connections": [{"id": c.id, "name": c.name, "url": c.url} for c in found]})
    elif not found:
        output.line("There is no connection: the built-in server is used.")
    else:
        for c in found:
            output.line(f"{c.id}  {c.name}  {c.url}")
    return 0
