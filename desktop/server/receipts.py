"""What the tray application of somebody who was paged confirms: displayed, sounded, input. On the writer's thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from desktop.server import audit
from desktop.server.audit import By
from desktop.server.records import RECEIPTS
from desktop.server.tables.messages import pages
from desktop.server.writer import Work

BY_ITSELF = ("page.displayed", "page.sounded")
"""The actions of the audit log that an application took while nobody touched it."""

_page = pages.c


@dataclass(frozen=True, slots=True)
class Receipt:
    """The pages of an incident up to the ``page``-th were ``type`` (one of ``RECEIPTS``) at somebody's application."""

    incident: str
    page: int
    type: str


_MINE = (
    (_page.incident_id == bindparam("b_incident")),
    (_page.number <= bindparam("b_page")),
    (_page.person_id == bindparam("b_person")),
)
_KNOWN = select(func.count()).select_from(pages).where(*_MINE)
# The first time counts: whoever says it twice says nothing new.
_CONFIRM = {
    name: update(pages)
    .where(*_MINE, pages.c[f"{name}_at"].is_(None))
    .values({f"{name}_at": bindparam("b_at")})
    .returning(_page.number)
    for name in RECEIPTS
}


def confirm(work: Work, by: By, person: str, receipts: Sequence[Receipt], now: datetime) -> list[Receipt]:
    """Take the ``receipts`` of ``person``; return those that are about pages of theirs."""
    return [receipt for receipt in receipts if _one(work, by, person, receipt, now)]


def _one(work: Work, by: By, person: str, receipt: Receipt, now: datetime) -> bool:
    mine: dict[str, Any] = {"b_incident": receipt.incident, "b_page": receipt.page, "b_person": person}
    confirmed = work.connection.execute(_CONFIRM[receipt.type], {**mine, "b_at": now}).scalars().all()
    if not confirmed:
        return bool(work.connection.execute(_KNOWN, mine).scalar_one())
    number = max(confirmed)
    row = {"incident_id": receipt.incident, "type": receipt.type, "at": now, "actor": f"person:{person}"}
    work.history.append({**row, "channel": "api", "data": {"assignees": [person], "page": number}})
    audit.note(work.connection, by, f"page.{receipt.type}", f"incident:{receipt.incident}", now, after={"page": number})
    return True
