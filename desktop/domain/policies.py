"""How a team escalates each severity: what its file says, over the rules of design section 3. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from desktop.domain.business import BusinessHours
from desktop.domain.escalation import Policy, default_policy
from desktop.domain.severity import DEFAULT_TARGETS, Severity
from desktop.domain.team import Team

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Level:
    """One rule of an escalation policy as PagerDuty has it: ``roles`` hold it, ``delay_minutes`` until the next."""

    roles: tuple[str, ...]
    delay_minutes: int


def business_hours(team: Team) -> BusinessHours:
    """Return the hours that the team's steps of business hours wait for."""
    return BusinessHours(team.time_zone, frozenset(team.holidays))


def policy(team: Team, severity: Severity) -> Policy:
    """Return the policy that an incident of ``severity`` is born with.

    A severity's own steps come first, then the team's steps for all, then the default. ``repeat`` and
    ``acknowledge_timeout``, where given, hold for every severity; a timeout of zero lets an acknowledgement hold for
    ever.
    """
    rules = team.escalation
    usual = default_policy(severity, team.targets.get(severity, DEFAULT_TARGETS[severity]))
    timeout = usual.acknowledge_timeout if rules.acknowledge_timeout is None else rules.acknowledge_timeout
    return Policy(
        steps=rules.steps_by_severity.get(severity) or rules.steps or usual.steps,
        page_again=usual.page_again,
        repeats=usual.repeats if rules.repeat is None else rules.repeat,
        acknowledge_timeout=timeout or None,
        resolve=usual.resolve,
    )


def policies(team: Team) -> dict[Severity, Policy]:
    """Return the policy of every severity."""
    return {severity: policy(team, severity) for severity in Severity}


def levels(policy: Policy) -> tuple[Level, ...]:
    """Return ``policy`` as the rules of a PagerDuty escalation policy (design, section 6).

    PagerDuty's escalation replaces those assigned where ours adds, so rule n holds the roles of steps 1 to n. Steps at
    the same time are one rule; delays are rounded up to whole minutes, and the last one is that before a new round.
    A first step that does not come at once cannot be said in PagerDuty's terms: its wait is left out.
    """
    times = sorted({step.after for step in policy.steps})
    found = []
    for place, after in enumerate(times):
        roles = dict.fromkeys(role for step in policy.steps if step.after <= after for role in step.roles)
        delay = times[place + 1] - after if place + 1 < len(times) else policy.page_again
        found.append(Level(tuple(roles), max(-(-delay // _MINUTE), 1)))
    return tuple(found)
