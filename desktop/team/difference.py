"""What is different when one team takes the place of another, in plain lines. Pure; any thread.

Addresses and references to secrets are never told, only that they changed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from desktop.domain.escalation import Policy, Step
from desktop.domain.policies import policy
from desktop.domain.severity import Severity
from desktop.domain.team import Absence, Contact, Every, Override, Role, Rotation, Team, Week
from desktop.team.relief import name

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Of one kind of thing, this many lines are told.
_MOST = 20
_UNTOLD = frozenset({"notify", "integration_key", "email", "phone"})


def differences(old: Team, new: Team) -> tuple[str, ...]:
    """Return what is different in ``new``, a line for each thing, in the order of a team file."""
    return (
        *_value("time_zone", old.time_zone, new.time_zone),
        *_few("people", _keyed({p.id: p for p in old.people}, {p.id: p for p in new.people})),
        *_rotations(old, new),
        *_listed("weeks", (_week(old, w) for w in old.weeks), (_week(new, w) for w in new.weeks)),
        *_listed("holidays", _holidays(old), _holidays(new)),
        *_listed("absences", (_absence(old, a) for a in old.absences), (_absence(new, a) for a in new.absences)),
        *_listed("overrides", (_override(old, o) for o in old.overrides), (_override(new, o) for o in new.overrides)),
        *_escalations(old, new),
        *_few("emergency_contacts", _keyed(_contacts(old.emergency_contacts), _contacts(new.emergency_contacts))),
        *_few("contacts", _keyed(_contacts(old.contacts), _contacts(new.contacts))),
        *_few("services", _keyed({s.id: s for s in old.services}, {s.id: s for s in new.services})),
        *_few("access_checks", _keyed({c.name: c for c in old.access_checks}, {c.name: c for c in new.access_checks})),
        *(f"channels.{key}: changed" for key in _other_values(old.channels, new.channels)),
    )


def _contacts(contacts: Iterable[Contact]) -> "dict[str, DataclassInstance]":
    """Return contacts by name; of several that have one name, the later ones are numbered."""
    found: dict[str, DataclassInstance] = {}
    seen: Counter[str] = Counter()
    for contact in contacts:
        seen[contact.name] += 1
        number = seen[contact.name]
        found[contact.name if number == 1 else f"{contact.name} ({number})"] = contact
    return found


def _keyed(old: "Mapping[str, DataclassInstance]", new: "Mapping[str, DataclassInstance]") -> Iterator[str]:
    yield from (f"{_called(key, thing)} is gone" for key, thing in old.items() if key not in new)
    for key, thing in new.items():
        if key not in old:
            yield f"{_called(key, thing)} is new"
        elif thing != old[key]:
            yield f"{_called(key, thing)}: {'; '.join(_changed(old[key], thing))}"


def _called(key: str, thing: "DataclassInstance") -> str:
    called = getattr(thing, "name", key)
    return key if key.startswith(called) else f"{called} ({key})"


def _changed(old: "DataclassInstance", new: "DataclassInstance") -> Iterator[str]:
    for field in fields(new):
        was, now = getattr(old, field.name), getattr(new, field.name)
        if was == now:
            continue
        if field.name in _UNTOLD:
            yield f"{field.name} changed"
        else:
            yield f"{field.name} {_shown(now)} instead of {_shown(was)}"


def _rotations(old: Team, new: Team) -> Iterator[str]:
    for role in Role:
        was, now = _rotation(old, role), _rotation(new, role)
        if was is None or now is None:
            yield from _value(f"rotation.{role.value}", was and was["members"], now and now["members"])
        else:
            for key in now:
                yield from _value(f"rotation.{role.value}.{key}", was[key], now[key])


def _rotation(team: Team, role: Role) -> dict[str, str] | None:
    rotation: Rotation | None = team.rotations.get(role)
    if rotation is None:
        return None
    members = tuple(name(team, person) for person in rotation.members)
    return {"members": _shown(members), "start": _shown(rotation.start), "every": _shown(rotation.every)}


def _escalations(old: Team, new: Team) -> Iterator[str]:
    for severity in Severity:
        yield from _value(f"escalation.{severity.key}", _plan(policy(old, severity)), _plan(policy(new, severity)))
        for key in ("acknowledge", "resolve"):
            was, now = (getattr(team.targets.get(severity), key, None) for team in (old, new))
            yield from _value(f"severity.{severity.key}.{key}", was, now)
    yield from _value("escalation.acting_primary", old.escalation.acting_primary, new.escalation.acting_primary)
    for word in _other_values(old.severity_words, new.severity_words):
        yield from _value(f"severity.words.{word}", old.severity_words.get(word), new.severity_words.get(word))


def _plan(plan: Policy) -> str:
    holds = "for ever" if plan.acknowledge_timeout is None else _span(plan.acknowledge_timeout)
    steps = ", ".join(_step(step) for step in plan.steps)
    return f"{steps}, {plan.repeats} repeats, an acknowledgement holds {holds}"


def _step(step: Step) -> str:
    hours = " in business hours" if step.business else ""
    return f"{' and '.join(step.roles)} {f'after {_span(step.after)}' if step.after else 'at once'}{hours}"


def _week(team: Team, week: Week) -> str:
    return f"{week.start}: {', '.join(f'{role.value} {name(team, person)}' for role, person in week.people.items())}"


def _holidays(team: Team) -> Iterator[str]:
    return (f"{day}: {called}" for day, called in sorted(team.holidays.items()))


def _absence(team: Team, absence: Absence) -> str:
    cover = "" if absence.cover is None else f", covered by {name(team, absence.cover)}"
    announced = "" if absence.announced is None else f", announced {absence.announced}"
    return f"{name(team, absence.person)} {_shown(absence.start)} – {_shown(absence.end)}{cover}{announced}"


def _override(team: Team, override: Override) -> str:
    reason = f": {override.reason}" if override.reason else ""
    span = f"{_shown(override.start)} – {_shown(override.end)}"
    return f"{override.role.value} {name(team, override.person)} {span}{reason}"


def _listed(area: str, old: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    """Tell what is in only one of two lists; where they hold the same, whether it stands in another order."""
    was, now = list(old), list(new)
    gone, added = Counter(was) - Counter(now), Counter(now) - Counter(was)
    if was != now and not gone and not added:
        yield f"{area}: in another order"
    yield from _few(area, (*(f"{line} is gone" for line in gone), *(f"{line} is new" for line in added)))


def _few(area: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    # One line more is no longer than the line that would say so.
    most = _MOST if len(found) > _MOST + 1 else len(found)
    yield from (f"{area}: {line}" for line in found[:most])
    if len(found) > most:
        yield f"{area}: {len(found) - most} more"


def _value(area: str, old: object, new: object) -> Iterator[str]:
    if old != new:
        yield f"{area}: {_shown(new)} instead of {_shown(old)}"


def _other_values(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return [key for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]


def _shown(value: object) -> str:
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, timedelta):
        return _span(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    return _word(value)


def _word(value: object) -> str:
    if isinstance(value, Severity):
        return value.label
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Every):
        return f"{value.count} {value.unit.value if value.count > 1 else value.unit.value.removesuffix('s')}"
    if isinstance(value, ZoneInfo):
        return value.key
    return str(value.value) if isinstance(value, Enum) else str(value)


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
