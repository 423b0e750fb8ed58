"""Whom an incident concerned, by its log entries. On the thread of the ``Wire``."""

from desktop.backends.pagerduty.client import Json, Wire
from desktop.domain.errors import BackendFault

_PAGE, _PAGES = 100, 5


def concerns(wire: Wire, path: str, person: str) -> bool:
    """Tell whether the log entries at ``path`` (the latest first; the last 500) say that ``person`` was paged."""
    for number in range(_PAGES):
        answer = wire.get(path, [("limit", str(_PAGE)), ("offset", str(number * _PAGE))])
        entries = answer.get("log_entries")
        if not isinstance(entries, list):
            raise BackendFault("the answer has no log_entries in it: is it from the right server?")
        if any(_names(entry, person) for entry in entries):
            return True
        if not answer.get("more"):
            break
    return False


def _names(entry: object, person: str) -> bool:
    """Tell whether an entry assigns to ``person`` (``assignees``) or notifies them (``user``)."""
    it: Json = entry if isinstance(entry, dict) else {}
    assignees = it.get("assignees")
    people = [*(assignees if isinstance(assignees, list) else []), it.get("user")]
    return any(isinstance(p, dict) and p.get("id") == person for p in people)
