"""Whether messages can be sent to the addresses of the team at all, before one has to be. On the keeper's thread.

Each is looked at as its sender would, also those from the environment and the keyring: with every team, and every hour
after. What is said names the person and which of their addresses it is, never the address.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from desktop.server import findings, places
from desktop.server.findings import Finding
from desktop.server.station import Station

if TYPE_CHECKING:
    from desktop.domain.team import Team

_LOOK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Place:
    """The ``number``-th address of ``recipient``, of ``many``; ``name`` is how people call them."""

    recipient: str
    name: str
    number: int
    many: int
    entry: str

    def __str__(self) -> str:
        return f"The address of {self.name}" if self.many == 1 else f"Address {self.number} of {self.name}"


class Addresses:
    """``wrong`` may be asked as often as one likes: it looks only where something may have changed.

    ``allow_private`` tells whether messages may go to machines of this network.
    """

    def __init__(self, station: Station, allow_private: Callable[[], bool]) -> None:
        self._station = station
        self._allow_private = allow_private
        self._looked: tuple[datetime, Team] | None = None
        self._found: list[Finding] = []

    def wrong(self) -> list[Finding]:
        """Return what says of each address that cannot work why that is."""
        now, team = self._station.clock(), self._station.roster.file
        known = self._looked
        if known is None or known[1] is not team or abs(now - known[0]) >= _LOOK_AGAIN:
            self._found, self._looked = list(self._look()), (now, team)
        return self._found

    def _look(self) -> Iterator[Finding]:
        locked = False
        for place in self._places():
            keyring = place.entry.startswith("keyring:")
            if locked and keyring:
                # One that does not answer is asked once: others wait for this thread.
                continue
            fault, final = self._fault(place)
            locked = locked or (keyring and not final)
            if fault:
                yield self._finding(place, fault)

    def _fault(self, place: _Place) -> tuple[str, bool]:
        """Return why an address cannot work (nothing: it can), and whether that is sure to stay so."""
        # Apprise comes with it: a team without addresses never pays for that.
        from desktop.channels import checking  # noqa: PLC0415

        station = self._station
        try:
            address = places.resolve(station.storage, station.roster, place.recipient, places.digest_of(place.entry))
        except places.Unknown as error:
            return error.reason, not error.retry
        checked = checking.check(address)
        private = checked.private and not self._allow_private()
        return checked.fault or (checking.PRIVATE if private else ""), True

    def _finding(self, place: _Place, fault: str) -> Finding:
        details = {
            "recipient": place.recipient,
            "position": place.number,
            "error": fault,
            "meaning": "No message will arrive there.",
            "mend": "Correct the address in the team file, or where the server's environment or keyring holds it.",
        }
        key = f"{places.digest_of(place.entry)} {place.recipient}"
        return Finding(findings.ADDRESS, key, f"{place} cannot work: {fault}", details)

    def _places(self) -> Iterator[_Place]:
        roster = self._station.roster
        people = [(p.id, p.name, p.notify) for p in roster.team.people]
        people += [(contact_id, c.name, c.notify) for contact_id, c in roster.contacts.items()]
        for who, name, entries in people:
            for number, entry in enumerate(entries, 1):
                yield _Place(f"{places.PERSON}{who}", name, number, len(entries), entry)
        if "incidents" in roster.team.channels:
            entry = roster.team.channels["incidents"]
            yield _Place(f"{places.CHANNEL}incidents", "the channel incidents", 1, 1, entry)
