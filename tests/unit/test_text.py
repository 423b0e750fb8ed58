import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.text import plain, shorten, storable, storable_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Disk full", "Disk full"),
        ("  a\n\tb  ", "a b"),
        ("a\0b", "a�b"),
        ("\x1b[31mred\x07", "[31mred"),
        ("\ud800", "�"),
        ("evil \u202egnp.exe", "evil gnp.exe"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("-rf /", "-rf /"),
        ("قاعدة البيانات", "قاعدة البيانات"),
        ("", ""),
        ("\u200b\u200d \u2060", ""),
        ("a\u200db", "a\u200db"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text, 100) == shown


@pytest.mark.parametrize(
    ("code", "stored"), [(0xD7FF, True), (0xD800, False), (0xDFFF, False), (0xE000, True), (0, False), (1, True)]
)
def test_what_no_database_can_hold_is_replaced(code: int, *, stored: bool) -> None:
    assert storable(f"é{chr(code)}") == (f"é{chr(code)}" if stored else "é�")


def test_plain_says_that_it_cut() -> None:
    assert plain("x" * 100_000, 10) == "x" * 9 + "…"
    # Cut text that shrinks to less than the limit must not look whole.
    assert plain("\x07" * 1000 + "abc", 10) == "…"
    assert plain("a" + " " * 1000 + "b", 10) == "a…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" + " " * 38 + "b", "a b"),
        ("a" + " " * 39 + "b", "a…"),
        ("a" + " " * 37 + "bc", "a bc"),
        ("a" + " " * 37 + "bcd", "a bc…"),
        ("\x07" * 30 + "1234567890", "1234567890"),
        ("\x07" * 30 + "12345678901", "123456789…"),
        ("\x07" * 31 + "123456789" + "\x07", "123456789…"),
        ("\x07" * 30 + "1234567890" + "\x07", "123456789…"),
    ],
)
def test_plain_looks_at_four_times_its_limit_and_says_so_where_there_is_more(text: str, shown: str) -> None:
    assert plain(text, 10) == shown


@given(st.text(alphabet=st.characters(), max_size=400), st.integers(1, 50))
def test_plain_is_one_short_line_that_can_be_stored(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert len(shown) <= limit
    assert shown == " ".join(shown.split())
    shown.encode()
    assert plain(shown, limit) == shown


@given(st.text(alphabet=st.characters()))
def test_storable_only_replaces(text: str) -> None:
    kept = storable(text)
    assert len(kept) == len(text)
    assert "\0" not in kept
    kept.encode()


def test_storable_json_reaches_everywhere() -> None:
    assert storable_json({"a\0": ["\0", {"b": "\ud800"}], "n": 1}) == {"a�": ["�", {"b": "�"}], "n": 1}


def test_shorten_keeps_what_fits() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "ab…"
    assert shorten("  a bcd", 5) == "  a…"
    assert shorten("abc", 0) == "…"
