"""A real mail server on this machine that keeps what it is given. Its own thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller


class Mailbox:
    """What came in: to whom, and the mail; ``refuse`` is answered instead of taking one. ``address`` is Apprise's."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Message]] = []
        self.refuse = ""
        self.address = ""

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Take a mail."""
        if self.refuse:
            return self.refuse
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 OK"


class _AnyPort(Controller):
    """A controller that finds out which port the system picked before it tries it."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run a mail server that takes mail for anybody."""
    box = Mailbox()
    controller = _AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        box.address = f"mailto://127.0.0.1:{controller.port}/?from=watchbell@example.com&to=ana@example.com"
        yield box
    finally:
        controller.stop()
