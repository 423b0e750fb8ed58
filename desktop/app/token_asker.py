"""Asks for a token that a connection lacks: once by itself, then only when a person wants it. GUI thread."""

from PySide6.QtCore import QObject, Slot

from desktop.app.surfaces import Surfaces
from desktop.app.tokens import Tokens
from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.text import plain
from desktop.qt.bridge import Bridge

_PREFIX = "token of "
_BUTTON = "Enter a token…"


class TokenAsker(QObject):
    """Follows the connections; what is typed goes to ``tokens``, which tries and keeps it in the keyring."""

    def __init__(self, tokens: Tokens, surfaces: Surfaces, bridge: Bridge) -> None:
        super().__init__(surfaces)
        self._tokens = tokens
        self._surfaces = surfaces
        self._bridge = bridge
        self._states: dict[str, ConnectionState] = {}
        self._missing: set[str] = set()
        self._asked: set[str] = set()
        self._dialog = surfaces.token_dialog
        self._dialog.given.connect(self._give)
        self._dialog.later.connect(self._later)
        surfaces.status.notice_pressed.connect(self._pressed)

    def follow(self, states: tuple[ConnectionState, ...]) -> None:
        """Ask where a token is missing, and ask no longer where there is contact."""
        for gone in self._states.keys() - {s.id for s in states}:
            self._want_no_longer(gone)
        self._states = {s.id: s for s in states}
        for state in states:
            if state.needs_token and self._tokens.takes(state.id):
                self._miss(state)
            elif state.contact is Contact.LIVE:
                if state.id in self._missing:
                    self._tokens.trust(state.id)
                self._want_no_longer(state.id)
        self._next()

    def _want_no_longer(self, connection: str) -> None:
        self._missing.discard(connection)
        self._asked.discard(connection)
        self._dialog.withdraw(connection)
        self._surfaces.status.set_notice(_PREFIX + connection, None)

    def _miss(self, state: ConnectionState) -> None:
        if state.id not in self._missing:
            self._missing.add(state.id)
            self._tokens.doubt(state.id)
        text = f"{plain(state.name, 60)}: {state.trouble}. What is shown of it is old."
        self._surfaces.status.set_notice(_PREFIX + state.id, text, _BUTTON)

    def _next(self) -> None:
        """Ask about the first connection that lacks a token and was not asked about yet."""
        if self._dialog.connection:
            return
        for state in self._states.values():
            if state.needs_token and state.id not in self._asked and self._tokens.takes(state.id):
                self._ask(state)
                return

    def _ask(self, state: ConnectionState) -> None:
        self._asked.add(state.id)
        self._dialog.ask(state.id, state.name, f"{state.trouble}. Until then, what is shown of it is old.")

    @Slot(str, str)
    def _give(self, connection: str, token: str) -> None:
        def tried(trouble: str) -> None:
            self._bridge.call(lambda: self._dialog.tried(connection, trouble))

        self._tokens.give(connection, token, tried)

    @Slot(str)
    def _later(self, _connection: str) -> None:
        self._next()

    @Slot(str)
    def _pressed(self, key: str) -> None:
        state = self._states.get(key.removeprefix(_PREFIX))
        if key.startswith(_PREFIX) and state is not None:
            self._tokens.doubt(state.id, by_person=True)
            self._ask(state)
