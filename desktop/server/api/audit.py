"""``GET /watchbell/v1/audit``: who changed what, from where. On worker threads; for admins."""

from fastapi import APIRouter

from desktop.server import audit, rights
from desktop.server.api.common import Here, Json, Me, Page, instant

router = APIRouter()


@router.get("/watchbell/v1/audit")
def list_audit(station: Here, person: Me, page: Page, since: str | None = None, until: str | None = None) -> Json:
    """List the audit log, the latest first, ``[since, until)``; what is further back is asked for with ``until``."""
    asked = audit.Asked(instant(since, "since"), instant(until, "until"), page.limit, page.offset)
    with station.storage.read() as connection:
        rights.need_admin(connection, person)
        found, total = audit.read(connection, asked)
    return page.answer("audit", found[: page.limit], more=len(found) > page.limit, total=total)
