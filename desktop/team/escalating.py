"""The parts of a team file about severities and escalation. Any thread."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from desktop.domain.escalation import MAX_REPEATS, Step
from desktop.domain.severity import DEFAULT_TARGETS, Severity, Targets
from desktop.domain.team import EscalationRules, Role
from desktop.team import times, words
from desktop.team.reader import Table
from desktop.team.words import Wrong

# A shadow gets silent copies and never escalations (design, section 3, "Duties").
_role = words.member_of(Role, "role that can be paged", but=(Role.SHADOW,))


def targets(severity: Table) -> Mapping[Severity, Targets]:
    """Return ``[severity.sevN]``: the targets of all severities, the usual ones where the file says nothing."""
    found = {}
    for each in Severity:
        usual = DEFAULT_TARGETS[each]
        with severity.table(each.key) as table:
            acknowledge = table.get("acknowledge", times.target) or usual.acknowledge
            resolve = table.get("resolve", times.positive) or max(usual.resolve, acknowledge)
            if resolve < acknowledge:
                table.wrong("resolve", "comes before the target to acknowledge.")
        found[each] = Targets(acknowledge, resolve)
    return MappingProxyType(found)


def severity_words(severity: Table) -> Mapping[str, Severity]:
    """Return ``[severity.words]``: what other systems call a severity, in lower case, over both usual maps."""
    found: dict[str, Severity] = {}
    seen: set[str] = set()
    with severity.table("words") as table:
        for word in table.names():
            level = table.get(word, partial(_level_of, word.strip().lower(), seen))
            if level is not None:
                found[word.strip().lower()] = level
    return MappingProxyType(found)


def _level_of(word: str, seen: set[str], value: object) -> Severity:
    """Return the severity ``value`` of ``word``, which stands once: capitals make no other word."""
    if not word:
        raise Wrong("is no word: leave it out.")
    if word in seen:
        raise Wrong("stands twice: capitals make no difference here.")
    seen.add(word)
    return words.severity(value)


def escalation(top: Table) -> EscalationRules:
    """Return ``[escalation]``; what the file does not say stays None and means the default.

    ``repeat`` and ``acknowledge_timeout`` hold for every severity, those that have steps of their own too.
    """
    with top.table("escalation") as table:
        return EscalationRules(
            steps=_steps(table),
            steps_by_severity=_steps_by_severity(table),
            repeat=table.get("repeat", words.whole(0, MAX_REPEATS)),
            acknowledge_timeout=table.get("acknowledge_timeout", times.duration),
            acting_primary=table.get("acting_primary", words.flag) is not False,
        )


def _steps_by_severity(escalation_table: Table) -> Mapping[Severity, tuple[Step, ...]]:
    found = {}
    for severity in Severity:
        with escalation_table.table(severity.key) as table:
            steps = _steps(table)
            if table.given and not table.has("steps"):
                table.wrong("", f"has no steps: write [[escalation.{severity.key}.steps]].")
        if steps:
            found[severity] = steps
    return MappingProxyType(found)


def _steps(table: Table) -> tuple[Step, ...] | None:
    """Return the steps of ``table`` in order, None when it has none of its own."""
    steps: list[Step] = []
    for each in table.tables("steps"):
        step = _step(each)
        if step is not None and steps and step.after < steps[-1].after:
            each.wrong("after", "comes before the step above it: write the steps in order.")
        if step is not None:
            steps.append(step)
    if table.has("steps") and table.lacks("steps"):
        table.wrong("steps", "names no step: nobody would be paged.")
    return tuple(steps) or None


def _step(table: Table) -> Step | None:
    after = table.need("after", times.duration)
    roles = table.each("roles", _role)
    hours = table.get("hours", words.one_of(("business",), "kind of hours"))
    if table.lacks("roles"):
        table.wrong("roles", 'names no role: write for example ["primary"].')
    if after is None or not roles:
        return None
    return Step(after, tuple(str(role) for role in dict.fromkeys(roles)), business=hours is not None)
