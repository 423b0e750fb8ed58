from datetime import UTC, datetime

import pytest

from desktop.backends.pagerduty.failures import LONGEST_WAIT, failure, http_date, retry_after

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
AT = "Sat, 28 Nov 2026 03:00:{:02} GMT"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"ratelimit-reset": "3"}, 3.0),
        ({"Retry-After": "7", "ratelimit-reset": "3"}, 7.0),
        ({"Retry-After": "soon", "ratelimit-reset": "3"}, 3.0),
        ({"Retry-After": "9" * 400}, LONGEST_WAIT),
        ({"Retry-After": AT.format(9)}, 9.0),
        ({"Retry-After": AT.format(9), "Date": AT.format(4)}, 5.0),
        ({"Retry-After": AT.format(4), "Date": AT.format(9)}, 0.0),
        ({"Retry-After": "Sat, 28 Nov 2099 03:00:00 GMT"}, LONGEST_WAIT),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "٧"}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], wait: float | None) -> None:
    assert retry_after(headers, NOW) == wait


def test_when_the_limit_begins_anew_holds_up_nobody_who_kept_to_it() -> None:
    headers = {"ratelimit-reset": "45"}
    assert failure("pd", 429, headers, b"", NOW).retry_after == 45.0
    assert failure("pd", 500, headers, b"", NOW).retry_after is None
    assert failure("pd", 503, {**headers, "Retry-After": "7"}, b"", NOW).retry_after == 7.0


@pytest.mark.parametrize("text", [None, "", "yesterday", "Sat, 31 Feb 2026 99:00:00 GMT"])
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert http_date(text) is None
