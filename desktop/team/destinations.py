"""Where a team file has messages sent: whether each address that it writes out can be used, and who has none. Pure."""

from collections.abc import Callable, Iterator
from typing import Protocol

from desktop.domain.errors import Problem, TeamFileError
from desktop.domain.team import Contact, Member, Team
from desktop.team import addresses, document, references
from desktop.team.document import Document
from desktop.team.positions import Path
from desktop.team.reader import Mistakes
from desktop.team.schemas import SCHEMAS

_NAMED = 20
_PRIVATE = "is of this machine or a private network: it is only sent to with --allow-private-channels."


class Checked(Protocol):
    """What is known of an address: its ``fault``, in words that do not repeat it, and whether it is ``private``."""

    @property
    def fault(self) -> str:
        """Why nothing can ever be sent there; nothing when it can."""

    @property
    def private(self) -> bool:
        """Whether it is of this machine or its network."""


def check(text: str, source: str, look: Callable[[str], Checked]) -> tuple[Problem, ...]:
    """Return what is worth a note about the addresses in the team file ``text``, as ``look`` finds each.

    Raises ``TeamFileError`` with every one that cannot be used. References to secrets are not resolved. The file is one
    that ``parse`` took: what it warned of already is not said again.
    """
    read = document.read(text, source)
    mistakes = Mistakes(read)
    for path, address in _written_out(read):
        found = look(address)
        if found.fault:
            mistakes.add(path, f"cannot be used: {found.fault}")
        elif found.private:
            mistakes.warn(path, _PRIVATE)
    if mistakes.found:
        raise TeamFileError(mistakes.found)
    return mistakes.warnings


def without(team: Team) -> tuple[str, ...]:
    """Return who of ``team`` has no address, in sentences; nothing when everybody has one."""
    found = []
    if people := [p for p in team.people if not p.notify]:
        found.append(f"no address (notify) of {_names(people)}: only Watchbell where they work can show them a page.")
    if contacts := [c for c in team.emergency_contacts if not c.notify]:
        found.append(f"no address (notify) of {_names(contacts)} among the emergency contacts: no page reaches them.")
    return tuple(found)


def _names(people: list[Member] | list[Contact]) -> str:
    named = ", ".join(one.name for one in people[:_NAMED])
    return f"{named} and {len(people) - _NAMED} more" if len(people) > _NAMED else named


def _written_out(read: Document) -> Iterator[tuple[Path, str]]:
    """Yield the place of every address that is no reference, of a kind that messages are sent to."""
    channels = read.data.get("channels")
    team = channels.get("incidents") if isinstance(channels, dict) else None
    for path, value in (*references.notified(read), (("channels", "incidents"), team)):
        if isinstance(value, str) and not addresses.is_reference(value) and value.partition(":")[0].lower() in SCHEMAS:
            yield path, value
