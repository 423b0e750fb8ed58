"""The doctor's look at who watches: the application beside what the doctor found itself. Main thread."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from desktop.backends.route import without_login
from desktop.cli import output
from desktop.cli.findings import Check
from desktop.cli.watching import Running, Watched, watched
from desktop.domain.incident import OnCall
from desktop.domain.sight import Eyes
from desktop.system.guard import Guard
from desktop.system.settings import ConnectionSettings


@dataclass(frozen=True, slots=True)
class Heard:
    """What the doctor itself heard of a connection, which it calls ``name``.

    ``me`` is whose token it has, "" where nobody answered. ``given``: by the environment of this command alone.
    """

    connection: ConnectionSettings
    name: str
    me: str = ""
    mine: tuple[OnCall, ...] = ()
    given: bool = False


_ANEW = "quit Watchbell and start it again"
_MENDS = {
    Eyes.CONNECTING: f"It answers this command: wait a minute; if it stays so, {_ANEW}.",
    Eyes.OLD: f"It answers this command, so wait a minute for it to be fetched anew; if it is not, {_ANEW}.",
    Eyes.LOST: f"It answers this command, and not the application: wait a minute; if that does not help, {_ANEW}.",
    Eyes.TOKEN_MISSING: "Enter one in Watchbell's window, or run 'watchbell connect {url} --token-stdin', which tells "
    "the running one.",
    Eyes.STUCK: "Quit Watchbell and start it again at once: it looks calm, and would not ring.",
    Eyes.SOMEBODY_ELSE: f"If the token here is the right one, {_ANEW}, so that it takes that; if not, connect again.",
    Eyes.UNWATCHED: f"It did not take up the settings: {_ANEW}.",
}
_TOO = "Mend what is said of that connection; the application goes on trying by itself."
_GIVEN = "Only this terminal's environment names it: to have it watched, run 'watchbell connect {url} --token-stdin'."
_CLICKS = "Acknowledge by another way what rings, and look in Watchbell's window for what became of the click."
_ABSENT = "Start Watchbell now, unless you watch from another machine."
_STARTING = "Wait a minute; if it is not back then, mend what keeps it from starting. Watch by another way until it is."
_OTHER_AGE = f"It is of another age than this command: {_ANEW}."
_UNHEARD = "Wait a minute and run the doctor again; if it still does not say, end its process and start it again."
_UNGUARDED = "After a crash nobody would start it again: quit it and start it again when you can."
_GUARDS = {Guard.SUPERVISOR: "its supervisor is there", Guard.SYSTEMD: "systemd does it"}


def watch(running: Running, heard: Sequence[Heard], now: datetime) -> Iterator[Check]:
    """Yield what the running application is worth: for each connection, and should it crash."""
    if running.report is None:
        yield from _unseen(running, heard, now)
        return
    yield _guard(running.guard)
    for each in heard:
        yield _of(running, each, now)
    known = {each.connection.id for each in heard}
    for sight in running.report.sights:
        found = watched(running, sight.id, now)
        if sight.id not in known and not found.good:
            yield Check(f"watch of {sight.name}", False, found.message, _mend(found, _unlisted(sight.id, sight.name)))


def _unlisted(connection: str, name: str) -> Heard:
    """Return what is known here of a connection that only the application knows of."""
    return Heard(ConnectionSettings(connection, name, "ADDRESS"), name)


def _unseen(running: Running, heard: Sequence[Heard], now: datetime) -> Iterator[Check]:
    """Say whose watch it is that nobody is known to keep; that none runs has a finding of its own."""
    absent = _STARTING if running.supervised else _ABSENT
    for each in heard:
        found = watched(running, each.connection.id, now)
        if found.eyes is not Eyes.ABSENT:
            mend = _OTHER_AGE if found.eyes is Eyes.UNTOLD else _UNHEARD
            yield Check(f"watch of {each.name}", False, found.message, mend)
        elif each.mine:
            yield Check(f"watch of {each.name}", False, f"{_shifts(each)}, and {found.message}", absent)


def _of(running: Running, each: Heard, now: datetime) -> Check:
    found = watched(running, each.connection.id, now, each.me)
    name = f"watch of {each.name}"
    if found.good:
        return Check(name, True, found.message)
    if found.eyes is Eyes.UNWATCHED and each.given and not each.mine:
        return Check(name, True, found.message, _mend(found, each))
    on_call = f"{_shifts(each)}, and " if each.mine else ""
    return Check(name, False, f"{on_call}{found.message}", _mend(found, each))


def _mend(found: Watched, each: Heard) -> str:
    if found.eyes is Eyes.WATCHED:
        return _CLICKS
    if found.eyes is Eyes.UNWATCHED and each.given:
        return _GIVEN.format(url=without_login(each.connection.url))
    if not each.me and found.eyes in {Eyes.CONNECTING, Eyes.OLD, Eyes.LOST}:
        return _TOO
    return _MENDS[found.eyes].format(url=without_login(each.connection.url))


def _shifts(each: Heard) -> str:
    said = (f"{s.role} until {output.local(s.until) if s.until else 'further notice'}" for s in each.mine)
    return f"you are {', '.join(said)} there"


def _guard(kept_by: str | None) -> Check:
    name = "restart after a crash"
    good = next((said for guard, said in _GUARDS.items() if guard.value == kept_by), "")
    if good:
        return Check(name, True, good)
    return Check(name, False, "what starts the running Watchbell again after a crash is gone", _UNGUARDED)
