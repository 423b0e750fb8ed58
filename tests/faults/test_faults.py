"""No page lost, no acknowledgement lost or invented, whatever breaks: the fault suite.

WATCHBELL_FAULT_SEED=N repeats the run with that seed, as far as the machine lets it: who is fast differs.
"""

import os
import pickle
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.faults.places import Hardness, Place, on_a_file, on_postgresql
from tests.faults.proof import prove
from tests.faults.run import carry_out, figures, timetable

_MOST = 40
SEED = "WATCHBELL_FAULT_SEED"
PLACES = [pytest.param(on_a_file, id="sqlite"), pytest.param(on_postgresql, id="postgresql")]

SHORT = Hardness(
    incidents=45, faults=6, pause=1.2, skew=2.0, break_between=0.25, servers=2, workers=20, lives=6, shifts=1.5
)
LONG = Hardness(
    incidents=1_000,
    faults=100,
    pause=4.0,
    skew=10.0,
    break_between=1.0,
    servers=3,
    workers=20,
    lives=20,
    shifts=6.0,
    long_pause=22.0,
)

Open = Callable[[Path, Hardness], AbstractContextManager[Place]]


def run(place: Open, folder: Path, hardness: Hardness, say: Callable[[str, object], None], usual: int) -> None:
    number = int(os.environ.get(SEED, "") or usual)
    with place(folder, hardness) as here:
        evidence, failures = carry_out(here, hardness, number)
    verdict = prove(evidence)
    said = f"seed {number}: {figures(evidence, verdict)}{''.join(f'; {m}' for m in here.missing)}"
    say("faults", said)
    found = [*failures, *verdict.violations]
    if found:
        # No run is ever the same again: what was found is judged anew from this.
        kept = folder / "evidence.pickle"
        kept.write_bytes(pickle.dumps((evidence, failures)))
        said = f"{said}; kept in {kept}"
    shown = [f"{SEED}={number}", said, f"{len(found)} violations", *found[:_MOST], *timetable(evidence)]
    assert not found, "\n".join(shown)


@pytest.mark.parametrize("place", PLACES)
def test_some_of_each_kind(place: Open, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    # The same dice every time: what fails here is the change's doing. The long run rolls others each time.
    run(place, tmp_path, SHORT, record_property, usual=1)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("place", PLACES)
def test_a_thousand_incidents_and_a_hundred_faults(
    place: Open, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    run(place, tmp_path, LONG, record_property, usual=secrets.randbelow(1_000_000))
