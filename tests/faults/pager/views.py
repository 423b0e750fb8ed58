"""What a pager shows and plays at one moment, as it can be sent to another process. Pure."""

from dataclasses import dataclass
from datetime import datetime

from desktop.domain.attention import Attention, ConnectionState, Contact, Page, Sound, Tray, shifts
from desktop.domain.incident import Status
from desktop.domain.severity import Severity


@dataclass(frozen=True, slots=True)
class Shown:
    """One incident on the screen; ``sending`` claims that a click is on its way, ``failed`` why one was given up."""

    connection: str
    incident: str
    pages: int
    status: Status
    severity: Severity
    acknowledged_by: tuple[str, ...]
    resolved_by: str
    sending: bool
    overdue: bool
    failed: str
    old: bool

    @property
    def key(self) -> tuple[str, str]:
        """Its connection and id."""
        return self.connection, self.incident


@dataclass(frozen=True, slots=True)
class Line:
    """What is shown of one connection; ``on_call``: as far as is known, None where nothing is.

    ``heard``: the backend said something since this pager began; what is shown before is a copy of an earlier one.
    """

    contact: Contact
    heard: bool
    on_call: bool | None
    trouble: str
    sending: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class View:
    """Everything at once. ``at`` is when (monotonic, of the machine), ``playing`` what the loudspeaker really does.

    ``lost`` has the connections that are told as lost, and whether that is loud.
    """

    at: float
    tray: Tray
    pages: tuple[Shown, ...]
    settled: tuple[Shown, ...]
    lost: tuple[tuple[str, bool], ...]
    roles: tuple[str, ...]
    muted_until: datetime | None
    sound: Sound | None
    playing: Sound | None
    lines: tuple[tuple[str, Line], ...]

    def line(self, connection: str) -> Line:
        """Return what is shown of a connection."""
        return dict(self.lines)[connection]

    def find(self, connection: str, incident: str) -> Shown | None:
        """Return an incident, wherever it is shown."""
        return next((s for s in (*self.pages, *self.settled) if s.key == (connection, incident)), None)


def view(
    decided: Attention, states: tuple[ConnectionState, ...], heard: frozenset[str], playing: Sound | None, at: float
) -> View:
    """Return what ``decided`` puts before a person, when the backends of the connections ``heard`` said something."""
    return View(
        at,
        decided.tray,
        tuple(map(_shown, decided.pages)),
        tuple(map(_shown, decided.settled)),
        tuple((x.connection, x.loud) for x in decided.lost),
        tuple(sorted({o.role for o in decided.on_call})),
        decided.muted_until,
        decided.sound,
        playing,
        tuple((s.id, _line(s, heard=s.id in heard)) for s in states),
    )


def _shown(page: Page) -> Shown:
    it = page.incident
    return Shown(
        page.connection,
        it.id,
        it.pages,
        it.status,
        it.severity,
        tuple(a.person.id for a in it.acknowledgements),
        it.resolved_by.id if it.resolved_by is not None else "",
        page.sending is not None,
        page.overdue,
        page.failed,
        page.old,
    )


def _line(state: ConnectionState, *, heard: bool) -> Line:
    return Line(
        state.contact,
        heard,
        None if state.snapshot is None else bool(shifts(state)),
        state.trouble,
        tuple(sorted(state.sending)),
        tuple(sorted(state.failed.items())),
    )
