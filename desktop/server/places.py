"""Where a person, or a channel of the team, is written to: what the team file names, known elsewhere by a digest.

An address is a secret: it is looked up when a message leaves, and stands in no row and no log line. Any thread.
"""

import hashlib

from desktop.domain.errors import InputError
from desktop.server import files
from desktop.server.keys import PATIENCE, secret
from desktop.server.roster import Roster
from desktop.server.storage import Storage
from desktop.team.addresses import is_reference

PERSON, CHANNEL = "person:", "channel:"


class Unknown(Exception):
    """An address that cannot be had: why, in words, and whether that may change by itself."""

    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry


def digest_of(entry: str) -> str:
    """Return the name under which rows know an entry of the team file."""
    return hashlib.sha256(entry.encode()).hexdigest()[:16]


def ladder(roster: Roster, person: str) -> tuple[str, ...]:
    """Return the digests of the addresses of ``person``, in the order of their ladder."""
    return tuple(dict.fromkeys(map(digest_of, _entries(roster, f"{PERSON}{person}"))))


def of_channel(roster: Roster, channel: str) -> str | None:
    """Return the digest of the address of the team's ``channel``, None when the team file names none."""
    return next(map(digest_of, _entries(roster, f"{CHANNEL}{channel}")), None)


def any_named(roster: Roster) -> bool:
    """Tell whether the team file names an address of anybody."""
    team = roster.team
    return bool(team.channels) or any(p.notify for p in team.people) or any(c.notify for c in team.emergency_contacts)


def resolve(storage: Storage, roster: Roster, recipient: str, digest: str) -> str:
    """Return the address of ``recipient`` called ``digest``; Unknown when there is none, or none that may be used.

    A reference to a secret counts only where a file that an operator named vouches for it.
    """
    entry = next((e for e in _entries(roster, recipient) if digest_of(e) == digest), None)
    if entry is None:
        raise Unknown("the address is not in the team file any more", retry=False)
    if not is_reference(entry):
        return entry
    if not _vouched(storage, entry):
        raise Unknown(f"{entry} is no channel that the server's own team file names", retry=False)
    try:
        value = secret(entry, PATIENCE)
    except InputError as error:
        raise Unknown(error.message, retry=True) from error
    if not value:
        # Another server on the same database may have it, and this one after its next start.
        raise Unknown(f"{entry} is not set where the server runs", retry=True)
    return value


def _entries(roster: Roster, recipient: str) -> tuple[str, ...]:
    if recipient.startswith(CHANNEL):
        entry = roster.team.channels.get(recipient.removeprefix(CHANNEL))
        return () if entry is None else (entry,)
    person = recipient.removeprefix(PERSON)
    member = roster.team.member(person) or roster.contacts.get(person)
    return () if member is None else member.notify


def _vouched(storage: Storage, reference: str) -> bool:
    with storage.read() as connection:
        loaded = files.latest(connection)
    return loaded is not None and f"channel {reference}" in files.vouched_now(loaded, files.text_now(loaded))
