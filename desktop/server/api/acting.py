"""Changing incidents as a person asks for it, and noting in the audit log that they did. On worker threads."""

from collections.abc import Callable, Sequence

from desktop.server import audit, incidents
from desktop.server.audit import By
from desktop.server.incidents import Opening
from desktop.server.records import Draft, Record
from desktop.server.roster import Moment
from desktop.server.station import Station
from desktop.server.writer import Work

Step = Callable[[Draft, Moment], None]
Also = Callable[[Work, Record], None]


def change(
    station: Station,
    by: By,
    action: str,
    wanted: Sequence[tuple[str, Sequence[Step]]],
    also: Also | None = None,
) -> list[Record]:
    """Apply to each incident (by id or number) its steps, all of them or none; return what they became.

    ``also`` is done with each of them in the same transaction.
    """

    def command(work: Work) -> list[Record]:
        def seen(draft: Draft) -> None:
            audit.note_draft(work.connection, by, action, draft, station.clock())

        changed = incidents.change(station, work, wanted, seen)
        if also is not None:
            for record in changed:
                also(work, record)
        return changed

    return station.writer.run(command)


def create(station: Station, by: By, opening: Opening) -> Record:
    """Open an incident."""

    def command(work: Work) -> Record:
        record = incidents.create(station, work, by.actor, opening)
        after = audit.summary(record)
        audit.note(work.connection, by, "incident.open", f"incident:{record.id}", station.clock(), after=after)
        return record

    return station.writer.run(command)
