"""Who cannot be reached: the last page of a day reached them by no means. On the keeper's thread; changes nothing.

What happened stands in the history of incidents, so that every server finds the same, also after a start.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from desktop.domain.severity import Severity
from desktop.server import findings, places, schema, things
from desktop.server.findings import Finding
from desktop.server.records import MESSAGE, NO_ADDRESS, RECEIPTS, UNREACHED
from desktop.server.station import Station

_A_DAY = timedelta(days=1)
_line = schema.log_entries.c
_WORDS = {
    NO_ADDRESS: (
        "there is no address, and no application showed the last page",
        "Give them an address (notify) in the team file, or let Watchbell run where they work.",
    ),
    UNREACHED: (
        "every address failed, and no application showed the last page",
        "Correct their addresses (notify) in the team file: the server's log says what is wrong with each.",
    ),
}


def unreached(station: Station) -> Iterator[Finding]:
    """Yield what says of a person that the last page did not reach them, until a page or a message does."""
    with station.storage.read() as connection:
        last = _last(connection, station.clock() - _A_DAY)
    for who, line in last.items():
        somebody = station.directory.people.get(who)
        if line.type not in _WORDS or somebody is None or not somebody.active:
            continue
        if line.type == NO_ADDRESS and places.ladder(station.roster, who):
            # They were given one since: the next page tells whether it is right.
            continue
        why, mend = _WORDS[line.type]
        details = {
            "person": who,
            "incident": line.incident_id,
            "noticed_at": things.instant(line.at),
            "meaning": "They are paged and do not know it. Escalation goes on by the team file's times.",
            "mend": mend,
        }
        title = f"{somebody.name} cannot be reached: {why}"
        yield Finding(findings.UNREACHED, who, title, details, Severity.SEV1)


def _last(connection: Connection, since: datetime) -> dict[str, Row[Any]]:
    """Return, of each person whom a page did not reach ``since`` then, the last line about whether one did."""
    asked = select(_line.id, _line.at).where(_line.at > since, _line.type.in_((NO_ADDRESS, UNREACHED)))
    first = connection.execute(asked.order_by(_line.at).limit(1)).one_or_none()
    if first is None:
        return {}
    kinds = (NO_ADDRESS, UNREACHED, MESSAGE, *RECEIPTS)
    lines = select(schema.log_entries).where(_line.at >= first.at, _line.type.in_(kinds)).order_by(_line.at, _line.id)
    return {str(who): row for row in connection.execute(lines) for who in row.data.get("assignees") or ()}
