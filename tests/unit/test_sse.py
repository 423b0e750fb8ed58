import pytest

from desktop.backends.pagerduty import sse
from desktop.backends.pagerduty.sse import ServerEvent, events
from desktop.domain.errors import BackendFault

STREAM = b': heartbeat\n\nevent: incident\nid: 7\ndata: {"a":\ndata: 1}\n\ndata: bare\r\n\r\nevent: cut\ndata: off'
EXPECTED = [ServerEvent(":", "heartbeat"), ServerEvent("incident", '{"a":\n1}', 7), ServerEvent("message", "bare")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_come_out_whole_however_the_bytes_come_in(size: int) -> None:
    chunks = [STREAM[i : i + size] for i in range(0, len(STREAM), size)]
    assert list(events(chunks)) == EXPECTED


def test_characters_cut_in_two_stay_whole() -> None:
    data = "data: é😀\n\n".encode()
    assert list(events([data[i : i + 1] for i in range(len(data))])) == [ServerEvent("message", "é😀")]


def test_an_endless_line_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "EVENT_LIMIT", 100)
    with pytest.raises(BackendFault):
        list(events(b"x" * 10 for _ in range(20)))


def test_an_endless_event_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "EVENT_LIMIT", 100)
    with pytest.raises(BackendFault):
        list(events(b"data: xxxxxxxxxx\n" for _ in range(20)))
