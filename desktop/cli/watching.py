"""Who watches: what the running application says that it sees of each connection, in words. Main thread.

That a backend answers a command says nothing of whether a page would be heard: only the application rings.
"""

from dataclasses import dataclass
from datetime import datetime

from desktop.cli import output
from desktop.domain.attention import SENDING_QUIET
from desktop.domain.sight import Eyes, Report, Sight, eyes, read
from desktop.domain.text import plain
from desktop.system.guard import Guard
from desktop.system.inquiry import ask_what_is_watched
from desktop.system.instance import Reply
from desktop.system.paths import Paths
from desktop.system.supervising import supervised


@dataclass(frozen=True, slots=True)
class Running:
    """The application of this person: what became of asking it, and what it sees where it says so.

    ``supervised``: a supervisor is there, whether the application is or not.
    """

    reply: Reply
    report: Report | None = None
    supervised: bool = False

    @property
    def guard(self) -> str | None:
        """Return who starts it again after a crash; None where neither it nor a supervisor says so."""
        if self.report is not None:
            return self.report.guard
        return Guard.SUPERVISOR.value if self.supervised else None

    @property
    def state(self) -> str:
        """Return in a word whether it runs and says what it watches (``status --json``)."""
        return "answers" if self.report is not None else _UNKNOWN[self.reply].value


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watch of one connection is worth, ``message`` in words; ``stuck`` when a click hangs or was refused."""

    eyes: Eyes
    message: str
    sight: Sight | None = None
    stuck: bool = False

    @property
    def good(self) -> bool:
        """Whether a page would be heard, and every click is taken."""
        return self.eyes is Eyes.WATCHED and not self.stuck

    @property
    def line(self) -> str:
        """What it is worth for a reader, who must not overlook that it is little."""
        return self.message if self.good else f"NOT WATCHED WELL: {self.message}"


_UNKNOWN = {Reply.SHOWN: Eyes.UNTOLD, Reply.SILENT: Eyes.SILENT, Reply.ABSENT: Eyes.ABSENT}
_WITHOUT_SIGHT = {
    Eyes.UNWATCHED: "the running Watchbell does not watch it",
    Eyes.UNTOLD: "Watchbell runs, and does not say what it watches",
    Eyes.SILENT: "Watchbell runs, and does not answer: nobody knows whether it watches",
    Eyes.ABSENT: "Watchbell does not run on this machine: nobody watches here",
}
_STARTING = "Watchbell does not run, and its supervisor tries to start it: nobody watches here now"
_WITH_SIGHT = {
    Eyes.WATCHED: "the running Watchbell watches it, and heard it {ago} s ago",
    Eyes.STUCK: "the running Watchbell takes it for well, and {last}: its watch hangs",
    Eyes.SOMEBODY_ELSE: "the running Watchbell watches it as {person}, and not as {me}",
    Eyes.TOKEN_MISSING: "the running Watchbell has no good token for it since {since}{why}",
    Eyes.OLD: "what the running Watchbell shows of it is old, of {heard}{why}",
    Eyes.CONNECTING: "the running Watchbell looks for contact with it since {since}{why}",
    Eyes.LOST: "the running Watchbell has no contact with it since {since}, and {last}{why}",
}


def ask(paths: Paths, seconds: float = 2.0) -> Running:
    """Ask the application of these folders what it sees."""
    reply, line = ask_what_is_watched(paths, seconds)
    return Running(reply, read(line) if reply is Reply.SHOWN else None, supervised(paths))


def watched(running: Running, connection: str, now: datetime, me: str = "") -> Watched:
    """Tell what the watch of a connection is worth ``now``; ``me`` is whose token the command has, where it knows."""
    if running.report is None:
        found = _UNKNOWN[running.reply]
        if found is Eyes.ABSENT and running.supervised:
            return Watched(found, _STARTING)
        return Watched(found, _WITHOUT_SIGHT[found])
    sight = running.report.of(connection)
    found = eyes(sight, now, me)
    if sight is None:
        return Watched(found, _WITHOUT_SIGHT[found])
    clicks, stuck = _clicks(sight, now)
    return Watched(found, "; ".join((_said(found, sight, now, me), *clicks)), sight, stuck)


def _said(found: Eyes, sight: Sight, now: datetime, me: str) -> str:
    heard = sight.heard_at
    return _WITH_SIGHT[found].format(
        heard="nobody knows when" if heard is None else output.local(heard),
        last="never heard it" if heard is None else f"heard it last {output.local(heard)}",
        ago=0 if heard is None else round(abs(now - heard).total_seconds()),
        since=output.local(sight.since),
        why=f": {sight.trouble}" if sight.trouble else "",
        person=sight.person,
        me=plain(me, 120),
    )


def _clicks(sight: Sight, now: datetime) -> tuple[list[str], bool]:
    """Return what is to be said of clicks, and whether one hangs or was refused."""
    said, hangs = [], False
    if sight.waiting and sight.waiting_since is not None:
        count = "one click waits" if sight.waiting == 1 else f"{sight.waiting} clicks wait"
        said.append(f"{count} to be sent, since {output.local(sight.waiting_since)}")
        hangs = abs(now - sight.waiting_since) > SENDING_QUIET
    if sight.refused:
        said.append(f"a click was refused: {sight.refused}")
    return said, hangs or bool(sight.refused)
