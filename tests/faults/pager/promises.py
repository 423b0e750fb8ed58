"""The three promises, as they can be checked of what a pager shows and of what its backends know.

Each function returns what is wrong, in words; nothing means that all is well.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from desktop.domain.attention import Contact, Sound, Tray
from desktop.domain.clicks import TRUSTED_FOR
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from tests.faults.backend.account import Account, Deed
from tests.faults.backend.speaking import Request
from tests.faults.pager.views import Shown, View

Key = tuple[str, str]

# What a page rises to between a client's look and its click's arrival, nobody can know.
IN_FLIGHT = 0.3
AT_ONCE = 0.1
DEMANDED = {Severity.SEV0: Sound.SIREN, Severity.SEV1: Sound.RING}
ROLES = ("primary", "secondary")
RECEIPTS = "/watchbell/v1/receipts"


@dataclass(frozen=True, slots=True)
class Clicked:
    """A click on an incident that had been paged ``pages`` times, ``at`` (monotonic).

    ``shown`` is when by the account's clock, ``local`` when by the clock of the pager's machine.
    """

    key: Key
    pages: int
    at: float
    shown: datetime
    local: datetime


def view_is_honest(view: View, before: View | None, accounts: Mapping[str, Account]) -> Iterator[str]:
    """Check one view: it claims nothing that did not happen, and does not look calmer than it knows."""
    for shown in (*view.pages, *view.settled):
        yield from _claims(shown, view.at, accounts[shown.connection])
    if any(not page.old for page in view.pages) and view.tray is not Tray.RINGING:
        yield f"there are pages, and the tray says {view.tray.name}"
    if view.lost and view.tray < Tray.LOST:
        yield f"contact is lost, and the tray says {view.tray.name}"
    unheard = [name for name, line in view.lines if not line.heard]
    if unheard and view.tray < Tray.LOST:
        yield f"nothing was heard of {unheard} yet, and the tray says {view.tray.name}"
    if view.muted_until is None:
        yield from _silent(view)
    if before is not None:
        yield from _taken_away(view, before, accounts)


def _claims(shown: Shown, at: float, account: Account) -> Iterator[str]:
    by = shown.acknowledged_by if shown.status is Status.ACKNOWLEDGED else ()
    claimed = [("acknowledge", who) for who in by]
    claimed += [("resolve", shown.resolved_by)] if shown.status is Status.RESOLVED and shown.resolved_by else []
    for what, who in claimed:
        if not any(d.at <= at and _holds(d, shown, account) for d in _deeds(account, shown.incident, what, who)):
            yield f"{shown.key} is said to be {shown.status} by {who}, who did nothing of that"


def _holds(deed: Deed, shown: Shown, account: Account) -> bool:
    """Tell whether a deed was not undone, as far as what is shown can know: each time that it is, it pages again."""
    if not account.ours or deed.what != "acknowledge":
        return True
    undone = _deeds(account, shown.incident, "unacknowledge", "")
    return deed.pages <= shown.pages and not any(deed.at < u.at and u.pages <= shown.pages for u in undone)


def _silent(view: View) -> Iterator[str]:
    worst = min((p.severity for p in view.pages if not p.old and (p.overdue or not p.sending)), default=None)
    if worst in DEMANDED and view.playing is not DEMANDED[worst]:
        yield f"a page of {worst.name} demands {DEMANDED[worst]}, and {view.playing} is heard"


def _taken_away(view: View, before: View, accounts: Mapping[str, Account]) -> Iterator[str]:
    known = {page.key for page in view.pages}
    for gone in (page for page in before.pages if page.key not in known):
        account = accounts[gone.connection]
        # Whatever was done to an earlier page of it says nothing of this one.
        since = gone.pages if account.ours else 0
        deeds = (d for d in tuple(account.deeds) if d.incident == gone.incident and d.pages >= since)
        if not any(d.what in {"acknowledge", "resolve", "reassign"} for d in deeds):
            yield f"{gone.key} is shown no more, and nobody had it"


def clicks_arrived_once(clicks: Sequence[Clicked], accounts: Mapping[str, Account]) -> Iterator[str]:
    """Check what was done in the person's name: once for each click at most, and for the page that was clicked on."""
    for name, account in accounts.items():
        ours = [d for d in tuple(account.deeds) if d.what == "acknowledge" and d.who == "ana"]
        for incident in {d.incident for d in ours}:
            done = [d for d in ours if d.incident == incident]
            clicked = [c for c in clicks if c.key == (name, incident)]
            if len(done) > len(clicked):
                yield f"{name} {incident} was clicked {len(clicked)} times and acknowledged {len(done)} times"
            yield from (
                f"{name} {incident}: an acknowledgement of page {deed.pages} that nobody clicked on ({clicked})"
                for deed in done
                if not any(_meant(click, deed, account) for click in clicked)
            )


def _meant(click: Clicked, deed: Deed, account: Account) -> bool:
    if click.at > deed.at:
        return False
    if not account.ours:
        # A machine may fall asleep between a click, or the look which told that it holds, and what it asks for then.
        known = min(deed.shown, deed.looked or deed.shown)
        return deed.at - click.at <= IN_FLIGHT or known - click.shown <= TRUSTED_FOR + timedelta(seconds=5)
    paged = min(d.at for d in account.deeds if d.incident == deed.incident and d.pages == deed.pages)
    # Between this and the pager's own screen there is a pipe.
    return click.pages == deed.pages or deed.at - paged <= IN_FLIGHT or paged - click.at <= AT_ONCE


def nobody_is_moved(name: str, asked: Iterable[Request]) -> Iterator[str]:
    """Check what a pager asked for: it reads, acknowledges and confirms; who is on call, and who has it, others say."""
    for request in asked:
        confirms = (request.method, request.path) == ("POST", RECEIPTS)
        if request.method != "GET" and not confirms and not _acknowledges(request):
            yield f"{name} was asked to {request.method} {request.path}: {request.body!r}"


def _acknowledges(request: Request) -> bool:
    try:
        wish = json.loads(request.body)["incident"]
    except ValueError:
        # Killed in the middle of asking.
        return True
    moves = wish.keys() & {"assignments", "escalation_level", "escalation_policy"}
    return request.path.startswith("/incidents/") and wish.get("status") == "acknowledged" and not moves


def arrived_or_told(view: View, click: Clicked, account: Account, now: datetime, *, told: bool) -> str:
    """Tell whether a click that was claimed to be on its way was lost.

    It arrived, or somebody else has it, or nobody needs it, or it is ``told`` to be given up, or it rings on since it
    paged again, or may have ``now`` (by the clock of the pager's machine).
    """
    incident = click.key[1]
    with account.lock:
        since = [d for d in account.deeds if d.incident == incident and d.at >= click.at]
        it = account.incidents[incident]
        had = it["status"] != "triggered" or not _assigned(it, "ana")
        passed = max(account.now() - click.shown, now - click.local)
        again = it["watchbell"]["pages"] > click.pages if account.ours else passed > TRUSTED_FOR
    done = any(d.what == "resolve" or (d.what, d.who) == ("acknowledge", "ana") for d in since)
    rings = any(page.key == click.key for page in view.pages)
    return "" if done or told or had or (rings and again) else f"{click} is lost"


def is_right(view: View, name: str, account: Account) -> str:
    """Tell what a view has wrong of a connection that nothing is wrong with; it may only need a moment."""
    line = view.line(name)
    if line.contact is not Contact.LIVE or any(lost == name for lost, _ in view.lost):
        return f"{name} is {line.contact}"
    if line.sending:
        return f"{name}: {line.sending} are on their way"
    with account.lock:
        mine = [i for i in account.open_ones() if _assigned(i, "ana")]
        expected = {i["id"] for i in mine if i["status"] == "triggered"}
        shown = {page.incident for page in view.pages if page.connection == name}
        if shown != expected:
            return f"{name}: {shown} are shown, {expected} page"
        if line.on_call is not ("ana" in account.on_call):
            return f"{name}: on call: {line.on_call}"
        wrong = [s.key for s in (*view.pages, *view.settled) if s.connection == name and not _same(s, account)]
        missing = {i["id"] for i in mine} - {s.incident for s in (*view.pages, *view.settled) if s.connection == name}
        return f"{name}: {wrong} are wrong, {missing} missing" if wrong or missing else ""


def looks_right(view: View, accounts: Iterable[Account]) -> str:
    """Tell what is wrong with the whole of a view while nothing is wrong with any connection."""
    accounts = tuple(accounts)
    roles = {role for a in accounts for role, who in zip(ROLES, a.on_call, strict=False) if who == "ana"}
    if set(view.roles) != roles:
        return f"on call as {view.roles} instead of {roles}"
    if view.pages:
        return ""
    # What was given to somebody else is shown for a while, and is not hers any more.
    held = any(i["status"] == "acknowledged" and _hers(i) for a in accounts for i in a.open_ones())
    expected = Tray.PAUSED if view.muted_until else Tray.ACKNOWLEDGED if held else Tray.CALM if roles else Tray.OFF_CALL
    if view.tray is not expected:
        return f"the tray says {view.tray.name} instead of {expected.name}"
    return f"{view.playing} is heard and nothing pages" if view.playing else ""


def _same(shown: Shown, account: Account) -> bool:
    it = account.incidents[shown.incident]
    by = tuple(a["acknowledger"]["id"] for a in it["acknowledgements"]) if it["status"] == "acknowledged" else ()
    counted = not account.ours or it["watchbell"]["pages"] == shown.pages
    return it["status"] == shown.status and counted and (it["status"] != "acknowledged" or by == shown.acknowledged_by)


def _assigned(incident: Mapping[str, object], who: str) -> bool:
    assignments: Iterable[Mapping[str, Mapping[str, str]]] = incident["assignments"]  # type: ignore[assignment]
    return any(a["assignee"]["id"] == who for a in assignments)


def _hers(incident: Mapping[str, object]) -> bool:
    acknowledgements: Iterable[Mapping[str, Mapping[str, str]]] = incident["acknowledgements"]  # type: ignore[assignment]
    return _assigned(incident, "ana") or any(a["acknowledger"]["id"] == "ana" for a in acknowledgements)


def _deeds(account: Account, incident: str, what: str, who: str) -> list[Deed]:
    return [d for d in tuple(account.deeds) if (d.incident, d.what, d.who) == (incident, what, who)]
