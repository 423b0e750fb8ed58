import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QWidget

from desktop.ui.text_block import TextBlock, plain_tooltip
from desktop.ui.theme import Scheme, Theme
from desktop.ui.words import title_of

HOSTILE = [
    '<b>bold</b> <img src="http://x/y.png"> &amp; <script>alert(1)</script>',
    "<qt>" + "x" * 200,
    "השרת payments לא מגיב מאז 03:12",
    "a\0b",
    "\u202eevil",
    "word " * 20_000,
    "W" * 100_000,
    "👩‍👩‍👧‍👦" * 100,
    "-rf --no-preserve",
]


def block(theme: Theme, text: str, width: int = 240, **how: int) -> TextBlock:
    made = TextBlock(theme, **how)  # type: ignore[arg-type]
    made.say(text)
    made.resize(width, made.heightForWidth(width))
    return made


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: repr(t[:12]))
def test_any_title_is_plain_and_at_most_three_lines(theme: Theme, text: str) -> None:
    shown = block(theme, title_of(text), max_lines=3)
    assert shown.textFormat() is Qt.TextFormat.PlainText
    assert shown.text() == title_of(text)
    one = block(theme, "one line", max_lines=3)
    assert shown.height() <= 3 * one.height()
    assert not shown.grab().isNull()


@pytest.mark.parametrize("text", ["<b>bold</b> & <i>x</i> " * 20, "long plain words " * 20])
def test_what_is_cut_stands_literally_in_the_tooltip(theme: Theme, text: str) -> None:
    shown = block(theme, title_of(text), max_lines=2)
    assert shown.elided
    document = QTextDocument()
    document.setHtml(shown.toolTip())
    assert document.toPlainText() == title_of(text)


def test_what_fits_has_no_tooltip(theme: Theme) -> None:
    shown = block(theme, "short", max_lines=3)
    assert not shown.elided
    assert shown.toolTip() == ""
    assert plain_tooltip("") == ""


def test_a_cut_line_ends_in_an_ellipsis_that_fits(theme: Theme) -> None:
    shown = block(theme, "one two three four five six seven eight nine ten eleven", width=120)
    rest = shown._cut(0)
    assert rest.text().endswith("…")
    assert rest.lineAt(0).naturalTextWidth() <= 120
    assert len(rest.text()) > 5


def test_right_to_left_text_starts_at_the_right(theme: Theme) -> None:
    shown = block(theme, "שלום", width=240)
    image = shown.grab().toImage()
    columns = {
        x for x in range(image.width()) for y in range(image.height()) if image.pixelColor(x, y).lightness() < 90
    }
    assert columns
    assert min(columns) > image.width() / 2


def test_part_of_a_text_can_be_bold_without_markup(theme: Theme) -> None:
    shown = TextBlock(theme)
    shown.say("to ", ("<Ben>", True), " now")
    assert shown.text() == "to <Ben> now"
    ranges = shown._laid_out(500).formats()
    assert [(r.start, r.length) for r in ranges] == [(3, 5)]


def test_saying_the_same_again_paints_nothing(theme: Theme, qtbot: object) -> None:
    shown = block(theme, "same")
    layouts = dict(shown._layouts)
    shown.say("same")
    assert shown._layouts == layouts


def test_colours_follow_the_theme(theme: Theme) -> None:
    host = QWidget()
    host.setStyleSheet("background: gray")
    shown = TextBlock(theme, parent=host)
    shown.say("mmmm", ("MMMM", True))
    shown.resize(shown.sizeHint())
    light = shown.grab().toImage()
    theme.set_scheme(Scheme.DARK)
    assert shown.grab().toImage() != light
