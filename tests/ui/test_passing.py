"""What went to somebody else while this person watched stays said in the window until it is read."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from desktop.app.passing import Passing
from desktop.app.surfaces import Surfaces
from desktop.domain.attention import ConnectionState
from desktop.domain.incident import Acknowledgement, Incident, Status
from desktop.ui.words import local_time
from tests.ui.screens import screens
from tools import look_samples as sample

MINE = sample.incident(title="Disk full")
BENS = sample.incident(title="Disk full", assignees=(sample.BEN,))
HOLDING = sample.state(MINE)


@pytest.fixture
def surfaces(qtbot: QtBot) -> Iterator[Surfaces]:
    made = screens()
    yield made
    made.stop()


def passed(it: Incident) -> ConnectionState:
    return sample.state(it, left=(it.id,))


def follow(surfaces: Surfaces, *states: ConnectionState) -> list[str]:
    """Follow from each state to the next, and return what is said."""
    for before, after in itertools.pairwise(states):
        Passing(surfaces).follow((before,), (after,), sample.NOW)
    return [notice.text.text() for notice in surfaces.status.notices.by_key.values()]


def test_it_is_said_to_whom_and_when(surfaces: Surfaces) -> None:
    at = local_time(sample.NOW, sample.NOW)
    assert follow(surfaces, HOLDING, passed(BENS)) == [f"SEV-0 Disk full: it was given to Ben Okafor at {at}."]
    # And stays, however often that is told.
    assert len(follow(surfaces, passed(BENS), passed(BENS))) == 1


def test_who_has_acknowledged_it_is_named(surfaces: Surfaces) -> None:
    taken = replace(BENS, status=Status.ACKNOWLEDGED, acknowledgements=(Acknowledgement(sample.BEN, sample.NOW),))
    assert follow(surfaces, HOLDING, passed(taken)) == ["SEV-0 Disk full: Ben Okafor acknowledged it 0 s ago."]


@pytest.mark.parametrize("later", [sample.state(MINE), sample.state()])
def test_what_comes_back_or_is_over_is_said_no_longer(surfaces: Surfaces, later: ConnectionState) -> None:
    assert follow(surfaces, HOLDING, passed(BENS), later) == []


def test_what_happened_while_nobody_watched_is_told_elsewhere(surfaces: Surfaces) -> None:
    assert follow(surfaces, replace(HOLDING, watched_since=sample.NOW), passed(BENS)) == []


def test_a_connection_that_is_new_has_nothing_to_say(surfaces: Surfaces) -> None:
    Passing(surfaces).follow((), (passed(BENS),), sample.NOW)
    assert surfaces.status.notices.by_key == {}
