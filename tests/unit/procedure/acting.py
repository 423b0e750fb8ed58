"""Checks the tables about the acting primary: one shift, moment by moment."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from desktop.domain.acting import Escalated, Reply, Shift, acting, new_pages_go_to, offers, override
from desktop.domain.rotation import on_call
from desktop.domain.severity import Severity
from desktop.domain.team import Role, Team
from tests.unit.procedure.checking import Answers, Check
from tests.unit.procedure.document import Table
from tests.unit.procedure.moments import NONE, Wrong, moment
from tests.unit.procedure.severities import severity
from tests.unit.procedure.world import World, named, person, told

HEADER = ("At", "What happens", "Offered the watch", "Acting primary", "New pages go to")


@dataclass
class Night:
    """What is known of one primary's shift so far; an incident counts from when it escalated past the primary."""

    team: Team
    shift: Shift
    paged: tuple[Severity, datetime] | None = None

    @classmethod
    def of(cls, team: Team, at: datetime) -> "Night":
        """Return the shift that the schedule of ``team`` has at ``at``."""
        now = on_call(team, at)
        primary, secondary = now[Role.PRIMARY], now.get(Role.SECONDARY)
        if primary.person is None:
            raise Wrong("there is no primary whom somebody could stand in for")
        shift = Shift(primary.person, secondary.person if secondary else None, primary.end)
        return cls(team, replace(shift, enabled=team.escalation.acting_primary))

    def happens(self, what: str, at: datetime) -> None:
        """Take note of ``what`` happens at ``at``."""
        if what == NONE:
            return
        if found := re.fullmatch(r"a (SEV-\d) pages (\w+)", what):
            self._primary(found[2])
            self.paged = (severity(found[1]), at)
        elif (found := re.fullmatch(r"it escalates past (\w+)", what)) and self.paged is not None:
            self._primary(found[1])
            incident = Escalated(f"I{len(self.shift.incidents)}", self.paged[0], self.paged[1], at)
            self.shift = replace(self.shift, incidents=(*self.shift.incidents, incident))
        elif found := re.fullmatch(r"(\w+) (acknowledges it|says yes|says no|is back|writes a note)", what):
            self._does(person(self.team, found[1]).id, found[2], at)
        else:
            raise Wrong(f'"{what}" is not understood here')

    def _primary(self, name: str) -> None:
        if person(self.team, name).id != self.shift.primary:
            raise Wrong(f"{name} is not the primary")

    def _does(self, who: str, verb: str, at: datetime) -> None:
        if verb in ("says yes", "says no"):
            reply = Reply(who, yes=verb == "says yes", at=at)
            self.shift = replace(self.shift, replies=(*self.shift.replies, reply))
            return
        if who == self.shift.primary:
            self.shift = replace(self.shift, heard=(*self.shift.heard, at))
        if verb == "acknowledges it":
            if not self.shift.incidents:
                raise Wrong("nothing has escalated past the primary yet")
            *others, last = self.shift.incidents
            last = replace(last, acknowledged_by=who, acknowledged_at=at)
            self.shift = replace(self.shift, incidents=(*others, last))


def nights(table: Table, world: World) -> Iterator[Answers]:
    """Yield, for each moment, who is offered the watch, who acts as primary, and who is paged for what is new."""
    given = world.given(table)
    team = given.team()
    given.close()
    night: Night | None = None
    for row, at in told(table, team.time_zone):
        night = night or Night.of(team, at)
        night.happens(row["What happens"], at)
        yes = acting(night.shift, at)
        # After its end the shift is another one's: the schedule says whose.
        paged = new_pages_go_to(night.shift, at) if at < night.shift.end else (on_call(team, at)[Role.PRIMARY].person,)
        yield {
            "Offered the watch": named(team, *(o.person for o in offers(night.shift, at))),
            "Acting primary": named(team, yes.person if yes else None),
            "New pages go to": named(team, *paged),
        }


def with_acting_primary(table: Table, team: Team) -> Team:
    """Return ``team`` with the overrides that were made in the night that ``table`` tells."""
    night = Night.of(team, moment(table.rows[0]["At"], team.time_zone))
    for row, at in told(table, team.time_zone):
        night.happens(row["What happens"], at)
    yeses = (reply for reply in night.shift.replies if acting(night.shift, reply.at) == reply)
    made = tuple(o for reply in yeses if (o := override(night.shift, reply)) is not None)
    return replace(team, overrides=(*team.overrides, *made))


CHECKS = (Check(HEADER, nights, inputs=("At", "What happens")),)
