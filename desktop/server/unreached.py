"""Who cannot be reached: the last page of a day reached them by no means. On the keeper's thread; changes nothing.

What happened stands in the history of incidents, so that every server finds the same, also after a start.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select

from desktop.domain.severity import Severity
from desktop.server import findings, places, schema, things
from desktop.server.findings import Finding
from desktop.server.records import MESSAGE, NO_ADDRESS, RECEIPTS, UNREACHED
from desktop.server.station import Station

_A_DAY = timedelta(days=1)
# Servers' clocks differ, and a line may be committed after later ones.
_OVERLAP = timedelta(minutes=5)
_line = schema.log_entries.c
_NOBODY = (NO_ADDRESS, UNREACHED)
_FIRST = select(_line.at).where(_line.at > bindparam("since"), _line.type.in_(_NOBODY)).order_by(_line.at).limit(1)
_SINCE = (
    select(schema.log_entries)
    .where(_line.at >= bindparam("first"), _line.type.in_((*_NOBODY, MESSAGE, *RECEIPTS)))
    .order_by(_line.at, _line.id)
)
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


class Unreached:
    """``look`` may be asked as often as one likes: it does not read again what it found to be calm."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._calm_until: datetime | None = None

    def look(self) -> Iterator[Finding]:
        """Yield what says of a person that the last page did not reach them, until a page or a message does."""
        for who, line in self._last().items():
            if line.type in _WORDS and (finding := self._finding(who, line)) is not None:
                yield finding

    def _finding(self, who: str, line: Row[Any]) -> Finding | None:
        station = self._station
        somebody = station.directory.people.get(who)
        if somebody is None or not somebody.active:
            return None
        if line.type == NO_ADDRESS and places.ladder(station.roster, who):
            # They were given one since: the next page tells whether it is right.
            return None
        why, mend = _WORDS[line.type]
        details = {
            "person": who,
            "incident": line.incident_id,
            "noticed_at": things.instant(line.at),
            "meaning": "They are paged and do not know it. Escalation goes on by the team file's times.",
            "mend": mend,
        }
        return Finding(findings.UNREACHED, who, f"{somebody.name} cannot be reached: {why}", details, Severity.SEV1)

    def _last(self) -> dict[str, Row[Any]]:
        """Return, of each person whom a page did not reach within a day, the last line about whether one did."""
        now = self._station.clock()
        since = now - _A_DAY
        if self._calm_until is not None:
            since = max(since, min(self._calm_until, now) - _OVERLAP)
        with self._station.storage.read() as connection:
            first = connection.execute(_FIRST, {"since": since}).scalar_one_or_none()
            self._calm_until = first or now
            rows = () if first is None else connection.execute(_SINCE, {"first": first}).all()
        return {str(who): row for row in rows for who in row.data.get("assignees") or ()}
