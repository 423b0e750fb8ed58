"""``/watchbell/v1/openapi.json``: what of our own there is beside PagerDuty's API. On the event loop; made once."""

from functools import cache
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi

from desktop import __version__

router = APIRouter()

OURS = "/watchbell/v1/"

Json = dict[str, Any]

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "code", "errors"],
            "properties": {
                "message": {"type": "string"},
                "code": {"type": "integer"},
                "errors": {"type": "array", "items": {"type": "string"}},
            },
        }
    },
}
_REFUSED = {
    "description": "Refused, or not possible now: `errors` say why.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_KEYS = {
    "integrationKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An integration key; also `Token token=KEY`.",
    },
    "integrationPassword": {"type": "http", "scheme": "basic", "description": "The key as password, any user name."},
    "routingKey": {"type": "apiKey", "in": "header", "name": "X-Routing-Key", "description": "An integration key."},
}
_STREAM = {
    "get": {
        "summary": "Follow every change",
        "description": "Server-sent events without end: `snapshot`, then `incident`, `oncalls`, `handover` "
        "and `acting` with the whole object of each change, and a comment every ten seconds. Nothing is replayed: "
        "whoever comes back begins anew.",
        "operationId": "stream",
        "responses": {"200": {"description": "Events", "content": {"text/event-stream": {}}}, "default": _REFUSED},
    }
}


@router.get("/watchbell/v1/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Json:
    """Answer the OpenAPI document of our own endpoints."""
    return _document(cast("FastAPI", request.app))


@cache
def _document(api: FastAPI) -> Json:
    document = get_openapi(
        title="Watchbell",
        version=__version__,
        description="What Watchbell's server has beside PagerDuty's REST API v2 and Events API v2.",
        routes=api.routes,
    )
    document["paths"] = {path: found for path, found in document["paths"].items() if path.startswith(OURS)}
    for operations in document["paths"].values():
        for operation in operations.values():
            # Invalid input is a 400 here, in PagerDuty's shape like every other refusal.
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _REFUSED
    document["paths"][f"{OURS}stream"] = _STREAM
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Error"] = _ERROR
    token = {"type": "http", "scheme": "bearer", "description": "A person's token. `Token token=KEY` works, too."}
    document["components"]["securitySchemes"] = {"token": token, **_KEYS}
    document["security"] = [{"token": []}]
    return document
