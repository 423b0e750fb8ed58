"""Handovers and the watch: always somebody on call, who said yes before, and one outcome of each handover. Pure."""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from tests.faults.evidence import Attempt, Evidence, Outcome, Weather
from tests.faults.plans import ROLES
from tests.faults.traces import Handover, Sighting

STALE = 6.0
"""How long a server may not know of a change that another made, beyond what the faults excuse."""

POINTS = {"briefing", "access"}
DONE = "done"
# What an answer wrote is told, and what ended a handover is carried through, within so long if nothing strikes.
_SOON = 5.0
_MOMENT = 0.1


def handed(evidence: Evidence, weather: Weather) -> Iterator[str]:
    """Yield what is wrong with the watch, at any instant of the run, and with handovers."""
    began = min((a.began for a in evidence.attempts), default=evidence.ended)
    yield from evidence.rota.gaps(began, evidence.ended)
    for sighting in evidence.sightings:
        yield from _sighted(sighting, evidence, weather)
    rows = {h.id: h for h in evidence.handovers}
    yield from _asked(evidence, rows.keys())
    for handover in evidence.handovers:
        said = [a for a in evidence.attempts if a.key == handover.id and a.outcome is not Outcome.REFUSED]
        for what in _one(handover, said, evidence, weather):
            yield f"handover {handover.id} ({handover.key}): {what}"


def _sighted(seen: Sighting, evidence: Evidence, weather: Weather) -> Iterator[str]:
    """Whoever looked saw one person for each role, who had it then or a moment before.

    A server whose clock is wrong says who has it then.
    """
    right = not any(b.skew and b.began <= seen.ended and b.ended >= seen.began for b in evidence.blows)
    wrong = weather.skew(seen.began - STALE, seen.ended)
    back = STALE + wrong + weather.stopped(seen.began - 30, seen.ended)
    for role in ROLES:
        people = seen.roles.get(role, ())
        if not people and evidence.rota.nobody_left(role, seen.began - back, seen.ended + wrong + _MOMENT):
            continue  # all others are away: that is said as such
        if len(people) != 1:
            yield f"at {seen.began:.2f} {list(people) or 'nobody'} was shown as {role}"
        elif right and people[0] not in evidence.rota.may(role, seen.began - back, seen.ended + wrong + _MOMENT):
            yield f"at {seen.began:.2f} {people[0]} was shown as {role}, who had not been for {back:.1f} s"


def _asked(evidence: Evidence, rows: Collection[str]) -> Iterator[str]:
    """Each handover that was answered is there, once for each key; none is there that nobody asked for."""
    asked = [a for a in evidence.attempts if a.kind == "handover.request" and a.outcome is not Outcome.REFUSED]
    answers: dict[tuple[str, str], set[str]] = {}
    for attempt in asked:
        if attempt.outcome is Outcome.ACCEPTED:
            answers.setdefault((attempt.actor, attempt.key), set()).add(attempt.about)
    for (actor, key), ids in answers.items():
        if len(ids) > 1 or not ids <= set(rows):
            yield f"the request {key} by {actor} was answered with {sorted(ids)}"
    wanted = {(a.actor, a.key) for a in asked}
    for handover in evidence.handovers:
        if (f"person:{handover.asker}", handover.key) not in wanted:
            yield f"handover {handover.id}: nobody asked for it"


def _one(h: Handover, said: Sequence[Attempt], evidence: Evidence, weather: Weather) -> Iterator[str]:
    yield from _answers(h, said, weather)
    yield from _moved(h, weather)
    yield from _outcome(h, said)
    yield from _ended(h, said, evidence.ended, weather)


def _answers(h: Handover, said: Sequence[Attempt], weather: Weather) -> Iterator[str]:
    """Each yes and no was said by whom it is of, and each that was taken is there."""
    for offer in h.offers:
        for yes, kind in ((True, "handover.accept"), (False, "handover.decline")):
            asked = [a for a in said if (a.kind, a.actor) == (kind, f"person:{offer.person}")]
            # Who takes the watch of somebody has thereby said yes.
            took = yes and offer.person == h.asker and offer.incident is None
            if offer.yes is yes and not took and not _before(asked, offer.answered, weather):
                yield f"{kind} of {offer.person}, who had not said so"
            if offer.yes is None and any(a.outcome is Outcome.ACCEPTED for a in asked):
                yield f"{kind} of {offer.person} was answered, and is not there"
    for point in h.confirmed:
        kind = "handover.waive" if point.waived else "handover.confirm"
        asked = [a for a in said if a.actor == f"person:{point.by}" and _says(a, kind, point.point)]
        if not _before(asked, point.at, weather):
            yield f"{point.point} {'waived' if point.waived else 'confirmed'} by {point.by}, who had not said so"


def _says(attempt: Attempt, kind: str, point: str) -> bool:
    return (attempt.kind == kind and attempt.about == point) or (
        attempt.kind == "handover.accept" and kind == "handover.confirm" and point in attempt.about.split()
    )


def _before(asked: Sequence[Attempt], at: float | None, weather: Weather) -> bool:
    when = math.inf if at is None else at
    return any(a.began - _MOMENT - weather.wrong(when) <= when for a in asked)


def _moved(h: Handover, weather: Weather) -> Iterator[str]:
    """Nothing is made before somebody said yes and both points are confirmed; overrides are for who said so."""
    said = {point: weather.wrong(point) for point in (*(c.at for c in h.confirmed), *_yeses(h).values())}
    for made in h.made:
        # Both were written by a clock that may have been wrong, each at its own time.
        latest = made.at + _MOMENT + weather.skew(made.at - 1, made.at + 1)
        ready = [
            person
            for person, answered in _yeses(h).items()
            if answered - said[answered] <= latest
            and {c.point for c in h.confirmed if c.receiver == person and c.at - said[c.at] <= latest} == POINTS
        ]
        if not ready:
            yield f"made {made.kind} {made.thing} before a yes that is confirmed"
        elif made.person is not None and made.person not in ready:
            yield f"put {made.person} on call, who did not say yes"


def _yeses(h: Handover) -> dict[str, float]:
    """Return who said yes, and when."""
    return {o.person: o.answered for o in h.offers if o.yes and o.answered is not None}


def _outcome(h: Handover, said: Sequence[Attempt]) -> Iterator[str]:
    """One outcome, told once, which fits what was made."""
    if h.closes != (h.ended is not None):
        yield f"it ended {h.closes} times, the row says {h.outcome}"
    for what, count in Counter(h.told).items():
        if count > 1:
            yield f"{what[:2]} was told {count} times"
    overrides = [made for made in h.made if made.kind == "override"]
    if h.outcome == DONE and not overrides:
        yield "done, and nobody was put on call"
    if h.outcome in ("declined", "cancelled", "expired") and h.made:
        yield f"{h.outcome}, and yet {[made.kind for made in h.made]}"
    if h.outcome == "cancelled" and not any(a.kind == "handover.cancel" for a in said):
        yield "called off by nobody"


def _ended(h: Handover, said: Sequence[Attempt], ended: float, weather: Weather) -> Iterator[str]:
    """What is over is told, and what was called off is over, soon."""
    if h.ended is not None and not any(about == h.outcome for _, about, _ in h.told):
        late = ended - h.ended - weather.stopped(h.ended, ended) - weather.skew(h.ended, ended)
        if late > _SOON:
            yield f"nobody was told that it was {h.outcome}"
    called_off = [a for a in said if a.kind == "handover.cancel" and a.outcome is Outcome.ACCEPTED]
    if called_off and h.ended is None:
        late = ended - called_off[0].ended
        if late - weather.stopped(called_off[0].began, ended) > 2 * _SOON:
            yield "called off, and still open"
