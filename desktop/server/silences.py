"""The acting primary: who is silent, who is offered the watch, who acts, until when. On any thread; the writer writes.

A *silence* lasts from when something grave escalated past the primary until they are heard of, or their shift ends.
What it means is asked of ``domain.acting`` each time, of what the rows say (``silence_rows``). The schedule follows
from that: a yes makes an override, and the end of acting ends it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from desktop.domain.acting import Reply, Shift, acting, ends_at, new_pages_go_to, offers, override, silent
from desktop.domain.additions import merged
from desktop.domain.rotation import on_call
from desktop.domain.team import Role
from desktop.server import additions, audit, changes, companions, overrides, silence_rows
from desktop.server.audit import By
from desktop.server.companions import Companion
from desktop.server.failures import not_found
from desktop.server.handover_refusals import conflict
from desktop.server.records import ENGINE
from desktop.server.rights import forbidden
from desktop.server.silence_rows import MOST, OPEN, AnyRow, Silence
from desktop.server.station import Station
from desktop.server.tables import handovers as tables
from desktop.server.things import instant
from desktop.server.writer import Work

Json = dict[str, Any]

_passes, _silences, _replies = tables.passes, tables.silences, tables.silence_replies


def look_into(station: Station, work: Work) -> int:
    """Look whether what just escalated escalated past the primary; return how much of it there was."""
    connection, now = work.connection, station.clock()
    asked = select(_passes).where(_passes.c.next_action_at <= now).order_by(_passes.c.next_action_at).limit(MOST)
    due = connection.execute(asked.with_for_update(skip_locked=True)).all()
    if not due:
        return 0
    connection.execute(update(_passes).where(_passes.c.id.in_([p.id for p in due])).values(next_action_at=None))
    if station.roster.file.escalation.acting_primary:
        _begin(station, connection, due, now)
    return len(due)


def settle(station: Station, work: Work) -> bool:
    """Let the schedule be what the open silences say by now; tell whether there are any."""
    rows = work.connection.execute(OPEN.with_for_update(skip_locked=True)).all()
    for row in rows:
        _settle(work.connection, silence_rows.read(station, work.connection, row), station.clock())
    return bool(rows)


def pending(connection: Connection, now: datetime) -> bool:
    """Tell whether there is anything to look into or to settle."""
    due = select(_passes.c.id).where(_passes.c.next_action_at <= now).limit(1)
    return connection.execute(due).first() is not None or connection.execute(OPEN.limit(1)).first() is not None


def reply(station: Station, by: By, person: str, *, yes: bool) -> None:
    """Let ``person`` answer what they are offered; a yes makes them primary. Saying it twice changes nothing."""

    def command(work: Work) -> None:
        connection, now = work.connection, station.clock()
        found = [silence_rows.read(station, connection, row) for row in connection.execute(OPEN.with_for_update())]
        said = next((s for s in found if any(o.person == person for o in offers(s.shift, now))), None)
        if said is None:
            if not any(_has_said(s.shift, person, now, yes=yes) for s in found):
                raise conflict(_why_not(found, now))
            return
        _answer(connection, said, Reply(person, yes, now))
        audit.note(connection, by, f"acting.{'accept' if yes else 'decline'}", f"silence:{said.row.id}", now)
        _settle(connection, silence_rows.read(station, connection, said.row), now)

    _write(station, command)


def back(station: Station, by: By, person: str) -> None:
    """Let the primary say that they are back: whoever acts stops at once, and nobody is offered the watch any more."""

    def command(work: Work) -> None:
        connection, now = work.connection, station.clock()
        rows = connection.execute(OPEN.with_for_update()).all()
        if not rows:
            raise not_found("primary who is silent")
        mine = next((row for row in rows if row.primary_id == person), None)
        if mine is None:
            raise forbidden("only the primary whose shift it is can say that they are back")
        audit.note(connection, by, "acting.back", f"silence:{mine.id}", now)
        _settle(connection, silence_rows.read(station, connection, mine), now)

    _write(station, command)


def shown(station: Station, connection: Connection) -> list[Json]:
    """Return the open silences as they stand now: ids and instants."""
    now = station.clock()
    found = [silence_rows.read(station, connection, row) for row in connection.execute(OPEN)]
    return [{"id": s.row.id, "version": s.row.version, **_picture(s, now)} for s in found]


def since(connection: Connection, version: int) -> list[AnyRow]:
    """Return the silences that changed after ``version``, in order."""
    asked = select(_silences).where(_silences.c.version > version).order_by(_silences.c.version)
    return list(connection.execute(asked))


def _write(station: Station, command: Any) -> None:  # noqa: ANN401 - a command of the writer
    station.refresh()
    station.writer.run(command)
    station.refresh()
    station.announce()


def _begin(station: Station, connection: Connection, due: Sequence[AnyRow], now: datetime) -> None:
    open_ones = {row.primary_id for row in connection.execute(OPEN)}
    team = merged(station.roster.file, additions.read(connection, without=silence_rows.all_made(connection)))
    for passed in due:
        segment = on_call(team, passed.passed_at).get(Role.PRIMARY)
        primary = None if segment is None or segment.end <= now else segment.person
        if primary is None or primary not in passed.people or primary in open_ones:
            continue
        open_ones.add(primary)
        row = {"primary_id": primary, "paged_at": passed.paged_at, "passed_at": passed.passed_at}
        # Told of once it is settled, which gives it its number.
        connection.execute(insert(_silences).values(**row, version=0, shown={}))


def _settle(connection: Connection, found: Silence, now: datetime) -> None:
    """Make the override, those beside the primary, and what was told, what the rules say."""
    shift = found.shift
    yes = acting(shift, now)
    for override_id, said in found.made.items():
        if said != yes:
            _stop(connection, override_id, now)
    waiting = yes is None and bool(silent(shift, now))
    beside = new_pages_go_to(shift, now) if waiting else ()
    wanted = [Companion(Role.PRIMARY, p, shift.end) for p in beside if p != shift.primary]
    companions.keep(connection, f"silence:{found.row.id}", wanted)
    over = now >= shift.end or (yes is None and not waiting)
    picture = _picture(found, now) | ({"over": True} if over else {})
    if picture != found.row.shown:
        values = {"shown": picture, "version": changes.advance(connection), "ended_at": now if over else None}
        connection.execute(update(_silences).where(_silences.c.id == found.row.id).values(**values))


def _stop(connection: Connection, override_id: str, now: datetime) -> None:
    """End the override by which somebody acted, unless it is past: what was is not changed."""
    kept = overrides.find(connection, Role.PRIMARY, override_id)
    if kept is None or kept.override.end <= now:
        return
    overrides.end(connection, override_id, max(now, kept.override.start))
    was, ends = instant(kept.override.end), instant(now)
    audit.note(connection, By(ENGINE), "override.end", f"override:{override_id}", now, {"end": was}, {"end": ends})


def _answer(connection: Connection, found: Silence, said: Reply) -> None:
    """Write what was said, and with a yes the override on the primary's schedule."""
    made = override(replace(found.shift, replies=(*found.shift.replies, said)), said)
    kept = None
    if made is not None:
        (kept,) = overrides.add(connection, [made], f"person:{said.person}", said.at)
        after = {"role": made.role.value, "person": made.person, "start": instant(made.start), "end": instant(made.end)}
        audit.note(connection, By(ENGINE), "override.create", f"override:{kept.id}", said.at, after=after)
    number = select(func.count()).where(_replies.c.silence_id == found.row.id)
    row = {
        "silence_id": found.row.id,
        "number": connection.execute(number).scalar_one() + 1,
        "person_id": said.person,
        "yes": said.yes,
        "at": said.at,
        "override_id": None if kept is None else kept.id,
    }
    connection.execute(insert(_replies).values(row))


def _picture(found: Silence, now: datetime) -> Json:
    shift = found.shift
    yes = acting(shift, now)
    return {
        "primary": shift.primary,
        "until": instant(shift.end),
        "silent": bool(silent(shift, now)),
        "offers": [{"person": o.person, "incident": o.incident, "until": instant(o.until)} for o in offers(shift, now)],
        "acting": None
        if yes is None
        else {"person": yes.person, "since": instant(yes.at), "until": instant(ends_at(shift, yes))},
        "new_pages_go_to": list(new_pages_go_to(shift, now)),
    }


def _has_said(shift: Shift, person: str, now: datetime, *, yes: bool) -> bool:
    """Tell whether ``person`` acts already (``yes``), or said no last."""
    if yes:
        actor = acting(shift, now)
        return actor is not None and actor.person == person
    said = [r for r in shift.replies if r.person == person]
    return bool(said) and not said[-1].yes


def _why_not(found: Sequence[Silence], now: datetime) -> str:
    actor = next((yes.person for s in found if (yes := acting(s.shift, now)) is not None), None)
    return "you are offered no watch: " + ("nobody is silent" if actor is None else f"{actor} acts as primary")
