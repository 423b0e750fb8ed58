"""The proof: from the rows, what was asked and what was broken to what must not have been. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from tests.faults.asked import KINDS, compare
from tests.faults.evidence import Attempt, Client, Entry, Evidence, Incident, Outcome, Seen, Weather
from tests.faults.handed import handed
from tests.faults.plans import PLANS, SERVICES, Plan
from tests.faults.replay import Replay
from tests.faults.sent import sent

_Thing = TypeVar("_Thing")

MARGIN = 5.0
"""How late, in seconds, a step may be beyond what the faults excuse: as late as the engine calls overdue."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: nothing, if all is well.

    ``worst`` is how late a step was beyond what the faults excuse, ``where`` which one.
    """

    violations: Sequence[str]
    worst: float
    where: str = ""


def prove(evidence: Evidence, plans: Mapping[str, Plan] = PLANS, margin: float = MARGIN) -> Verdict:
    """Look for whatever breaks a promise."""
    found: list[str] = []
    weather = Weather(evidence.blows)
    histories = _by(evidence.entries, lambda entry: entry.incident)
    attempts = _by(evidence.attempts, lambda attempt: attempt.key)
    givers = {handover.id: handover.giver for handover in evidence.handovers}
    rota, worst = evidence.rota.as_seen(weather.wrong), (0.0, "")
    for row in evidence.incidents:
        history = sorted(histories.pop(row.id, []), key=lambda e: e.id)
        if row.service not in SERVICES:
            continue  # what a server finds wrong with itself: told in the figures
        complain = partial(_add, found, f"{row.key} ({row.id})")
        severity = _severity(history, row)
        replay = Replay(plans, severity, rota, weather, margin, complain, givers=givers)
        replay.run(history, evidence.ended)
        replay.agrees(row)
        worst = max(worst, (replay.worst, f"{row.key} at {replay.worst_at:.2f}"))
        compare(_asked_for(history, row), attempts.get(row.key, []), weather, complain, severity)
    found += [f"history of no incident: {name}" for name in histories]
    found += [*_missing(evidence, attempts), *_refused(evidence.attempts), *_versions(evidence)]
    found += [*sent(evidence, weather), *handed(evidence, weather)]
    for client in evidence.clients:
        found += _client(client, {row.id: row for row in evidence.incidents}, evidence.version)
    return Verdict(found, *worst)


def _by(things: Iterable[_Thing], name: Callable[[_Thing], str]) -> dict[str, list[_Thing]]:
    found: dict[str, list[_Thing]] = defaultdict(list)
    for thing in things:
        found[name(thing)].append(thing)
    return found


def _severity(history: Sequence[Entry], row: Incident) -> str:
    """Return the severity with which an incident began."""
    changed = next((entry for entry in history if entry.type == "priority_change"), None)
    return row.severity if changed is None else str(changed.data["from"])


def _asked_for(history: Sequence[Entry], row: Incident) -> Sequence[Entry]:
    """Return what somebody asked for of its history: the page of an offer is opened with the handover."""
    if not _of_handover(row):
        return history
    return [entry for entry in history if entry.at != history[0].at]


def _of_handover(row: Incident) -> bool:
    return row.key.startswith("handover:")


def _add(found: list[str], where: str, what: str) -> None:
    found.append(f"{where}: {what}")


def _missing(evidence: Evidence, attempts: Mapping[str, Sequence[Attempt]]) -> Iterator[str]:
    keys = Counter(row.key for row in evidence.incidents if row.service in SERVICES)
    offers = {offer.incident for handover in evidence.handovers for offer in handover.offers}
    yield from (f"{r.key}: of no offer" for r in evidence.incidents if _of_handover(r) and r.id not in offers)
    for key, count in keys.items():
        if count > 1:
            yield f"{key}: {count} incidents of one key"
        if not key.startswith("handover:") and not any(
            a.kind == "trigger" and a.outcome is not Outcome.REFUSED for a in attempts.get(key, ())
        ):
            yield f"{key}: nobody triggered it"
    for key, asked in attempts.items():
        if key not in keys and any(a.outcome is Outcome.ACCEPTED and a.kind in KINDS for a in asked):
            yield f"{key}: accepted, and not there"


def _refused(attempts: Sequence[Attempt]) -> Iterator[str]:
    """A person may come too late (400, for handovers 409); a page, or a valid token, is never refused."""
    for attempt in attempts:
        late = attempt.status in ((400,) if attempt.kind in KINDS else (400, 403, 404, 409))
        if attempt.outcome is Outcome.REFUSED and (attempt.kind == "trigger" or not late):
            yield f"{attempt.key}: {attempt.kind} by {attempt.actor} was refused with {attempt.status}"


def _versions(evidence: Evidence) -> Iterator[str]:
    for version, count in Counter(row.version for row in evidence.incidents).items():
        if count > 1 or version < 1:
            yield f"version {version} stands at {count} incidents"


def _client(client: Client, rows: Mapping[str, Incident], upto: int) -> Iterator[str]:
    """What a client heard of later than the rows were read, at the version ``upto``, says nothing about them."""
    for told in client.streams:
        yield from _in_order(client.name, told)
    open_rows = {name: _as_seen(row) for name, row in rows.items() if row.status != "resolved"}
    known = {name: seen for name, seen in client.known.items() if seen.status != "resolved"}
    newer = {name for name, seen in client.known.items() if seen.version > upto}
    for name in sorted((open_rows.keys() | known.keys()) - newer):
        if known.get(name) != open_rows.get(name):
            yield f"{client.name} believes of {name}: {known.get(name)}, the rows say {open_rows.get(name)}"


def _in_order(name: str, told: Sequence[tuple[str, Seen]]) -> Iterator[str]:
    """Versions rise for each incident, and are given once; the snapshot's come in any order."""
    latest: dict[str, int] = {}
    for incident, seen in told:
        if seen.version <= latest.get(incident, 0):
            yield f"{name} was told version {seen.version} of {incident} after {latest[incident]}"
        latest[incident] = seen.version


def _as_seen(row: Incident) -> Seen:
    return Seen(row.version, row.status, row.assigned, row.acknowledged)
