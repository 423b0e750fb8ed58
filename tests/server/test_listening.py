"""The socket that answers go out by."""

import asyncio
import socket

import pytest

from desktop.server.listening import open_socket


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_do_not_wait_for_the_client_to_confirm_what_it_got(host: str) -> None:
    """A head and a body are two writes: without TCP_NODELAY the second waits for the delayed ACK of the first."""

    async def connect() -> int:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        class Taken(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                own = transport.get_extra_info("socket")
                accepted.set_result(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        with open_socket(host, 0, tell=False) as listener:
            server = await asyncio.get_running_loop().create_server(Taken, sock=listener)
            async with server:
                _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
                found = await asyncio.wait_for(accepted, 10)
                writer.close()
                await writer.wait_closed()
                return found

    assert asyncio.run(connect()) != 0
