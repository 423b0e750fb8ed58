"""The emergency handover on Watchbell's own server, beside PagerDuty's protocol. On the thread of the ``Wire``."""

from desktop.backends.pagerduty.client import Json, Wire
from desktop.backends.pagerduty.team import need_own_server

PATH = "/watchbell/v1/handovers"


def request(wire: Wire, to: str, reason: str) -> Json:
    """Ask ``to`` (a person's id) to take over one's own watch, and return the handover as the server shows it.

    The same request again is the same handover. InputError where the other side is not Watchbell's own server: it is
    asked first, before anything is said to it.
    """
    need_own_server(wire, PATH, "a handover can only be asked for there")
    wish = {"receiver": {"type": "user_reference", "id": to}, "reason": reason}
    found = wire.post(PATH, {"handover": wish}).get("handover")
    return found if isinstance(found, dict) else {}
