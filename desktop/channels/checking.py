"""What is wrong with an address before anything is sent there: it is made, as for a message. On threads that may wait.

Apprise comes with it, as with the first message.
"""

import socket
from dataclasses import dataclass
from typing import Any

from desktop.channels import sending
from desktop.channels.outcome import Outcome, Trouble
from desktop.channels.places import is_public
from desktop.team.schemas import MAIL, PUSH, WEBHOOK

# Of these, what stands where a host does is one; elsewhere it is a token, a number to call, a name of the service's.
_WITH_HOST = MAIL | PUSH | WEBHOOK | {"mmost", "mmosts", "rocket", "rockets"}

PRIVATE = Trouble.PRIVATE.words


@dataclass(frozen=True, slots=True)
class Checked:
    """Why nothing can ever be sent to an address, in words (nothing: as far as one can see, it can).

    ``private``: it writes out a machine of this network, to which messages go only where that was allowed.
    """

    fault: str = ""
    private: bool = False


def check(address: str) -> Checked:
    """Return what can be said of ``address`` (a secret, which is never repeated) without sending anything."""
    try:
        plugin = sending.build(address)
    except Exception:  # noqa: BLE001 - a plugin's fault is its address's alone
        return Checked(sending.UNREADABLE)
    if isinstance(plugin, Outcome):
        return Checked(plugin.reason)
    return Checked(private=any(_writes_out_private(host) for host in _hosts(address, plugin)))


def _hosts(address: str, plugin: Any) -> list[str]:  # noqa: ANN401 - a plugin of Apprise's
    """Return the names of the machines that a message goes to, where the address says them."""
    if address.partition(":")[0].lower() not in _WITH_HOST:
        return []
    # Mail goes to its server, which need not be called like what stands behind the @.
    said = getattr(plugin, "smtp_host", None) or getattr(plugin, "host", None)
    return [said] if isinstance(said, str) and said else []


def _writes_out_private(host: str) -> bool:
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    numeric = _numeric(name)
    return numeric is not None and not is_public(numeric)


def _numeric(name: str) -> str | None:
    """Return the address that ``name`` writes out, in its usual form; None when it has to be looked up."""
    if ":" in name:
        return name
    try:
        # Also 127.1 and 2130706433: systems take them for addresses.
        return socket.inet_ntoa(socket.inet_aton(name))
    except OSError:
        return None
