"""What the server refuses, in PagerDuty's words and codes. Values only."""

from collections.abc import Sequence

INVALID = 2001
UNAUTHORIZED = 2006
FORBIDDEN = 2010
MISSING_ABILITY = 2014
RATE_LIMIT = 2020
NOT_FOUND = 2100
ALREADY_RESOLVED = 1001
CANNOT_ESCALATE = 1006
NOT_ACKNOWLEDGED = 1012
DUPLICATE_KEY = 2002


class Refused(Exception):
    """A request that is answered with an error: HTTP ``status``, PagerDuty's ``code``, and what is wrong, in words."""

    def __init__(self, status: int, code: int, message: str, errors: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = tuple(errors)

    def body(self) -> dict[str, object]:
        """Return the JSON that PagerDuty would answer."""
        return error_body(self.code, self.message, self.errors)


class InvalidEvent(Exception):
    """An event that the Events API does not take; ``errors`` name every mistake."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)

    def body(self) -> dict[str, object]:
        """Return the JSON that PagerDuty would answer."""
        return {"status": "invalid event", "message": "Event object is invalid", "errors": list(self.errors)}


def error_body(code: int, message: str, errors: Sequence[str] = ()) -> dict[str, object]:
    """Return PagerDuty's shape of an error."""
    return {"error": {"message": message, "code": code, "errors": list(errors)}}


def refused(code: int, message: str, *errors: str) -> Refused:
    """Return the refusal of a request that makes sense but cannot be done."""
    return Refused(400, code, message, errors)


def invalid(*errors: str) -> Refused:
    """Return the refusal of a request that makes no sense."""
    return Refused(400, INVALID, "Invalid Input Provided", errors)


def not_found(what: str) -> Refused:
    """Return the refusal of a request for something that is not there."""
    return Refused(404, NOT_FOUND, "Not Found", (f"there is no {what}",))
