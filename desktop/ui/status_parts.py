"""The parts of the status window: sections of facts, open pages. GUI thread."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.domain.attention import Page
from desktop.ui import summary, words
from desktop.ui.shapes import MarkIcon
from desktop.ui.text_block import Ink, TextBlock
from desktop.ui.theme import Theme, mark_of

_MOST_PAGES = 6


class Fact(QWidget):
    """A name on the left and what is the case on the right."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = TextBlock(theme, size=13)
        self.value = TextBlock(theme, size=13, ink="ink3", tabular=True, align=Qt.AlignmentFlag.AlignRight)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, theme.px(4), 0, theme.px(4))
        line.setSpacing(theme.px(12))
        line.addWidget(self.name)
        line.addWidget(self.value, 1)

    def say(self, name: str, value: str, ink: Ink = "ink3") -> None:
        """Show ``name`` and ``value``."""
        self.name.say(name)
        self.value.say(value)
        self.value.set_ink(ink)


class Section(QWidget):
    """A small heading and facts below; hidden while it has none."""

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.heading = TextBlock(theme, size=11.5, weight=600, ink="ink3")
        self.heading.say(title)
        self.facts: list[Fact] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, theme.px(16), 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.heading)
        self._column.addSpacing(theme.px(4))
        self.hide()

    def show_facts(self, facts: list[tuple[str, str, Ink]]) -> None:
        """Show ``facts``: name, value and the value's ink."""
        while len(self.facts) < len(facts):
            fact = Fact(self._theme)
            self.facts.append(fact)
            self._column.addWidget(fact)
        for index, fact in enumerate(self.facts):
            fact.setVisible(index < len(facts))
            if index < len(facts):
                fact.say(*facts[index])
        self.setVisible(bool(facts))


class PageLine(QWidget):
    """One open page: shape, title, what it is doing."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mark = MarkIcon(theme, 13)
        self.title = TextBlock(theme, size=13)
        self.state = TextBlock(theme, size=13, ink="ink3", align=Qt.AlignmentFlag.AlignRight)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, theme.px(4), 0, theme.px(4))
        line.setSpacing(theme.px(8))
        line.addWidget(self.mark)
        line.addWidget(self.title, 1)
        line.addWidget(self.state)

    def show_page(self, page: Page) -> None:
        """Show ``page``."""
        mark = mark_of(page.incident.severity)
        self.mark.set_mark(mark)
        self.title.say(words.title_of(page.incident.title))
        self.state.say(summary.page_state(page))
        self.state.set_ink("ink3" if page.sending else mark)


class PageLines(QWidget):
    """The most urgent open pages and how many more; says so when nothing is open."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = TextBlock(theme, size=11.5, weight=600, ink="ink3")
        self.heading.say("Open pages")
        self.lines = [PageLine(theme) for _ in range(_MOST_PAGES)]
        self.rest = TextBlock(theme, size=13, ink="ink3")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.px(16), 0, 0)
        column.setSpacing(0)
        column.addWidget(self.heading)
        column.addSpacing(theme.px(4))
        for line in self.lines:
            column.addWidget(line)
        column.addWidget(self.rest)

    def show_pages(self, pages: tuple[Page, ...], nothing: str) -> None:
        """Show ``pages``; ``nothing`` is said when there are none."""
        for line, page in zip(self.lines, pages, strict=False):
            line.show_page(page)
        for index, line in enumerate(self.lines):
            line.setVisible(index < len(pages))
        more = len(pages) - _MOST_PAGES
        self.rest.say(f"and {more} more" if more > 0 else "" if pages else nothing)
        self.rest.setVisible(more > 0 or not pages)
