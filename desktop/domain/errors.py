"""Every error that a person may see, as one tree. Pure.

WatchbellError
├── InputError              what was typed or given is wrong: exit code 2
│   └── TeamFileError       a team file, every mistake of it
├── SecretsUnavailable      no usable keyring
│   ├── KeyringAbsent       there is none
│   └── KeyringLocked       there is one, and it waits for a person or was refused its password
├── StorageError            a local database that cannot be used
└── BackendError            a backend did not do what was asked
    ├── Unreachable         no answer: exit code 3
    ├── Unauthorized        the token is unknown or revoked
    ├── Forbidden           the token may not do this
    ├── NotFound            no such thing there
    ├── Rejected            understood and refused for good
    ├── RateLimited         too many requests
    └── BackendFault        an answer that makes no sense, or "try later"
"""

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.domain.ailment import Ailment

# What fits a terminal that can still be scrolled; whoever mends these runs the check again.
_LINES = 100


class WatchbellError(Exception):
    """An error for a person: what happened, to what, what to do.

    Attributes: ``title`` (a few words), ``message`` (one sentence and the mend), ``retryable`` (the same attempt may
    succeed later), ``retry_after`` (seconds until then, when known), ``ailment`` (what exactly a person can mend).
    """

    title = "Something went wrong"
    retryable = False
    ailment: Ailment | None = None

    def __init__(
        self,
        message: str,
        *,
        title: str | None = None,
        retry_after: float | None = None,
        ailment: Ailment | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        if title is not None:
            self.title = title
        if ailment is not None:
            self.ailment = ailment


class InputError(WatchbellError):
    """What was typed or given is wrong."""

    title = "That is not right"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: ``source`` (its name), ``line`` (from 1), ``key``, what is wrong and how to mend it."""

    source: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}: " if self.line else f"{self.source}: "
        return f"{where}{self.key}: {self.message}" if self.key else f"{where}{self.message}"


class TeamFileError(InputError):
    """A team file that cannot be used; ``problems`` holds every mistake, in the order of the file.

    The message has a line for each of the first hundred, and says how many more there are.
    """

    title = "The team file has mistakes"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(p) for p in self.problems[:_LINES]]
        if len(self.problems) > _LINES:
            lines.append(f"and {len(self.problems) - _LINES} more.")
        super().__init__("\n".join(lines))


class SecretsUnavailable(WatchbellError):
    """No keyring that can be used now: absent, locked, dismissed or not answering."""

    title = "No usable keyring"
    ailment = Ailment.KEYRING_FAILS


class KeyringAbsent(SecretsUnavailable):
    """No keyring service runs here."""

    title = "No keyring"
    ailment = Ailment.KEYRING_ABSENT


class KeyringLocked(SecretsUnavailable):
    """The keyring is locked: nobody unlocked it, the prompt was dismissed, or still waits."""

    title = "The keyring is locked"
    ailment = Ailment.KEYRING_LOCKED


class StorageError(WatchbellError):
    """A local database that cannot be opened, read or written."""

    title = "Storage cannot be used"


class BackendError(WatchbellError):
    """A backend did not do what was asked of it."""

    title = "The backend could not do that"


class Unreachable(BackendError):
    """No answer: refused, timed out, cut off, not resolvable, or not trusted."""

    title = "No contact"
    retryable = True


class Unauthorized(BackendError):
    """The token is unknown, revoked or expired (HTTP 401)."""

    title = "The token is not accepted"
    ailment = Ailment.TOKEN_REFUSED


class Forbidden(BackendError):
    """The token is good but may not do this (HTTP 403)."""

    title = "Not allowed"
    ailment = Ailment.FORBIDDEN


class NotFound(BackendError):
    """There is no such thing on the backend (HTTP 404)."""

    title = "Not found"
    ailment = Ailment.NO_SUCH_THING


class Rejected(BackendError):
    """Understood, and refused for good (other HTTP 4xx).

    ``code`` is PagerDuty's error code, ``reasons`` what it found wrong, one by one; where given.
    """

    title = "Refused"
    ailment = Ailment.REFUSED

    def __init__(self, message: str, *, code: int | None = None, reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.reasons = tuple(reasons)


class RateLimited(BackendError):
    """Too many requests (HTTP 429); ``retry_after`` says when to come back."""

    title = "Too many requests"
    retryable = True
    ailment = Ailment.TOO_MANY_REQUESTS


class BackendFault(BackendError):
    """The backend failed (HTTP 5xx) or answered what is not its protocol."""

    title = "The backend is not working properly"
    retryable = True
