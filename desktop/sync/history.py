"""Asks a backend what happened while nobody watched. Blocks, on a thread of the caller's."""

from datetime import timedelta

from desktop.backends.base import Backend
from desktop.domain.errors import NotFound
from desktop.domain.incident import Incident
from desktop.domain.meanwhile import ASKED, Happened, Missed, happened, may_have_paged

# PagerDuty lists by time for no longer than six months.
_LONGEST = timedelta(days=180)


def ask(backend: Backend, missed: Missed, offset: timedelta, me: str) -> Happened:
    """Return what happened to ``me`` in a gap; ``offset`` is server time minus local time.

    Raises a BackendError when a single question is refused: then all of it is to be asked again.
    """
    until = missed.gap.until + offset
    since = max(missed.gap.since + offset, until - _LONGEST)
    listed = {i.id: i for i in backend.incidents(resolved=True, since=since)}
    others = may_have_paged(tuple(listed.values()), since, until, me, missed.held)
    paged = {i.id for i in others[:ASKED] if backend.paged(i.id, me)}
    silent = {i.id for i in others} - paged
    unlisted = [i for i in missed.held if i not in listed][:ASKED]
    found = [i for i in listed.values() if i.id not in silent]
    found += [it for i in unlisted if (it := _one(backend, i)) is not None]
    concerned = tuple(i for i in found if i.id in missed.held or since <= i.created_at <= until)
    return happened(concerned, since, until, me, missed.held)


def _one(backend: Backend, incident_id: str) -> Incident | None:
    try:
        return backend.incident(incident_id)
    except NotFound:
        return None
