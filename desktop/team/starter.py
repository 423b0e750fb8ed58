"""The team file that a newcomer begins with, and the one of the demonstration. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from desktop.domain.text import plain


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who begins: ``id`` in lower case letters, digits and dashes, ``name`` as a person reads it, IANA ``zone``."""

    id: str
    name: str
    zone: str


def newcomer(login: str, full_name: str, zone: str) -> Newcomer:
    """Make a newcomer of what the machine knows; without a usable login it is ``me``."""
    person_id = "".join(c if c.isascii() and c.isalnum() else "-" for c in login.lower()).strip("-")[:40]
    return Newcomer(person_id or "me", _shown(full_name) or _shown(login) or "Me", zone)


def starter(who: Newcomer, now: datetime) -> str:
    """Return a team file with one person, who is always on call as primary; ``now`` is that person's wall clock."""
    return f"""# The team of the built-in server. Add people, rotations and services here, then start Watchbell again,
# or run 'watchbell team apply' with the path of this file.
time_zone = {_text(who.zone)}

[[people]]
id = {_text(who.id)}
name = {_text(who.name)}
access = "admin"

[rotation.primary]
members = [{_text(who.id)}]
start = {_monday(now)}
every = "1 week"

[[services]]
id = "default"
name = "Everything"
"""


def demonstration(who: Newcomer, now: datetime) -> str:
    """Return a team of three in which a SEV-0 escalates after a minute."""
    others = [p for p in (("ben", "Ben Okafor"), ("mia", "Mia Lund")) if p[0] != who.id][:2]
    (second, second_name), (manager, manager_name) = others if len(others) == 2 else (*others, ("cho", "Cho Park"))
    return f"""time_zone = {_text(who.zone)}

[[people]]
id = {_text(who.id)}
name = {_text(who.name)}
access = "admin"

[[people]]
id = {_text(second)}
name = {_text(second_name)}

[[people]]
id = {_text(manager)}
name = {_text(manager_name)}
access = "manager"

[rotation.primary]
members = [{_text(who.id)}, {_text(second)}]
start = {_monday(now)}
every = "1 week"

[rotation.secondary]
members = [{_text(second)}, {_text(who.id)}]
start = {_monday(now)}
every = "1 week"

[rotation.manager]
members = [{_text(manager)}]
start = {_monday(now)}
every = "1 week"

[severity.sev0]
acknowledge = "1m"
resolve = "1h"

[[services]]
id = "payments"
name = "payments"
"""


def _shown(name: str) -> str:
    return plain("".join(c for c in name if c.isprintable()), 80)


def _monday(now: datetime) -> str:
    """Return the last Monday 09:00 up to ``now``, as TOML writes a wall-clock time."""
    wall = now.replace(tzinfo=None)
    monday = (wall - timedelta(days=wall.weekday())).replace(hour=9, minute=0, second=0, microsecond=0)
    if monday > wall:
        monday -= timedelta(weeks=1)
    return monday.isoformat()


def _text(text: str) -> str:
    """Write ``text`` as a TOML basic string: for plain text, JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)
