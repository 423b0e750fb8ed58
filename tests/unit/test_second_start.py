"""What a second start says: only "show" and a token are understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.second_start import MOST_BYTES, asked, request


@given(st.text(max_size=400))
def test_every_request_is_understood_and_has_no_line_but_its_own(token: str) -> None:
    line = request(token)
    assert asked(line) in {"", token}
    assert line.count(b"\n") == 1
    assert len(line) <= MOST_BYTES


@given(st.binary(max_size=400))
def test_what_is_no_request_is_dropped(line: bytes) -> None:
    token = asked(line)
    assert token is None or request(token) == line


@pytest.mark.parametrize("line", [b"", b"\n", b"show", b"quit\n", b"show a b\n", b"show \n", b"SHOW\n", b"show \xff\n"])
def test_only_the_one_word_is_known(line: bytes) -> None:
    assert asked(line) is None
