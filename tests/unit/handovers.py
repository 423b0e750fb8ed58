"""One night and its people, for the tests of the emergency handover."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from desktop.domain.handover_actions import (
    Action,
    AddNote,
    AskAsker,
    Close,
    CreateOverride,
    Delegate,
    PagePerson,
    ReadBack,
    RecordAbsence,
    Remind,
    Tell,
)
from desktop.domain.handover_facts import Handover, Held, Kind
from desktop.domain.handover_request import Around, Wish, request
from desktop.domain.segments import Segment, Why
from desktop.domain.team import Access, Member, Role

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = datetime(2026, 1, 7, 3, 0, tzinfo=UTC)  # a Wednesday, three in the morning
HOLIDAY, MONDAY = START + 12 * HOUR, START + 24 * HOUR

ANA, BEN, CHO = Member("ana", "Ana"), Member("ben", "Ben", certified=True), Member("cho", "Cho", certified=False)
DORA = Member("dora", "Dora", access=Access.MANAGER)
PEOPLE = {p.id: p for p in (ANA, BEN, CHO, DORA)}


def segment(role: Role, person: str | None, start: datetime, end: datetime, why: Why = Why.ROTATION) -> Segment:
    return Segment(role, person, start, end, why)


# Ana has the watch for a day, in two segments, and another one after Ben's.
SEGMENTS = (
    segment(Role.PRIMARY, "ana", START - HOUR, HOLIDAY),
    segment(Role.PRIMARY, "ana", HOLIDAY, MONDAY, Why.HOLIDAY),
    segment(Role.PRIMARY, "ben", MONDAY, MONDAY + 24 * HOUR),
    segment(Role.PRIMARY, "ana", MONDAY + 24 * HOUR, MONDAY + 48 * HOUR),
    segment(Role.SECONDARY, "ben", START - HOUR, MONDAY),
    segment(Role.SECONDARY, "cho", MONDAY, MONDAY + 48 * HOUR),
    segment(Role.MANAGER, "dora", START - HOUR, MONDAY + 48 * HOUR),
)
AROUND = Around(("ben", "cho", "dora"), SEGMENTS, until=MONDAY, managers=("dora",))
INCIDENTS = (Held("I1", "sev0", ("ana",)), Held("I2", "sev1", ("ana", "dora")))


def asked(kind: Kind = Kind.ASK, asker: Member = ANA, *, auto_next: bool = True, stays: bool = False) -> Handover:
    """Return a handover of Ana's watch, asked for at ``START``."""
    wish = Wish("H1", kind, ANA, asker, "fever", auto_next=auto_next, stays_available=stays)
    return request(wish, AROUND, START)


_NAMES: dict[type[Action], Callable[..., str]] = {
    PagePerson: lambda a: f"page {a.person}",
    AskAsker: lambda a: f"ask {a.asker} about {a.person}",
    Remind: lambda a: f"remind {', '.join(a.people)} of {a.receiver}",
    CreateOverride: lambda a: f"override {a.override.role} {a.override.person}",
    RecordAbsence: lambda a: f"absence {a.absence.person}",
    AddNote: lambda a: f"note {a.incident}",
    Delegate: lambda a: f"delegate {a.incident} to {a.receiver}",
    ReadBack: lambda a: "read back",
    Close: lambda a: f"close: {a.state}",
    Tell: lambda a: f"tell {', '.join(a.people)}: {a.state}",
}


def named(action: Action) -> str:
    """Say in a few words what ``action`` does."""
    return _NAMES[type(action)](action)
