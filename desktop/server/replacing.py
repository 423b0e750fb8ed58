"""A team file that is sent to a running server: what it would change, what it must not, and applying it.

``examine`` runs on a worker thread and may wait for a keyring; ``carry_out`` is the transaction, on the writer's.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from desktop import team as teams
from desktop.domain.errors import StorageError
from desktop.domain.team import Access, Team
from desktop.server import additions, applying, audit, authentication, companions, departed, files, rights
from desktop.server.applying import Applied
from desktop.server.audit import By
from desktop.server.departed import Left
from desktop.server.failures import Refused
from desktop.server.keys import PATIENCE, integration_keys
from desktop.server.roster import Roster
from desktop.server.station import Station
from desktop.server.writer import Work
from desktop.team import destinations, references
from desktop.team.difference import differences
from desktop.team.relief import Relief, name, reliefs, say

log = logging.getLogger(__name__)

# Ours: PagerDuty has no such conflicts.
NEEDS_FORCE = 9001
NEEDS_PEOPLE = 9002

_ATTEMPTS = 5
_LOCKED_OUT = (
    "the application on the server's own machine acts as {person}: keep {person} among [[people]], "
    "or change the team file there and start it again"
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A team file as ``person`` sent it from ``address``."""

    person: str
    document: str
    source: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """What ``applied`` would change at ``revision``, of the team ``old``; ``doubts`` is what only force overrides.

    ``left`` are the open incidents that people would leave behind. ``same``: it is the team already. ``own``: so says
    the file that the server was started with. ``notes`` are worth a second look.
    """

    revision: int
    applied: Applied
    old: Team
    roster: Roster
    changes: tuple[str, ...] = ()
    reliefs: tuple[Relief, ...] = ()
    left: tuple[Left, ...] = ()
    doubts: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    same: bool = False
    own: files.Loaded | None = None
    notes: tuple[str, ...] = ()


class _Overtaken(Exception):
    """The team was changed by somebody else between the look and the transaction."""


def replace(station: Station, sent: Sent, *, force: bool = False, dry_run: bool = False) -> tuple[Examined, bool]:
    """Apply what was ``sent``, unless it is the team already or only force would; return it, and whether that was done.

    TeamFileError with every mistake; refused (403, 409) when it must not be applied by any means.
    """
    for _ in range(_ATTEMPTS):
        try:
            examined = examine(station, sent)
            if dry_run or examined.same or (examined.doubts and not force):
                return examined, False
            station.writer.run(partial(carry_out, examined, sent.address))
        except _Overtaken:
            continue
        station.refresh()
        fields = {"by": examined.applied.by, "digest": examined.applied.digest, "force": force}
        log.info("team applied", extra={"fields": fields})
        return examined, True
    raise StorageError("the team is being changed by others all the time: try again")


def examine(station: Station, sent: Sent) -> Examined:
    """Look at what was ``sent``: TeamFileError with every mistake, refused when it must not be applied by any means.

    References to secrets are taken only where the team file on the server itself names them, for the same use. Who may
    send a team must not thereby choose what the server reads from its environment and keyring: a variable whose value
    can be guessed would open a service to whoever guesses it, and other people's secrets would be sent about as
    addresses. The file that was given to ``serve --team`` is written by who runs the server, and may name anything.
    """
    station.refresh()
    # In this order: a roster is never older than the revision that was read before it.
    revision, before = station.revision, station.roster
    now = station.clock()
    with station.storage.read() as connection:
        rights.need_admin(connection, sent.person)
        was = applying.current(connection)
        applied = Applied(sent.document, sent.source, applying.digest_of(sent.document), now, f"person:{sent.person}")
        if additions.revision(connection) != revision:
            raise _Overtaken
        if was is not None and was.digest == applied.digest:
            notes = tuple(map(str, before.file.warnings))
            return Examined(revision, was, before.team, before, same=True, notes=notes)
        team = teams.parse(sent.document, sent.source)
        loaded = files.latest(connection)
        text = None if loaded is None else files.text_now(loaded)
        references.check_vouched(
            sent.document, sent.source, frozenset() if loaded is None else files.vouched_now(loaded, text)
        )
        addressed = destinations.check(sent.document, sent.source, _checked)
        _keep_people(connection, team)
        roster = Roster(team, additions.read(connection), companions.read(connection))
        left = departed.foreseen(connection, {*roster.contacts, *(person.id for person in team.people)})
    taken_over = reliefs(before.team, roster.team, now)
    return Examined(
        revision,
        applied,
        before.team,
        roster,
        changes=differences(before.file, team),
        reliefs=taken_over,
        left=left,
        doubts=(*_doubts(before.team, roster.team, taken_over, sent.person), *map(str, left)),
        keys=integration_keys(team, PATIENCE),
        own=loaded if text == sent.document else None,
        notes=(*map(str, team.warnings), *map(str, addressed), *destinations.without(team)),
    )


def _checked(address: str) -> destinations.Checked:
    # Apprise comes with it: only for a file that writes out an address.
    from desktop.channels import checking  # noqa: PLC0415

    return checking.check(address)


def carry_out(examined: Examined, address: str, work: Work) -> None:
    """Write it, unless the team is not any more what it was examined against."""
    was = applying.current(work.connection)
    revision = applying.write(work.connection, examined.roster, examined.applied, examined.keys, address)
    if revision != examined.revision + 1:
        raise _Overtaken
    audit.note_team(work.connection, By(examined.applied.by, address), was, examined.applied)
    if examined.own is not None:
        # The next start finds its own file as it is now, and does not take it for news.
        files.remember(work.connection, examined.own.place, examined.applied.document, examined.applied.at)


def _keep_people(connection: Connection, team: Team) -> None:
    """Refuse a team that nobody could change any more, or that locks out the application that runs this server."""
    if not any(person.access is Access.ADMIN for person in team.people):
        raise Refused(
            409, NEEDS_PEOPLE, "Conflict", ['nobody would be an admin: give at least one person access = "admin"']
        )
    for person in authentication.embedded_people(connection):
        if team.member(person) is None:
            raise Refused(409, NEEDS_PEOPLE, "Conflict", [_LOCKED_OUT.format(person=person)])


def _doubts(old: Team, new: Team, taken_over: tuple[Relief, ...], person: str) -> tuple[str, ...]:
    said = tuple(say(relief, old, new) for relief in taken_over)
    if new.member(person) is None:
        said = (*said, f"{name(old, person)}, who applies this, would not be in the team any more")
    return said
