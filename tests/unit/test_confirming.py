"""What is confirmed of a page, and that each of it is once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from desktop.alerting.confirming import Confirmer, Seen
from desktop.backends.base import Confirmed
from desktop.domain.attention import Contact, Quiet, attention, mute
from desktop.domain.severity import Severity
from tests.fakes.backend import T0, incident
from tests.unit.test_attention import live

SHOWN = Seen(shown=4, heard=False, used=False)
ALL = Seen(shown=4, heard=True, used=True)
HIDDEN = Seen(shown=0, heard=False, used=True)


def said(confirmer: Confirmer, seen: Seen, **changes: Any) -> list[tuple[str, int, str]]:
    decided = attention((live(incident(**changes)),), T0)
    return [(r.incident, r.page, r.confirmed.value) for _, r in confirmer.update(decided, seen)]


def test_each_is_confirmed_once_and_again_when_it_is_paged_again() -> None:
    confirmer = Confirmer()
    assert said(confirmer, HIDDEN) == []
    assert said(confirmer, SHOWN) == [("I1", 1, "displayed")]
    assert said(confirmer, ALL) == [("I1", 1, "sounded"), ("I1", 1, "input")]
    assert said(confirmer, ALL) == []
    assert said(confirmer, ALL, pages=2) == [("I1", 2, "displayed"), ("I1", 2, "sounded")]


def test_whoever_typed_before_it_was_displayed_has_not_seen_it() -> None:
    confirmer = Confirmer()
    assert (Confirmed.INPUT.value in str(said(confirmer, ALL))) is False
    assert said(confirmer, ALL) == [("I1", 1, "input")]


def test_pages_that_are_only_counted_are_not_displayed() -> None:
    many = [incident(f"I{n}", created_at=T0 + timedelta(minutes=n)) for n in range(6)]
    receipts = Confirmer().update(attention((live(*many),), T0), SHOWN)
    assert [receipt.incident for _, receipt in receipts] == ["I0", "I1", "I2", "I3"]


def test_a_backend_that_counts_no_pages_is_told_nothing() -> None:
    assert said(Confirmer(), ALL, pages=0) == []


def test_a_notification_alone_is_not_confirmed() -> None:
    assert said(Confirmer(), ALL, severity=Severity.SEV3) == []


@pytest.mark.parametrize("muted", [True, False])
def test_what_is_muted_is_not_heard(muted: bool) -> None:
    state = live(incident())
    quiet = mute(attention((state,), T0), Quiet(), T0, T0 + timedelta(minutes=5)) if muted else Quiet()
    receipts = Confirmer().update(attention((state,), T0, quiet), ALL)
    assert (Confirmed.SOUNDED in {receipt.confirmed for _, receipt in receipts}) is not muted


def test_what_is_old_is_not_confirmed() -> None:
    state = replace(live(incident(pages=1)), contact=Contact.CONNECTING, watched_since=T0 + timedelta(hours=8))
    confirmer = Confirmer()
    assert attention((state,), T0 + timedelta(hours=8)).pages[0].old
    seen = Seen(shown=1, heard=True, used=True)
    assert confirmer.update(attention((state,), T0 + timedelta(hours=8)), seen) == []
