"""Maintenance windows: their rows, and until when a service is in one. On a connection, any thread.

Each change of them makes a revision of the team (``additions``), by which every server takes it up.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, delete, insert, select, update

from desktop.server import additions
from desktop.server.tables.promises import maintenance_services, maintenance_windows

_windows, _services = maintenance_windows.c, maintenance_services.c


@dataclass(frozen=True, slots=True)
class Window:
    """``services`` are under maintenance within ``[start, end)``; ``number`` tells in which order windows were made."""

    id: str
    number: int
    start: datetime
    end: datetime
    description: str
    services: tuple[str, ...]
    created_at: datetime
    created_by: str


_ALL = select(maintenance_windows).order_by(_windows.starts_at, _windows.number)
# Whoever changes one of these waits for the transaction that asked, and finds the incidents that it held back.
_NOW_ON: Select[tuple[object, ...]] = (
    select(maintenance_windows)
    .where(_windows.id.in_(select(_services.window_id).where(_services.service_id == bindparam("service"))))
    .where(_windows.ends_at > bindparam("now"))
    .with_for_update(read=True)
)


def covered_until(windows: Collection[Window], service: str, at: datetime) -> datetime | None:
    """Return when the maintenance of ``service`` ends that goes on ``at``; windows that follow at once count as one."""
    ends = None
    reached = at
    while following := [w.end for w in windows if service in w.services and w.start <= reached < w.end]:
        ends = reached = max(following)
    return ends


def ahead(connection: Connection, now: datetime) -> tuple[Window, ...]:
    """Return the windows that are not over."""
    return tuple(_read(connection, _ALL.where(_windows.ends_at > now)))


def holding(connection: Connection, service: str, now: datetime) -> list[Window]:
    """Return the windows of ``service`` that are not over, which nobody can change before this transaction ends."""
    return _read(connection, _NOW_ON, service=service, now=now)


def every(connection: Connection) -> list[Window]:
    """Return all windows there ever were, by time."""
    return _read(connection, _ALL)


def find(connection: Connection, name: str, *, lock: bool = False) -> Window | None:
    """Return the window called ``name``, None when there is none; with ``lock``, nobody else changes it meanwhile."""
    asked = _ALL.where(_windows.id == name)
    return next(iter(_read(connection, asked.with_for_update() if lock else asked)), None)


def add(connection: Connection, window: Window) -> Window:
    """Keep a new window and return it with its number."""
    made = replace(window, number=additions.advance(connection))
    connection.execute(insert(maintenance_windows).values({**_row(made), "id": made.id, "number": made.number}))
    _write_services(connection, made)
    return made


def change(connection: Connection, window: Window) -> None:
    """Write a known window anew."""
    connection.execute(update(maintenance_windows).where(_windows.id == window.id).values(_row(window)))
    connection.execute(delete(maintenance_services).where(_services.window_id == window.id))
    _write_services(connection, window)
    additions.advance(connection)


def remove(connection: Connection, name: str) -> None:
    """Take back a window that has not begun."""
    connection.execute(delete(maintenance_services).where(_services.window_id == name))
    connection.execute(delete(maintenance_windows).where(_windows.id == name))
    additions.advance(connection)


def _write_services(connection: Connection, window: Window) -> None:
    rows = [{"window_id": window.id, "service_id": service} for service in window.services]
    connection.execute(insert(maintenance_services), rows)


def _row(window: Window) -> dict[str, object]:
    return {
        "starts_at": window.start,
        "ends_at": window.end,
        "description": window.description,
        "created_at": window.created_at,
        "created_by": window.created_by,
    }


def _read(connection: Connection, asked: Select[tuple[object, ...]], **values: object) -> list[Window]:
    rows = connection.execute(asked, values).all()
    services: dict[str, list[str]] = {row.id: [] for row in rows}
    if rows:
        named = select(maintenance_services).where(_services.window_id.in_(services))
        for row in connection.execute(named.order_by(_services.service_id)):
            services[row.window_id].append(row.service_id)
    return [_window(row, services[row.id]) for row in rows]


def _window(row: object, services: Sequence[str]) -> Window:
    found = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 - public, despite its name
    return Window(
        id=found["id"],
        number=found["number"],
        start=found["starts_at"],
        end=found["ends_at"],
        description=found["description"],
        services=tuple(services),
        created_at=found["created_at"],
        created_by=found["created_by"],
    )
