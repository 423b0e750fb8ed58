"""Asks for a new token: a small window that blocks nobody and shows nothing of what is typed. GUI thread."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.ui import words
from desktop.ui.buttons import ActionButton, Look
from desktop.ui.text_block import TextBlock
from desktop.ui.theme import RADIUS_BUTTON, Mark, Theme

WIDTH = 400
# Longer than any token; what is pasted by mistake is often a whole file.
_LIMIT = 8192


class TokenDialog(QDialog):
    """Asks for the token of one connection at a time; ``given`` carries its id and the token.

    Whoever tries the token says how that went by ``tried``. ``later`` carries the id when a person does not want to.
    """

    given = Signal(str, str)
    later = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Token")
        self._theme = theme
        self._connection = ""
        self.question = TextBlock(theme, size=15, weight=700, max_lines=3)
        self.reason = TextBlock(theme, size=12, ink="ink3", max_lines=8)
        self.field = QLineEdit()
        self.trouble = TextBlock(theme, size=12, ink=Mark.SEV0, max_lines=5)
        self.connect_button = ActionButton(theme, "Connect", look=Look.PRIMARY)
        self.later_button = ActionButton(theme, "Later")
        self._prepare_field()
        self._lay_out()
        self.connect_button.clicked.connect(self._give)
        self.later_button.clicked.connect(self.reject)
        self.rejected.connect(self._not_now)
        theme.changed.connect(self._recolour)
        self._recolour()

    @property
    def connection(self) -> str:
        """The id of the connection that is asked about; empty while nothing is."""
        return self._connection

    def ask(self, connection: str, name: str, reason: str) -> None:
        """Ask for the token of the connection with this id and name; ``reason`` says why (plain text)."""
        self._connection = connection
        shown = words.name_of(name)
        self.question.say(f"A new token for {shown}")
        self.reason.say(words.title_of(reason))
        self.field.setAccessibleName(f"Token for {shown}")
        self.field.clear()
        self._say("")
        self._enable(True)
        self.open()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def tried(self, connection: str, trouble: str) -> None:
        """Go away since the token works, or say the ``trouble`` and let another be typed."""
        if connection != self._connection:
            return
        if not trouble:
            self.withdraw(connection)
            return
        self._enable(True)
        self._say(trouble)
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def withdraw(self, connection: str) -> None:
        """Ask no longer: the connection works again."""
        if connection == self._connection:
            self._connection = ""
            self.field.clear()
            self.accept()

    def _prepare_field(self) -> None:
        field, theme = self.field, self._theme
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setInputMethodHints(
            Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhNoAutoUppercase
        )
        field.setMaxLength(_LIMIT)
        field.setFont(theme.font(13))
        field.setMinimumHeight(theme.px(36))
        field.setPlaceholderText("Paste or type the token")

    def _lay_out(self) -> None:
        theme = self._theme
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.px(8))
        buttons.addWidget(self.connect_button, 1)
        buttons.addWidget(self.later_button)
        self.connect_button.setDefault(True)
        self.later_button.setAutoDefault(False)
        column = QVBoxLayout(self)
        side = theme.px(20)
        column.setContentsMargins(side, theme.px(16), side, theme.px(16))
        column.setSpacing(theme.px(8))
        for part in (self.question, self.reason, self.field, self.trouble):
            column.addWidget(part)
        column.addSpacing(theme.px(4))
        column.addLayout(buttons)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        self.setFixedWidth(theme.px(WIDTH))

    def _fit(self) -> None:
        """Take the height that the words need: how high wrapped text is depends on the width."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.setFixedHeight(layout.totalHeightForWidth(self.width()))

    def _say(self, trouble: str) -> None:
        self.trouble.say(trouble)
        self.trouble.setVisible(bool(trouble))
        self._fit()

    def _enable(self, enabled: bool) -> None:
        self.field.setEnabled(enabled)
        self.connect_button.setEnabled(enabled)
        self.connect_button.set_words("Connect" if enabled else "Trying…")

    @Slot()
    def _give(self) -> None:
        token = self.field.text().strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            self._say("That is no token: it is one word of letters, digits and signs.")
            return
        self.field.clear()
        self._say("")
        self._enable(False)
        self.given.emit(self._connection, token)

    @Slot()
    def _not_now(self) -> None:
        connection, self._connection = self._connection, ""
        self.field.clear()
        self.later.emit(connection)

    @Slot()
    def _recolour(self) -> None:
        colours = self._theme.colours
        palette = QPalette(self.field.palette())
        palette.setColor(QPalette.ColorRole.Text, colours.ink)
        palette.setColor(QPalette.ColorRole.PlaceholderText, colours.ink3)
        self.field.setPalette(palette)
        radius, line = self._theme.px(RADIUS_BUTTON), colours.line.name()
        ground, focus = colours.ground.name(), colours.ink.name()
        self.field.setStyleSheet(
            f"QLineEdit {{ background: {ground}; border: 1px solid {line}; border-radius: {radius}px; padding: 0 8px }}"
            f"QLineEdit:focus {{ border: 1px solid {focus}; }}"
        )
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the ground."""
        QPainter(self).fillRect(self.rect(), self._theme.colours.ground2)
