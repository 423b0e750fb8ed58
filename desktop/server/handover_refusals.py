"""How a refusal of the rules of handovers and acting primaries becomes an answer. Values only."""

from collections.abc import Iterator
from contextlib import contextmanager

from desktop.domain.errors import InputError
from desktop.server.failures import Refused

NOT_NOW = 9010


def conflict(*errors: str) -> Refused:
    """Return the refusal (409) of what makes sense and is allowed, but not as things stand."""
    return Refused(409, NOT_NOW, "Conflict", errors)


def senseless() -> Refused:
    """Return the refusal of what is about a handover of whose rows no sense can be made; the log says why."""
    return conflict("no sense can be made of what is kept of this handover: see the server's log")


@contextmanager
def said() -> Iterator[None]:
    """Turn what the rules refuse into a 409: who may do what was looked at before, and so was the form."""
    try:
        yield
    except InputError as error:
        raise conflict(error.message) from error
