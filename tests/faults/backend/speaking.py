"""What the account answers when nothing is broken: PagerDuty's REST API, as far as the client uses it. Any thread."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.faults.backend.account import PEOPLE, SEVERITIES, Account, user

Json = dict[str, Any]
# How far back PagerDuty lists.
LAST = 10_000


@dataclass(frozen=True)
class Request:
    """One request as it came in; ``token`` tells whether one came along, ``at`` when (monotonic)."""

    method: str
    target: str
    token: str
    body: bytes
    at: float

    @property
    def path(self) -> str:
        """What is asked for, without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The query."""
        return parse_qs(urlsplit(self.target).query)


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(account: Account, request: Request) -> Answer:
    """Do what is asked for, and return the account's answer."""
    with account.lock:
        said = _refusal(account, request) or _do(account, request)
        date = format_datetime(account.now().replace(microsecond=0), usegmt=True)
        return Answer(said.status, said.body, {"Content-Type": "application/json", "Date": date, **said.headers})


def as_json(value: object, status: int = 200) -> Answer:
    """Return an answer with a body."""
    return Answer(status, json.dumps(value).encode())


def refused(status: int, message: str, code: int = 2001) -> Answer:
    """Return an error in PagerDuty's shape."""
    return as_json({"error": {"message": message, "code": code, "errors": [message]}}, status)


def _refusal(account: Account, request: Request) -> Answer | None:
    return None if request.token == account.token else refused(401, "Unauthorized", 2006)


def _do(account: Account, request: Request) -> Answer:
    first, _, rest = request.path.strip("/").partition("/")
    found: dict[tuple[str, str], Callable[[], Answer]] = {
        ("GET", "users"): lambda: as_json({"user": user("ana")}),
        ("GET", "priorities"): lambda: as_json({"priorities": [{"id": s, "name": s} for s in SEVERITIES]}),
        ("GET", "services"): lambda: as_json({"services": [{"id": "payments", "name": "Payments"}]}),
        ("GET", "oncalls"): lambda: _oncalls(account, request),
        ("GET", "incidents"): lambda: _one(account, rest) if rest else _many(account, request),
        ("PUT", "incidents"): lambda: _put(account, rest, json.loads(request.body)["incident"]["status"]),
        ("POST", "incidents"): lambda: _post(account, json.loads(request.body)["incident"]),
        ("POST", "watchbell"): lambda: _receipts(account, json.loads(request.body)["receipts"]),
    }
    return found.get((request.method, first), lambda: refused(404, "Not Found", 2100))()


def _one(account: Account, incident: str) -> Answer:
    if incident.endswith("/log_entries"):
        people = account.ever.get(incident.partition("/")[0], ())
        entries = [{"type": "assign_log_entry", "assignees": [user(person)]} for person in people]
        return as_json({"log_entries": entries, "more": False})
    if incident not in account.incidents:
        return refused(404, "Incident Not Found", 5001)
    return as_json({"incident": account.shown(incident)})


def _many(account: Account, request: Request) -> Answer:
    statuses, key = request.query.get("statuses[]", []), request.query.get("incident_key")
    found = list(account.incidents.values())
    found = [i for i in found if i["status"] in statuses and (key is None or i["incident_key"] in key)]
    if who := request.query.get("user_ids[]"):
        found = [i for i in found if any(a["assignee"]["id"] in who for a in i["assignments"])]
    for since in request.query.get("since", []):
        found = [i for i in found if datetime.fromisoformat(i["created_at"]) >= datetime.fromisoformat(since)]
    if request.query.get("sort_by") == ["created_at:desc"]:
        found.reverse()
    return _page(request, "incidents", found, lambda it: account.shown(it["id"]))


def _oncalls(account: Account, request: Request) -> Answer:
    who = request.query.get("user_ids[]")
    return _page(request, "oncalls", [o for o in account.oncalls() if not who or o["user"]["id"] in who])


def _page(request: Request, name: str, found: Sequence[Json], shown: Callable[[Json], Json] = dict) -> Answer:
    offset, limit = (int(request.query.get(name, [usual])[0]) for name, usual in (("offset", "0"), ("limit", "25")))
    limit = limit or 25
    if offset + limit > LAST:
        return refused(400, f"offset + limit must not exceed {LAST}")
    page = [shown(it) for it in found[offset : offset + limit]]
    more = len(found) > offset + limit
    return as_json({name: page, "offset": offset, "limit": limit, "more": more})


def _put(account: Account, incident: str, status: str) -> Answer:
    if incident not in account.incidents:
        return refused(404, "Incident Not Found", 5001)
    known = account.incidents[incident]["status"]
    if known == "resolved":
        return refused(400, "Incident Already Resolved", 1001)
    if known == status:
        return refused(400, "Incident Already Acknowledged", 1002)
    (account.acknowledge if status == "acknowledged" else account.resolve)(incident, "ana")
    return as_json({"incident": account.shown(incident)})


def _post(account: Account, wish: Json) -> Answer:
    key = wish.get("incident_key", "")
    for it in account.open_ones():
        if key and it["incident_key"] == key:
            return refused(400, "Open incident with matching dedup key already exists", 2002)
    severity = SEVERITIES.index(wish["priority"]["id"]) if "priority" in wish else 1
    to = wish["assignments"][0]["assignee"]["id"] if "assignments" in wish else next(iter(PEOPLE))
    return as_json({"incident": account.shown(account.trigger(wish["title"], severity, key, to))}, 201)


def _receipts(account: Account, receipts: list[Json]) -> Answer:
    known = [r for r in receipts if r["incident"] in account.incidents]
    if not account.ours or not known:
        return refused(404, "Not Found", 2100)
    account.receipts.extend(known)
    return as_json({})
