"""Rows that travel as one text: what stands in them comes out as it was."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, select

from desktop.server import bulk, schema
from desktop.server.dialects import insert_all
from tests.server.house import House

AT = datetime(2026, 3, 2, 8, 0, 0, 123_456, UTC)
HARD = [
    "",
    "'; DROP TABLE incidents; --",
    'quotes " and \\ and \\u0041',
    "%s %(x)s :name",
    "äß漢🐘",
    "a\tb\r\nc\x7f",
    "null",
]


def _entry(text: str, data: object) -> dict[str, Any]:
    return {"incident_id": "I", "type": "note", "at": AT, "actor": text, "channel": "api", "data": data}


def _stored(house: House, rows: list[dict[str, Any]]) -> list[Any]:
    storage = house.server.station.storage
    key = house.enqueue(key="k")
    entries = schema.log_entries.c
    with storage.write() as connection:
        incident = connection.execute(select(schema.incidents.c.id).where(schema.incidents.c.dedup_key == key)).scalar()
        insert_all(connection, schema.log_entries, [{**row, "incident_id": incident} for row in rows])
        found = connection.execute(
            select(entries.actor, entries.at, entries.data).where(entries.type == "note").order_by(entries.id)
        )
        return [tuple(row) for row in found]


def test_every_text_comes_back_as_it_was(house: House) -> None:
    data: list[object] = [{"text": text, "more": [1, None, True, 2.5, 10**30, {}]} for text in HARD]
    rows = [_entry(text[:300], each) for text, each in zip(HARD, data, strict=True)]
    assert _stored(house, rows) == [(text, AT, each) for text, each in zip(HARD, data, strict=True)]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_cannot_be_stored_is_replaced(house: House) -> None:
    [(actor, _, data)] = _stored(house, [_entry("a\0b\ud800c", {"deep": ["x\0y"]})])
    assert actor == "a\ufffdb\ufffdc"
    assert data == {"deep": ["x\ufffdy"]}


def test_a_backslash_before_what_looks_like_nul_is_kept() -> None:
    text = "a\\u0000b"
    assert json.loads(bulk.packed([{"text": text}])["rows"]) == [{"text": text}]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_any_number_of_rows_is_inserted_in_the_same_words(house: House) -> None:
    said = []
    engine = house.server.station.storage.engine
    event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    _stored(house, [_entry("one", {})])
    _stored(house, [_entry("one", {}), _entry("two", {})])
    inserts = [words for words in said if words.startswith("INSERT INTO log_entries")]
    assert len(inserts) > 2
    assert len(set(inserts)) == 1


def test_only_instants_are_turned_into_numbers() -> None:
    assert json.loads(bulk.packed([{"at": AT, "none": None}])["rows"]) == [{"at": schema.to_micros(AT), "none": None}]
    with pytest.raises(TypeError, match="set cannot be stored"):
        bulk.packed([{"odd": {1}}])
