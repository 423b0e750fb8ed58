"""A relay between a server and PostgreSQL, which cuts the line or lets it hang half open. A thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

_CHUNK = 65536


class Relay:
    """Passes on what comes to ``port`` on the loopback to the Unix socket in ``folder``, and back."""

    def __init__(self, folder: Path) -> None:
        self.port = 0
        self._target = folder / ".s.PGSQL.5432"
        self._loop = asyncio.new_event_loop()
        self._lines: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay")

    def start(self) -> None:
        """Begin to pass on."""
        self._thread.start()
        self._do(self._start()).result(10)

    def stop(self) -> None:
        """End, with all lines."""
        self._do(self._stop()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Cut every line that there is, both ways."""
        self._do(self._cut()).result(10)

    def hang(self) -> None:
        """Keep every line open, and pass nothing on until ``go_on``."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def go_on(self) -> None:
        """Pass on what waits."""
        self._loop.call_soon_threadsafe(self._passing.set)

    def through(self, database: str) -> str:
        """Return the URL of ``database`` as it is reached through the relay."""
        url = make_url(database).set(host="127.0.0.1", port=self.port, query={})
        return url.render_as_string(hide_password=False)

    def _do(self, coroutine: Coroutine[Any, Any, None]) -> "Future[None]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _start(self) -> None:
        self._passing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._cut()
        self._passing.set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _cut(self) -> None:
        for line in tuple(self._lines):
            line.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            there, back = await asyncio.open_unix_connection(str(self._target))
            ends.append(back)
            self._lines.update(ends)
            ways = [asyncio.ensure_future(self._pass_on(*way)) for way in ((reader, back), (there, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # PostgreSQL is down: whoever came finds the line closed
        finally:
            for end in ends:
                self._lines.discard(end)
                end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                await self._passing.wait()
                writer.write(chunk)
                await writer.drain()


@contextlib.contextmanager
def relaying(folder: Path) -> Iterator[Relay]:
    """Run a relay to the socket in ``folder`` until the block ends."""
    relay = Relay(folder)
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()
