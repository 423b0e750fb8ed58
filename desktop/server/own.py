"""Which incidents are the server's own affair: pages of handovers, and what it finds of itself. Pure.

They page people and are nobody's outage: neither duties follow from them nor does the review count them.
"""

from sqlalchemy import ColumnElement, and_, exists

from desktop.server import findings, schema
from desktop.server.tables.handovers import handover_offers

_offers = handover_offers.c


def not_own() -> ColumnElement[bool]:
    """Return what holds of all other rows of ``incidents``."""
    offered = exists().where(_offers.incident_id == schema.incidents.c.id)
    return and_(schema.incidents.c.service_id != findings.SERVICE, ~offered)
