"""``/watchbell/v1/acting``: who stands in for a primary who is silent. On worker threads."""

from fastapi import APIRouter

from desktop.server import silences
from desktop.server.api.common import Here, Json, Me, Whose
from desktop.server.station import Station

router = APIRouter()

PLACE = "/watchbell/v1/acting"


@router.get(PLACE)
def get_acting(station: Here) -> Json:
    """Answer which primary is silent, who is offered their watch, who acts, and whom new pages go to meanwhile."""
    return _shown(station)


@router.post(PLACE + "/accept")
def accept(station: Here, person: Me, by: Whose) -> Json:
    """Take the watch that one is offered: one is primary until the primary acts or is back, or the shift ends."""
    silences.reply(station, by, person, yes=True)
    return _shown(station)


@router.post(PLACE + "/decline")
def decline(station: Here, person: Me, by: Whose) -> Json:
    """Do not take it: one is not asked again for what one acknowledged."""
    silences.reply(station, by, person, yes=False)
    return _shown(station)


@router.post(PLACE + "/back")
def back(station: Here, person: Me, by: Whose) -> Json:
    """Say that one is back: only the primary whose shift it is can."""
    silences.back(station, by, person)
    return _shown(station)


def _shown(station: Station) -> Json:
    with station.storage.read() as connection:
        return {"acting": silences.shown(station, connection)}
