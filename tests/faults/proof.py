"""The proof: from the rows, what was asked and what was broken to what must not have been. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tests.faults.asked import compare
from tests.faults.evidence import Attempt, Client, Entry, Evidence, Incident, Outcome, Seen, Weather
from tests.faults.plans import PLANS, Plan
from tests.faults.replay import Replay

MARGIN = 5.0
"""How late, in seconds, a step may be beyond what the faults excuse: as late as the engine calls overdue."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: nothing, if all is well. ``worst`` is how late a step was beyond what the faults excuse."""

    violations: Sequence[str]
    worst: float


def prove(evidence: Evidence, plans: Mapping[str, Plan] = PLANS, margin: float = MARGIN) -> Verdict:
    """Look for whatever breaks a promise."""
    found: list[str] = []
    weather = Weather(evidence.blows)
    histories: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(evidence.entries, key=lambda e: e.id):
        histories[entry.incident].append(entry)
    attempts: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in evidence.attempts:
        attempts[attempt.key].append(attempt)
    worst = 0.0
    for row in evidence.incidents:
        history = histories.pop(row.id, [])
        complain = partial(_add, found, f"{row.key} ({row.id})")
        replay = Replay(plans[row.severity], weather, margin, complain)
        replay.run(history, evidence.ended)
        replay.agrees(row)
        worst = max(worst, replay.worst)
        compare(history, attempts.get(row.key, []), weather, complain)
    found += [f"history of no incident: {name}" for name in histories]
    found += [*_missing(evidence, attempts), *_refused(evidence.attempts), *_versions(evidence)]
    for client in evidence.clients:
        found += _client(client, {row.id: row for row in evidence.incidents}, evidence.version)
    return Verdict(found, worst)


def _add(found: list[str], where: str, what: str) -> None:
    found.append(f"{where}: {what}")


def _missing(evidence: Evidence, attempts: Mapping[str, Sequence[Attempt]]) -> Iterator[str]:
    keys = Counter(row.key for row in evidence.incidents)
    for key, count in keys.items():
        if count > 1:
            yield f"{key}: {count} incidents of one key"
        if not any(a.kind == "trigger" and a.outcome is not Outcome.REFUSED for a in attempts.get(key, ())):
            yield f"{key}: nobody triggered it"
    for key, asked in attempts.items():
        if key not in keys and any(a.outcome is Outcome.ACCEPTED for a in asked):
            yield f"{key}: accepted, and not there"


def _refused(attempts: Sequence[Attempt]) -> Iterator[str]:
    """A person may come too late (400); a page, or a valid token, is never refused."""
    for attempt in attempts:
        if attempt.outcome is Outcome.REFUSED and (attempt.kind == "trigger" or attempt.status != 400):
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
