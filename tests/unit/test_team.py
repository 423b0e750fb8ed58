"""A whole team file, read; and what of it is allowed but warned about."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.escalation import Step
from desktop.domain.severity import DEFAULT_TARGETS, Severity, Targets
from desktop.domain.team import (
    Absence,
    Access,
    AccessCheck,
    Contact,
    EscalationRules,
    Every,
    Member,
    Override,
    Role,
    Rotation,
    Service,
    Team,
    Unit,
    Week,
)
from desktop.team import load, parse
from tests.unit.teams import wall

WHOLE = """
time_zone = "America/Los_Angeles"

[[people]]
id = "ana"
name = "Ana Ruiz"
email = "ana@example.com"
phone = "+1 555 0100"
time_zone = "Europe/Madrid"
notify = ["keyring:ana-phone", "mailto://ana@example.com"]
certified = true
access = "manager"
[[people]]
id = "ben"

[rotation.primary]
members = ["ana", "ben"]
start = 2026-01-05T09:00:00
every = "1 week"
[rotation.secondary]
members = ["ben", "ana"]
start = 2026-01-05T09:00:00
every = "12 hours"
[rotation.shadow]
members = ["ben"]
start = 2026-01-05T09:00:00-08:00
every = "2 days"

[[weeks]]
start = 2026-11-23
primary = "ben"
secondary = "ana"

[holidays]
country = "US"
subdivision = "CA"
extra = [{ date = 2026-11-27, name = "Our day" }, { date = 2026-11-28 }]

[[absences]]
person = "ana"
start = 2026-12-21T09:00:00
end = 2026-12-28T09:00:00
announced = 2026-12-01
cover = "ben"

[[overrides]]
role = "primary"
person = "ana"
start = 2026-11-24T18:00:00
end = 2026-11-25T09:00:00
reason = "dentist"

[escalation]
repeat = 2
acknowledge_timeout = "0s"
acting_primary = false
[[escalation.steps]]
after = "0s"
roles = ["primary"]
[[escalation.steps]]
after = "90s"
roles = ["secondary", "manager"]
[[escalation.sev2.steps]]
after = "1h"
roles = ["manager"]
hours = "business"

[severity.sev0]
acknowledge = "5m"
[severity.sev3]
acknowledge = "1 day"
resolve = "1 week"
[severity.words]
Disaster = "sev0"
"not so bad" = "SEV-3"

[[emergency_contacts]]
name = "Duty director"
phone = "+1 (555) 0101"
email = "director@example.com"
notify = ["env:DIRECTOR"]

[[contacts]]
name = "Hosting support"
hours = "24/7"

[[services]]
id = "payments"
name = "Payments"
runbook = "https://wiki.example.com/payments"
severity = "sev1"
integration_key = "env:PAYMENTS_KEY"
[[services]]
id = "web"

[[access_checks]]
name = "Grafana"
kind = "http"
url = "https://grafana.example.com/api/health"
expect = 204
[[access_checks]]
name = "Database"
kind = "tcp"
host = "db.example.com"
port = 5432

[channels]
incidents = "keyring:slack-incidents"
status_page = "https://status.mgmt-vibe.com"
"""

SMALL = """
time_zone = "UTC"
[[people]]
id = "ana"
[rotation.primary]
members = ["ana"]
start = 2026-01-05T09:00:00
every = "1 week"
"""
START = wall("2026-01-05 09:00")


@pytest.fixture(scope="module")
def team() -> Team:
    return parse(WHOLE, "team.toml")


def test_people(team: Team) -> None:
    ana = Member(
        id="ana",
        name="Ana Ruiz",
        email="ana@example.com",
        phone="+1 555 0100",
        time_zone=ZoneInfo("Europe/Madrid"),
        notify=("keyring:ana-phone", "mailto://ana@example.com"),
        certified=True,
        access=Access.MANAGER,
    )
    assert team.people == (ana, Member("ben", "ben"))
    assert team.time_zone == ZoneInfo("America/Los_Angeles")


def test_rotations_and_weeks(team: Team) -> None:
    assert dict(team.rotations) == {
        Role.PRIMARY: Rotation(("ana", "ben"), START, Every(1, Unit.WEEKS)),
        Role.SECONDARY: Rotation(("ben", "ana"), START, Every(12, Unit.HOURS)),
        Role.SHADOW: Rotation(("ben",), START, Every(2, Unit.DAYS)),
    }
    assert team.weeks == (Week(wall("2026-11-23").date(), {Role.PRIMARY: "ben", Role.SECONDARY: "ana"}),)


def test_holidays_of_many_years_and_extra_ones(team: Team) -> None:
    names = {str(day): name for day, name in team.holidays.items()}
    assert names["2026-11-26"] == "Thanksgiving Day"
    assert names["2035-07-04"] == "Independence Day"
    assert names["2026-03-31"] == "Cesar Chavez Day"
    assert (names["2026-11-27"], names["2026-11-28"]) == ("Our day", "Holiday")
    assert min(names)[:4] == "2000"
    assert max(names)[:4] == "2100"


def test_absences_and_overrides(team: Team) -> None:
    away = (wall("2026-12-21 09:00"), wall("2026-12-28 09:00"))
    assert team.absences == (Absence("ana", *away, announced=wall("2026-12-01").date(), cover="ben"),)
    assert team.overrides == (
        Override(Role.PRIMARY, "ana", wall("2026-11-24 18:00"), wall("2026-11-25 09:00"), "dentist"),
    )


def test_escalation(team: Team) -> None:
    assert team.escalation == EscalationRules(
        steps=(
            Step(timedelta(0), ("primary",)),
            Step(timedelta(seconds=90), ("secondary", "manager")),
        ),
        steps_by_severity={Severity.SEV2: (Step(timedelta(hours=1), ("manager",), business=True),)},
        repeat=2,
        acknowledge_timeout=timedelta(0),
        acting_primary=False,
    )


def test_severities(team: Team) -> None:
    assert dict(team.targets) == {
        **DEFAULT_TARGETS,
        Severity.SEV0: Targets(timedelta(minutes=5), timedelta(hours=1)),
        Severity.SEV3: Targets(timedelta(days=1), timedelta(weeks=1)),
    }
    assert dict(team.severity_words) == {"disaster": Severity.SEV0, "not so bad": Severity.SEV3}


def test_contacts_services_checks_and_channels(team: Team) -> None:
    assert team.emergency_contacts == (
        Contact("Duty director", "+1 (555) 0101", "director@example.com", notify=("env:DIRECTOR",)),
    )
    assert team.contacts == (Contact("Hosting support", hours="24/7"),)
    assert team.services == (
        Service("payments", "Payments", "https://wiki.example.com/payments", Severity.SEV1, "env:PAYMENTS_KEY"),
        Service("web", "web"),
    )
    assert team.access_checks == (
        AccessCheck("Grafana", "http", url="https://grafana.example.com/api/health", expect=204),
        AccessCheck("Database", "tcp", host="db.example.com", port=5432),
    )
    assert dict(team.channels) == {
        "incidents": "keyring:slack-incidents",
        "status_page": "https://status.mgmt-vibe.com",
    }


def test_nothing_is_warned_about(team: Team) -> None:
    assert team.warnings == ()


def test_what_a_small_file_does_not_say_has_its_default() -> None:
    small = parse(SMALL, "team.toml")
    assert small == Team(
        time_zone=ZoneInfo("UTC"),
        people=(Member("ana", "ana"),),
        rotations={Role.PRIMARY: Rotation(("ana",), START, Every(1, Unit.WEEKS))},
    )


def test_the_same_text_gives_an_equal_team() -> None:
    assert parse(WHOLE, "a.toml") == parse(WHOLE, "b.toml")


@pytest.mark.parametrize("written", [WHOLE, WHOLE.replace("\n", "\r\n"), "\ufeff" + WHOLE])
def test_a_file_with_any_line_ends_or_a_byte_order_mark_is_the_same(tmp_path: Path, written: str, team: Team) -> None:
    path = tmp_path / "team.toml"
    path.write_bytes(written.encode())
    assert load(path) == team


def test_an_absence_announced_less_than_14_days_ahead_is_a_warning() -> None:
    text = SMALL + (
        '[[absences]]\nperson = "ana"\nstart = 2026-12-21T09:00:00\nend = 2026-12-28T09:00:00\nannounced = 2026-12-{}\n'
    )
    assert parse(text.format("07"), "team.toml").warnings == ()
    (warning,) = parse(text.format("08"), "team.toml").warnings
    assert str(warning) == "team.toml:13: absences[1].announced: ana announced this absence 13 days ahead, not 14."


def test_a_file_without_a_primary_is_a_warning() -> None:
    (warning,) = parse(SMALL.replace("primary", "manager"), "team.toml").warnings
    assert warning.message == "there is no [rotation.primary]: without overrides nobody is ever on call."


def test_a_country_that_does_not_know_every_date_is_no_warning() -> None:
    assert parse(SMALL + '[holidays]\ncountry = "IN"\n', "team.toml").holidays
