"""Log lines: each is one JSON object, whatever is in it; nobody outside can write one, and no token stands in any."""

import io
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.server.logs import OneLine

FORGED = 'x\n{"time": "2026-01-01T00:00:00.000Z", "level": "error", "event": "all is lost"}\r\x85\u2028\x1b[2K\x00'
TOKEN = "wb_" + "s3cret" * 8


def written(event: str, *arguments: object, trouble: bool = False, **fields: object) -> str:
    """Return what a handler writes of a line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine())
    record = logging.LogRecord("desktop.server.x", logging.WARNING, __file__, 1, event, arguments, None)
    record.fields = fields
    if trouble:
        try:
            raise ValueError(FORGED + TOKEN)
        except ValueError:
            record.exc_info = sys.exc_info()
    handler.emit(record)
    return stream.getvalue()


def read(text: str) -> dict[str, Any]:
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1, "splitlines knows every break that a reader of logs may know"
    assert text[:-1].isprintable()
    assert text.isascii()
    return dict(json.loads(text))


def test_a_line_has_time_level_event_and_fields() -> None:
    line = read(written("event refused", sender="10.0.0.1", count=3, ratio=0.5, none=None, yes=True))
    assert abs((datetime.fromisoformat(line.pop("time")) - datetime.now(UTC)).total_seconds()) < 60
    fields = {"sender": "10.0.0.1", "count": 3, "ratio": "0.5", "none": None, "yes": True}
    assert line == {"level": "warning", "from": "desktop.server.x", "event": "event refused", "fields": fields}


@pytest.mark.parametrize("trouble", [False, True])
def test_nothing_from_outside_makes_a_line_of_its_own(trouble: bool) -> None:
    line = read(written("sent %s", FORGED, trouble=trouble, sender=FORGED, key=[FORGED]))
    assert line["fields"]["sender"] == FORGED
    assert line["level"] == "warning"
    assert ("trace" in line) == trouble


@given(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_nor_does_anything_at_all(event: str, fields: dict[str, object]) -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "%s", (event,), None)
    record.fields = fields
    line = read(OneLine().format(record) + "\n")
    assert set(line) == {"time", "level", "from", "event", "fields"}


def test_no_token_and_no_end_of_text() -> None:
    text = written(f"at /{TOKEN}", trouble=True, path=TOKEN, whole="y" * 100_000, cut="z" * 1_990 + TOKEN)
    assert "s3cret" not in text
    assert len(text) < 30_000
    assert read(text)["event"] == "at /wb_***"
