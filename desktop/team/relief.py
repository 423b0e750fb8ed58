"""Who else would be on call when one team takes the place of another. Pure; any thread."""

from dataclasses import dataclass
from datetime import datetime

from desktop.domain.rotation import on_call
from desktop.domain.team import Role, Team


@dataclass(frozen=True, slots=True)
class Relief:
    """At one instant ``after`` would have ``role`` instead of ``before`` (people's ids; None: nobody)."""

    role: Role
    before: str | None
    after: str | None


def reliefs(old: Team, new: Team, at: datetime) -> tuple[Relief, ...]:
    """Return every role that somebody else would have at the instant ``at``, in the order of ``Role``.

    A shadow is not on call: it gets copies only.
    """
    before, after = on_call(old, at), on_call(new, at)
    found = []
    for role in Role:
        was, would = (held[role].person if role in held else None for held in (before, after))
        if was != would and role is not Role.SHADOW:
            found.append(Relief(role, was, would))
    return tuple(found)


def say(relief: Relief, old: Team, new: Team) -> str:
    """Return ``relief`` as a sentence without its full stop, in the names of the two teams."""
    who = "nobody" if relief.after is None else name(new, relief.after)
    if relief.before is None:
        return f"{who} would be {relief.role.value} at this moment, where nobody is"
    return f"{who} would be {relief.role.value} instead of {name(old, relief.before)} at this moment"


def name(team: Team, person: str) -> str:
    """Return the name of ``person``, the id where ``team`` does not know it."""
    found = team.member(person)
    return person if found is None else found.name
