"""What became of one attempt to send: delivered or not, whether trying again can help, and why, in words. Pure.

All that can go wrong stands in two tables here. No reason ever repeats what the other side said, nor its address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType

# What the other side asks us to wait is honoured up to this long: a page is of no use the day after.
LONGEST_WAIT = 600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a message was ``delivered``; if not, why, whether to ``retry``, and after how many seconds at least."""

    delivered: bool
    reason: str = ""
    retry: bool = False
    retry_after: float | None = None


DELIVERED = Outcome(delivered=True)


class Trouble(Enum):
    """What kept a message from being sent, short of an answer: the words for it, and whether trying again can help."""

    UNKNOWN_NAME = ("the name of the other side is not known", True)
    UNREACHABLE = ("the other side cannot be reached", True)
    TIMED_OUT = ("the other side did not answer in time", True)
    UNTRUSTED = ("the certificate of the other side cannot be trusted", True)
    PRIVATE = (
        "the address is of this machine or a private network: start the server with --allow-private-channels",
        False,
    )

    def __init__(self, words: str, retry: bool) -> None:
        self.words = words
        self.retry = retry


# What an HTTP status means for the same message, sent again. Every other 4xx is for good, every 5xx may pass.
_STATUSES: Mapping[int, tuple[bool, str]] = MappingProxyType(
    {
        HTTPStatus.BAD_REQUEST: (False, "the service does not understand the message"),
        HTTPStatus.UNAUTHORIZED: (False, "the service does not accept the token or password"),
        HTTPStatus.FORBIDDEN: (False, "the service does not allow this"),
        HTTPStatus.NOT_FOUND: (False, "the service knows no such address"),
        HTTPStatus.REQUEST_TIMEOUT: (True, "the service gave up waiting"),
        HTTPStatus.GONE: (False, "the service does not know the address any more"),
        HTTPStatus.TOO_EARLY: (True, "the service asks to try again"),
        HTTPStatus.TOO_MANY_REQUESTS: (True, "the service asks for fewer messages"),
    }
)
_NOT_TAKEN = "the service did not take the message"


def refused(reason: str) -> Outcome:
    """Return that nothing was sent, and never will be, for ``reason``."""
    return Outcome(delivered=False, reason=reason)


def judge(*, taken: bool, statuses: Sequence[int], trouble: Trouble | None, retry_after: float | None) -> Outcome:
    """Return what an attempt came to: ``taken`` is what Apprise says, ``statuses`` what HTTP servers answered."""
    if taken and trouble is None and all(status < HTTPStatus.MULTIPLE_CHOICES for status in statuses):
        return DELIVERED
    if trouble is not None:
        return Outcome(delivered=False, reason=trouble.words, retry=trouble.retry)
    worst = max(statuses, default=HTTPStatus.OK)
    retry, words = of_status(worst)
    wait = None if retry_after is None or not retry else min(retry_after, LONGEST_WAIT)
    return Outcome(delivered=False, reason=words, retry=retry, retry_after=wait)


def of_status(status: int) -> tuple[bool, str]:
    """Return whether a message that was answered with ``status`` may be sent again, and what that means, in words."""
    if status < HTTPStatus.MULTIPLE_CHOICES:
        # It says so in a body, or it is no HTTP at all (mail): which of both kinds of refusal, nobody tells.
        return True, _NOT_TAKEN
    if status < HTTPStatus.BAD_REQUEST:
        return False, f"the service sent us elsewhere (HTTP {status}), which is not followed"
    known = _STATUSES.get(status)
    if known is not None:
        return known[0], f"{known[1]} (HTTP {status})"
    retry = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return retry, f"the service failed (HTTP {status})" if retry else f"{_NOT_TAKEN} (HTTP {status})"
