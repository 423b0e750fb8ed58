"""What PagerDuty lets clients write and the team file rules here: refused (403), saying so. On the event loop."""

from fastapi import APIRouter

from desktop.server.rights import forbidden

router = APIRouter()

_WRITE = ["POST", "PUT", "PATCH", "DELETE"]
_PLACES = ("escalation_policies", "schedules", "services", "users")


async def _refuse() -> None:
    raise forbidden("this stands in the team file: change it there, and apply the file (watchbell team apply FILE)")


for _place in _PLACES:
    for _path in (f"/{_place}", f"/{_place}/{{thing}}", f"/{_place}/{{thing}}/{{part:path}}"):
        router.add_api_route(_path, _refuse, methods=_WRITE, include_in_schema=False)
