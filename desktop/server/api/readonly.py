"""What PagerDuty lets clients write and the team file rules here: refused (403), saying so. On the event loop.

What it lets them read below those places and is not served here is not found (404).
"""

from fastapi import APIRouter

from desktop.server.failures import not_found
from desktop.server.rights import forbidden

router = APIRouter()

_WRITE = ["POST", "PUT", "PATCH", "DELETE"]
_PLACES = ("escalation_policies", "schedules", "services", "users")


async def _refuse() -> None:
    raise forbidden("this stands in the team file: change it there, and apply the file (watchbell team apply FILE)")


async def _missing() -> None:
    raise not_found("such thing")


for _place in _PLACES:
    # Reading what is not served is no matter of the team file, nor of the method: there is nothing.
    router.add_api_route(f"/{_place}/{{thing}}/{{part:path}}", _missing, methods=["GET"], include_in_schema=False)
    for _path in (f"/{_place}", f"/{_place}/{{thing}}", f"/{_place}/{{thing}}/{{part:path}}"):
        router.add_api_route(_path, _refuse, methods=_WRITE, include_in_schema=False)
