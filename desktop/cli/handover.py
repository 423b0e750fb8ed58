"""The command that asks somebody to take over one's watch: straight to the server, ended by a definite answer."""

import os
from argparse import Namespace
from collections.abc import Mapping

from desktop.cli import output
from desktop.connections.accounts import find_account, request_handover
from desktop.domain.errors import InputError, Rejected
from desktop.domain.text import plain, storable
from desktop.system.paths import user_paths
from desktop.system.secrets import Secrets

_NAME, _STATE = 80, 40


def run(options: Namespace) -> int:
    """Request an emergency handover, and say where it stands."""
    to, reason = storable(options.to).strip(), storable(options.reason).strip()
    if not to or not reason:
        raise InputError("--to and --reason must say something: who takes over, and why")
    account = find_account(os.environ, user_paths(), Secrets())
    try:
        found = request_handover(account, to, reason)
    except Rejected as e:
        raise InputError("\n".join(e.reasons) or e.message) from e
    if options.json:
        output.data(found)
    else:
        output.line(_line(found))
    return 0


def _line(found: Mapping[str, object]) -> str:
    number, state = (plain(str(found.get(key)), _STATE) for key in ("id", "state"))
    offers = found.get("offers")
    people = [_name(o.get("user")) for o in offers if isinstance(o, dict)] if isinstance(offers, list) else []
    said = f"asked: {', '.join(people)}; " if people else ""
    return f"{number}  {state}  {said}on call until it is done: {_name(found.get('giver'))}"


def _name(person: object) -> str:
    return plain(str(person.get("name")), _NAME) if isinstance(person, dict) else "nobody"
