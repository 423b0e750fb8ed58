"""Where an action of an emergency handover happens. Values only, on the writer's thread."""

from dataclasses import dataclass
from datetime import datetime

from desktop.domain import handover_facts
from desktop.domain.handover_facts import Handover
from desktop.domain.team import Role
from desktop.server.station import Station
from desktop.server.writer import Work


@dataclass(frozen=True, slots=True)
class Scene:
    """The handover's ``facts``, read in the transaction of ``work``, at ``now``.

    ``leaves`` are the roles that the schedule leaves who gives the watch, None where they have not been read.
    """

    station: Station
    work: Work
    facts: Handover
    now: datetime
    leaves: frozenset[Role] | None = None

    @property
    def receiver(self) -> str:
        """Whose yes holds; to be asked only while somebody's does."""
        return handover_facts.receiver(self.facts) or self.facts.asker
