"""The team as escalation needs it: who holds a role now, the lists of each severity, business hours. Any thread."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from desktop.domain.additions import Additions, merged
from desktop.domain.business import BusinessHours
from desktop.domain.duties import with_certified
from desktop.domain.duty import Mark
from desktop.domain.escalation import Policy, WhoIsOnCall
from desktop.domain.policies import business_hours, policies
from desktop.domain.rotation import on_call, schedule
from desktop.domain.segments import Segment
from desktop.domain.severity import EVENTS_MAP, LABEL_MAP, Mapped, Severity, from_word
from desktop.domain.team import Role, Service, Team
from desktop.server.codec import Frozen, digest, policies_to_json
from desktop.server.companions import Companion
from desktop.server.emergency import identified

DEFAULT_SERVICE = Service(id="default", name="Default service")
# A boundary is looked for at least this often, whatever the rotation says.
_LOOK_AGAIN = timedelta(hours=1)
# Our own names, as whoever writes a script for us uses them.
_OWN_WORDS = {name: severity for severity in Severity for name in (severity.key, severity.label.lower())}
# Paging again must take time, or an unanswered page would never end, and nobody could answer in it.
_SHORTEST = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Moment:
    """What the rules need to know of one instant."""

    now: datetime
    who: WhoIsOnCall
    hours: BusinessHours


class Roster:
    """One team, prepared. Immutable but for a cache; replaced as a whole when it, or who is on call, is changed.

    ``file`` is the team as its file says, ``uncertified`` the same with what people added in the application, ``team``
    that with who was certified by the marks ``certified``. ``beside`` are paged with whoever holds a role, without
    being on call.
    """

    def __init__(
        self,
        file: Team,
        added: Additions | None = None,
        beside: Sequence[Companion] = (),
        certified: Sequence[Mark] = (),
    ) -> None:
        self.file = file
        known = {person.id for person in file.people}
        # What is kept of somebody who left the team pages them no more.
        self.beside = tuple(each for each in beside if each.person in known)
        self.uncertified = merged(file, added or Additions())
        self.team = team = with_certified(self.uncertified, certified) if certified else self.uncertified
        self.hours = business_hours(team)
        self.policies: Frozen = {severity: _ending(policy) for severity, policy in policies(team).items()}
        self.document = policies_to_json(self.policies)
        self.digest = digest(self.document)
        self.services = {s.id: s for s in team.services or (DEFAULT_SERVICE,)}
        self.contacts = identified(team.emergency_contacts, known)
        self._words = {
            **_OWN_WORDS,
            **LABEL_MAP,
            **EVENTS_MAP,
            **{k.lower(): v for k, v in team.severity_words.items()},
        }
        self._shifts: tuple[datetime, datetime, Mapping[Role, Segment]] | None = None
        self._lock = threading.Lock()

    def shifts(self, at: datetime) -> Mapping[Role, Segment]:
        """Return the segment of each role at ``at``."""
        return self._look(at)[2]

    def boundary(self, at: datetime) -> datetime:
        """Return when somebody's shift begins or ends next, at most an hour ahead."""
        return self._look(at)[1]

    def _look(self, at: datetime) -> tuple[datetime, datetime, Mapping[Role, Segment]]:
        """Return the shifts at ``at``, and from when until when they are known to hold."""
        with self._lock:
            if self._shifts is None or not self._shifts[0] <= at < self._shifts[1]:
                ahead = at + _LOOK_AGAIN
                times = [t for s in schedule(self.team, at, ahead) for t in (s.start, s.end) if t > at]
                self._shifts = (at, min([*times, ahead]), on_call(self.team, at))
            return self._shifts

    def zone(self, person: str) -> ZoneInfo:
        """Return the time zone of ``person``: the team's, where they have none of their own."""
        member = self.team.member(person)
        return self.team.time_zone if member is None or member.time_zone is None else member.time_zone

    def holders(self, role: str, at: datetime) -> tuple[str, ...]:
        """Return the ids of those who hold ``role`` at ``at``; the emergency contacts hold the emergency role."""
        segment = self.shifts(at).get(Role(role))
        person = () if segment is None or segment.person is None else (segment.person,)
        return (*person, *self.contacts) if role == Role.EMERGENCY else person

    def paged(self, role: str, at: datetime) -> tuple[str, ...]:
        """Return the ids of those who are paged as ``role`` at ``at``: its holders, then those beside them."""
        beside = (c.person for c in self.beside if c.role == role and (c.ends_at is None or at < c.ends_at))
        return tuple(dict.fromkeys((*self.holders(role, at), *beside)))

    def moment(self, at: datetime, *, by_schedule: bool = False) -> Moment:
        """Return what the rules need to know of ``at``; ``by_schedule``, without those beside the holders of a role."""
        asked = self.holders if by_schedule else self.paged
        return Moment(at, lambda role: asked(role, at), self.hours)

    def severity(self, service_id: str, word: object) -> Mapped:
        """Return the severity of an event that names ``word``; a service's own overrides all."""
        service = self.services.get(service_id)
        if service is not None and service.severity is not None:
            return Mapped(service.severity)
        return from_word(word, self._words)


def steps_to_level(policy: Policy) -> tuple[int, ...]:
    """Return, for each level as PagerDuty counts them, how many steps it covers: equal times are one level."""
    times = sorted({step.after for step in policy.steps})
    return tuple(sum(step.after <= after for step in policy.steps) for after in times)


def _ending(policy: Policy) -> Policy:
    return replace(policy, page_again=max(policy.page_again, _SHORTEST))
