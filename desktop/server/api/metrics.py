"""``GET /metrics`` for Prometheus: with a person's token, like everything but health. On worker threads."""

from fastapi import APIRouter
from fastapi.responses import Response

from desktop.server.api.common import Here

router = APIRouter()


@router.get("/metrics")
def metrics(station: Here) -> Response:
    """Answer all metrics in Prometheus' text format."""
    # Costs a tenth of a second: only where somebody asks.
    from desktop.server import metrics as words  # noqa: PLC0415

    return Response(words.exposition(station), media_type=words.CONTENT_TYPE)
