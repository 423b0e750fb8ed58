"""What the incident channel of the team is told: the status updates of a SEV-0 or SEV-1. On the writer's thread.

Only what somebody wrote: a server that filled the channel by itself every 30 minutes would say that somebody works on
it when nobody does.
"""

from datetime import datetime

from desktop.channels.text import Text, bounded
from desktop.domain.announcement import status_update
from desktop.server import majors, outbox
from desktop.server.station import Station
from desktop.server.writer import Work

CHANNEL = "incidents"
_FRAME = ("Status: ", "Next update by ")


def update(station: Station, work: Work, incident: str, name: str, note: str, now: datetime) -> None:
    """Put in the status update called ``name`` of an ``incident`` in its prepared form; nothing of a milder one."""
    found = majors.one(work.connection, incident).incidents
    if not found:
        return
    major = found[0]
    owner = station.directory.person(major.owner).name if major.owner else ""
    zone = station.roster.team.time_zone
    frame = status_update(major, owner, "", now, zone)
    said = status_update(major, owner, _own_words(note, frame), now, zone)
    # The mention stands in the body: in a title it calls nobody.
    text = bounded(Text(f"{major.severity.label}: status update", said))
    outbox.to_channel(work.connection, station.roster, CHANNEL, f"status_update:{name}", text, now, incident)


def _own_words(note: str, frame: str) -> str:
    """Return what somebody wrote, without its ``frame`` where they sent back what had been prepared for them."""
    first, *others = note.splitlines() or [""]
    if first != frame.partition("\n")[0]:
        return note
    return " ".join(line for line in others if not line.startswith(_FRAME))
