"""The ways to misbehave to a request. On the server's thread for it."""

import json
from collections.abc import Mapping

from tests.faults.backend.server import Exchange, Misbehave
from tests.faults.backend.speaking import Answer, refused

PORTAL = b"<!DOCTYPE html><html><title>Hotel Wi-Fi</title><form action=/login>Please log in</form></html>"
_MANY = b" " * (1 << 20)


def silent(exchange: Exchange) -> None:
    """Take the request and say nothing."""
    exchange.hold()


def half_open(exchange: Exchange) -> None:
    """Begin to answer, then say nothing more, though the connection stays."""
    said = exchange.answer()
    exchange.raw(_head(said, len(said.body)) + said.body[: len(said.body) // 2])
    exchange.hold()


def reset(exchange: Exchange) -> None:
    """Break off in the middle of the answer; what was asked for has not happened."""
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    exchange.reset()


def done_and_cut(exchange: Exchange) -> None:
    """Do what was asked for, and break the connection before the answer can be read."""
    exchange.answer()
    exchange.reset()


def drip(exchange: Exchange) -> None:
    """Send a body byte by byte, which never ends."""
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    _drip(exchange)


def drip_headers(exchange: Exchange) -> None:
    """Send a header byte by byte, which never ends."""
    exchange.raw(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    _drip(exchange)


def huge(exchange: Exchange) -> None:
    """Send 200 MB."""
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 209715200\r\n\r\n")
    for _ in range(200):
        exchange.raw(_MANY)


def status(code: int, headers: Mapping[str, str] | None = None, *, body: bytes | None = None) -> Misbehave:
    """Refuse with a status, in PagerDuty's shape unless a ``body`` is given."""
    said = refused(code, "no")
    told = Answer(code, said.body if body is None else body, headers or {})
    return lambda exchange: exchange.send(told)


def redirect(url: str) -> Misbehave:
    """Send to another address."""
    return lambda exchange: exchange.send(Answer(302, b"", {"Location": url + exchange.request.target}))


def says(body: bytes, kind: str = "application/json") -> Misbehave:
    """Answer something else with status 200."""
    return lambda exchange: exchange.send(Answer(200, body, {"Content-Type": kind}))


portal = says(PORTAL, "text/html")
invalid_json = says(b'{"incidents": [')
wrong_types = says(json.dumps({"user": [1], "incidents": "many", "oncalls": {"a": 1}, "incident": 7}).encode())
no_list = says(b'{"status": "ok"}')
strange_numbers = says(b'{"user": {"id": "ana"}, "incidents": [{"id": "Q1", "incident_number": 1e999}], "oncalls": []}')


def streaming(*parts: bytes) -> Misbehave:
    """Open a stream that brings ``parts``, then nothing."""

    def misbehave(exchange: Exchange) -> None:
        exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for part in parts:
            exchange.raw(part)
        exchange.hold()

    return misbehave


def dripping_stream(exchange: Exchange) -> None:
    """Open a stream whose first event never ends."""
    exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: snapshot\ndata: ")
    _drip(exchange)


def _drip(exchange: Exchange) -> None:
    while not exchange.wait(0.02):
        exchange.raw(b"x")
    exchange.close()


def _head(said: Answer, length: int) -> bytes:
    lines = [f"HTTP/1.1 {said.status} OK", *(f"{k}: {v}" for k, v in said.headers.items()), f"Content-Length: {length}"]
    return "\r\n".join((*lines, "", "")).encode()
