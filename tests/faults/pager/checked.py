"""Checks after every step whether the promises hold: of what the pager showed, and of what the backends know."""

from collections.abc import Iterable
from datetime import timedelta

from desktop.domain.attention import ALARM_AFTER, LOST_AFTER, SENDING_QUIET, Contact
from tests.faults.backend.account import Account
from tests.faults.pager.promises import (
    Clicked,
    Key,
    arrived_or_told,
    clicks_arrived_once,
    is_right,
    looks_right,
    nobody_is_moved,
    view_is_honest,
)
from tests.faults.pager.stage import Stage
from tests.faults.pager.views import View


class Checked(Stage):
    """A stage that is looked at. ``after`` ends every step."""

    def __init__(self) -> None:
        super().__init__()
        # For how long each connection that is known to be blind has been so, as the pager's clock has it.
        self.blind: dict[str, timedelta] = {}
        # Clicks that the screen said were on their way, and those that it said were given up.
        self.claimed: dict[Key, Clicked] = {}
        self.told: set[Key] = set()
        self._looked = self._noted = 0
        self._heard: dict[str, int] = {}

    def after(self, *, calm: bool) -> None:
        """Check what every step must leave as it is promised; ``calm``: where nothing is wrong, all is right soon."""
        if calm:
            self._settle()
        self.age_faults()
        for name in self.blind.keys() - self.faults.keys():
            del self.blind[name]
        accounts = {name: server.account for name, server in self.servers.items()}
        views = self.pager.views
        wrong = [w for view, before in self._new() for w in view_is_honest(view, before, accounts)]
        self._looked = len(views)
        self._note()
        wrong.extend(clicks_arrived_once(self.clicks, accounts))
        for name, server in self.servers.items():
            asked = server.asked[self._heard.get(name, 0) :]
            self._heard[name] = self._heard.get(name, 0) + len(asked)
            wrong.extend(nobody_is_moved(name, asked))
        assert not wrong, "\n".join(wrong)

    def goes_blind(self, name: str) -> None:
        """Wait until it is known that nothing is known."""
        # What was answered before is heard, and what is asked from now on fails.
        self.pager.do("end_attempt", name)
        self.pager.done()
        self.pager.until(lambda v: v.line(name).contact is not Contact.LIVE, f"{name} is blind and looks live")
        self.blind[name] = timedelta(0)

    def watches_anew(self) -> None:
        """A pager that begins to watch again gets its time to find contact."""
        self.blind = {name: timedelta(0) for name in self.blind}
        if self.blind:
            self.pager.until(lambda v: all(v.line(n).contact is not Contact.LIVE for n in self.blind), "still live")

    def passes(self, by: timedelta) -> None:
        """Let time go by, and look whether what must not be quiet for so long is heard."""
        self.let_pass(by)
        for name, passed in self.blind.items():
            self.blind[name] = passed + by
            self._is_told(name, passed + by)
        if by > SENDING_QUIET:
            self._nothing_is_overdue_and_quiet()

    def _new(self) -> Iterable[tuple[View, View | None]]:
        views = self.pager.views
        for place in range(self._looked, len(views)):
            view = views[place]
            if view is not None:
                yield view, views[place - 1] if place else None

    def _is_told(self, name: str, passed: timedelta) -> None:
        """Promise 1: what is blind is told after 60 s, and is loud after 90 s while on call."""
        if passed >= LOST_AFTER:
            self.pager.until(lambda v: name in dict(v.lost), f"{name}: blind for {passed} and not told")
        if passed >= ALARM_AFTER:
            self.pager.until(lambda v: self._loud(v, name), f"{name}: blind for {passed} and silent")

    def _loud(self, view: View, name: str) -> bool:
        if view.line(name).on_call is False:
            return True
        quiet = name in self.silenced or view.muted_until is not None
        return dict(view.lost).get(name, False) and (quiet or view.playing is not None)

    def _nothing_is_overdue_and_quiet(self) -> None:
        """Promise 2: what does not get through rings again."""

        def quiet(view: View) -> bool:
            return any(page.sending and not page.overdue for page in view.pages)

        self.pager.until(lambda v: not quiet(v), "a click is on its way for too long, and the page is quiet")

    def _note(self) -> None:
        """Keep what was claimed to be on its way, and what was told to be given up."""
        views = self.pager.views
        for view in views[self._noted :]:
            for name, line in view.lines if view is not None else ():
                for key in ((name, incident) for incident in line.sending):
                    clicked = [c for c in self.clicks if c.key == key]
                    assert clicked, f"{key} is said to be on its way, and nobody clicked"
                    self.claimed[key] = clicked[-1]
                    self.told.discard(key)
                self.told.update((name, incident) for incident, _ in line.failed)
        self._noted = len(views)

    def _settle(self) -> None:
        healthy = {n: s.account for n, s in self.servers.items() if n not in self.faults}
        view = self._until_right(healthy)
        self.silenced -= healthy.keys()
        self._note()
        for key in [k for k in self.claimed if k[0] in healthy]:
            click, now = self.claimed.pop(key), self.local_now()
            lost = arrived_or_told(view, click, healthy[key[0]], now, told=key in self.told)
            assert not lost, lost

    def _until_right(self, healthy: dict[str, Account]) -> View:
        def wrong(view: View) -> str:
            found = next((w for n, a in healthy.items() if (w := is_right(view, n, a))), "")
            return found or (looks_right(view, healthy.values()) if len(healthy) == len(self.servers) else "")

        try:
            return self.pager.until(lambda v: not wrong(v), "never right")
        except AssertionError as e:
            newest = self.pager.newest
            raise AssertionError(f"{wrong(newest) if newest else 'nothing is shown'}\n{e}") from None
