"""Carries commands to the backend: durable before they show, retried until a definite answer. Its own thread.

A command is in the store before the screen says "sending", and leaves it only when the backend confirmed or refused for
good; what a crash leaves behind is sent at the next start, if it still holds (design, promise 2; ``domain.clicks``).
This thread writes, and never uses the network: that is for its senders, so that a click waits for no other.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from desktop.backends.base import Backend
from desktop.domain.attention import Command, ConnectionState
from desktop.domain.clicks import Click, Moment, aged, set_back
from desktop.domain.errors import Unauthorized, WatchbellError
from desktop.sync import changes
from desktop.sync.backoff import Backoff
from desktop.sync.commands import Commands, Key, Trouble, Waiting
from desktop.sync.keeper import Keeper
from desktop.sync.pace import Pace
from desktop.sync.sender import Answer, Sender, pages
from desktop.sync.turns import Turns

log = logging.getLogger(__name__)

_USUAL = Pace()


@dataclass(frozen=True, slots=True)
class _Given:
    """A click on an incident, as it was given."""

    incident: str
    click: Click
    moment: Moment


class Outbox(threading.Thread):
    """Keeps the commands of one connection and has them sent, in the order in which they were given for each incident.

    ``unauthorized`` is called when a command is refused for its token; ``trouble`` with why commands are not durable.
    ``retry`` is the ceiling, in seconds, of the wait until the next attempt. ``taken_up`` is set when what an earlier
    run left is shown.
    """

    def __init__(
        self,
        path: Path,
        keeper: Keeper,
        connect: Callable[[], Backend],
        now: Callable[[], datetime],
        *,
        trouble: Trouble = lambda reason: None,  # noqa: ARG005 - its shape
        unauthorized: Callable[[], None] = lambda: None,
        retry: float = _USUAL.retry,
    ) -> None:
        super().__init__(name=f"watchbell-outbox-{keeper.state.id}", daemon=True)
        self.taken_up = threading.Event()
        self._keeper = keeper
        self._connect = connect
        self._now = now
        self._unauthorized = unauthorized
        # Clicks, and what came of them; None is the end.
        self._news: queue.Queue[_Given | Answer | None] = queue.Queue()
        self._trouble = trouble
        self._backoff, self._store_backoff = Backoff(most=retry), Backoff(most=retry)
        self._turns = Turns(Backoff(most=retry))
        self._senders: list[Sender] = []
        self._idle: list[Sender] = []
        self._commands = Commands(path, keeper.state.id, trouble, now)
        self._looked = self._moment()
        # What was given a moment ago and never tried: nobody can know of it, and nothing can have happened since.
        self._fresh: set[Key] = set()
        self._shown: set[Key] = set()
        # What a fault of ours holds up; None stands for all of it.
        self._faulty: set[Key | None] = set()
        self._ending = False

    def submit(self, incident_id: str, command: Command, seen: int | None = None) -> None:
        """Take a command; from any thread, without blocking. The state shows it when it is durable.

        It answers what was ``seen``, so many pages of the incident (None: what is known now): it may page again before
        it is sent.
        """
        given = self._moment()
        click = Click(command, given.wall, pages(self._keeper, incident_id) if seen is None else seen)
        self._news.put(_Given(incident_id, click, given))

    def stop(self) -> None:
        """End the thread soon; what is not confirmed stays for the next start."""
        self._news.put(None)

    def run(self) -> None:
        """Keep and have sent until stopped."""
        try:
            self._guarded(self._show_waiting)
            self.taken_up.set()
            self._serve()
        finally:
            self.taken_up.set()
            self._end_senders()
            self._commands.close()

    def _serve(self) -> None:
        wait: float | None = 0.0
        while True:
            before = bool(self._faulty)
            self._faulty.discard(None)
            for news in self._take(wait):
                self._guarded(partial(self._handle, news))
            if self._ending and not self._turns.any_under_way:
                return
            waits = (None if self._ending else self._guarded(self._dispatch), self._until_settled())
            wait = min((w for w in waits if w is not None), default=None)
            if before and not self._faulty and self._commands.settled:
                self._trouble("")

    def _guarded(self, step: Callable[[], float | None]) -> float | None:
        """Do a step; a fault of ours in it is told, and is no reason to do nothing for the next click."""
        try:
            return step()
        except Exception as e:
            log.exception("clicks on %s are held up", self._keeper.state.name)
            self._fault(None, e)
            return self._backoff.next()

    def _fault(self, key: Key | None, error: Exception) -> None:
        """Tell of a fault of ours."""
        self._faulty.add(key)
        self._trouble(f"An internal error holds up your clicks: {type(error).__name__}. They are tried again.")

    def _until_settled(self) -> float | None:
        """Return how long until the store is tried again, None when there is no need."""
        if self._commands.settled:
            self._store_backoff.reset()
            return None
        return self._store_backoff.next()

    def _take(self, wait: float | None) -> list[_Given | Answer | None]:
        """Return what is new, waiting up to ``wait`` seconds for it (None: for ever)."""
        taken: list[_Given | Answer | None] = []
        try:
            if wait != 0:
                taken.append(self._news.get(timeout=wait))
            while True:
                taken.append(self._news.get_nowait())
        except queue.Empty:
            return taken

    def _handle(self, news: _Given | Answer | None) -> None:
        if news is None:
            self._ending = True
            for sender in self._senders:
                sender.stop()
        elif isinstance(news, Answer):
            self._idle.append(news.sender)
            self._note(news)
        else:
            self._keep(news.incident, self._as_old_as_it_is(news))

    def _as_old_as_it_is(self, given: _Given) -> Click:
        """Return what was clicked by the clock that was looked at last.

        Only what the clock was set back since then makes it older: what was before says nothing about it.
        """
        if given.moment.steady < self._looked.steady:
            return aged(given.click, set_back(given.moment, self._looked))
        self._look_at_the_clock(given.moment)
        return given.click

    def _keep(self, incident_id: str, click: Click) -> None:
        key = (incident_id, click.command)
        if incident_id not in self._keeper.state.sending:
            self._fresh.add(key)
        self._turns.given(key)
        self._commands.add(incident_id, click)
        self._show(incident_id, click)

    def _show_waiting(self) -> None:
        """Show what an earlier run left, as soon as it could be read."""
        for waiting in self._commands.waiting():
            if waiting.key not in self._shown:
                self._show(waiting.incident, waiting.click)

    def _show(self, incident_id: str, click: Click) -> None:
        self._shown.add((incident_id, click.command))
        self._keeper.change(lambda state: changes.sending(state, incident_id, click.command, click.at))

    def _dispatch(self) -> float | None:
        """Have sent what can be now; return how long until more can, None when only something new changes that."""
        self._look_at_the_clock(self._moment())
        self._show_waiting()
        waiting = self._commands.waiting()
        for each in self._turns.begin(waiting, time.monotonic()):
            fresh = each.key in self._fresh
            self._fresh.discard(each.key)
            self._sender().send(each, fresh=fresh)
        return self._turns.wait(waiting, time.monotonic())

    def _look_at_the_clock(self, now: Moment) -> None:
        """Let no click that waits look younger than it is."""
        before, self._looked = self._looked, now
        if by := set_back(before, self._looked):
            self._commands.set_back(by)

    def _moment(self) -> Moment:
        return Moment(self._now(), time.monotonic())

    def _sender(self) -> Sender:
        if self._idle:
            return self._idle.pop()
        sender = Sender(self._keeper, self._connect, self._now, self._news.put)
        self._senders.append(sender)
        sender.start()
        return sender

    def _end_senders(self) -> None:
        for sender in self._senders:
            sender.stop()
        for sender in self._senders:
            sender.join()

    def _note(self, answer: Answer) -> None:
        """Note what came of a click: told first, then forgotten, so that a crash in between loses neither."""
        waiting, error = answer.waiting, answer.error
        if error is not None:
            self._turns.failed(waiting.key, error, time.monotonic())
            self._failed(waiting, error)
            return
        self._turns.answered(waiting.key)
        if self._ending and answer.refusal:
            # Nobody may see any more what is told now: the next start finds it, and tells it.
            return
        self._faulty.discard(waiting.key)
        newest = self._commands.newest(waiting)
        further = [w.click for w in self._commands.waiting() if w.incident == waiting.incident and w is not waiting]
        self._keeper.change(partial(_told, answer, further, newest=newest))
        if newest:
            self._shown.discard(waiting.key)
            self._commands.remove(waiting)

    def _failed(self, waiting: Waiting, error: Exception) -> None:
        if isinstance(error, WatchbellError):
            self._faulty.discard(waiting.key)
            log.info("%s of %s waits: %s", waiting.click.command, waiting.incident, error.message)
            self._keeper.change(lambda state: changes.troubled(state, waiting.incident, error.message))
            if isinstance(error, Unauthorized):
                self._unauthorized()
        else:
            log.error("%s of %s is held up", waiting.click.command, waiting.incident, exc_info=error)
            self._fault(waiting.key, error)


def _told(answer: Answer, further: Sequence[Click], state: ConnectionState, *, newest: bool) -> ConnectionState:
    """Return ``state`` with what is on its way no more, and not what was wanted with the reason, in one step.

    ``further`` is what waits for the same incident; with a newer click of the same kind a refusal says nothing yet.
    """
    incident_id = answer.waiting.incident
    if answer.incident is not None:
        state = changes.settled(state, answer.incident)
    if answer.refusal and newest:
        state = changes.refused(state, incident_id, answer.refusal)
    if further:
        # The one given last, as it was shown before.
        state = changes.still_sending(state, incident_id, further[-1].command, further[-1].at)
    return state
