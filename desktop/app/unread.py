"""What stands for the settings among the connections while nobody knows what they name. Any thread; no Qt."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.errors import WatchbellError
from desktop.system.clock import utc_now

log = logging.getLogger(__name__)

SETTINGS = "settings.json"


class Unread:
    """``state`` looks like lost contact, for there may be a connection that nobody watches; None while all is well."""

    def __init__(self) -> None:
        self.state: ConnectionState | None = None

    @contextmanager
    def unless_followed(self) -> Iterator[None]:
        """Run the block, which follows the settings; what goes wrong in it is told by the state, and not raised."""
        try:
            yield
        except WatchbellError as e:
            self._because(e.message)
        except Exception as e:
            # A fault of ours must look like lost contact, never like calm.
            if self.state is None:
                log.exception("the settings cannot be followed")
            self._because(f"an internal error: {type(e).__name__}")
        else:
            self.state = None

    def _because(self, why: str) -> None:
        before = self.state
        if before is None or before.trouble != why:
            log.warning("the settings are not followed: %s", why)
            since = before.since if before else utc_now()
            self.state = ConnectionState(SETTINGS, SETTINGS, Contact.LOST, since, trouble=why, names_others=True)
