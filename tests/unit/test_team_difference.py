"""What a person is told of a team that takes the place of another: every kind of change, and no address."""

from datetime import UTC, datetime

import pytest

from desktop.domain.team import Role
from desktop.team import parse
from desktop.team.difference import differences
from desktop.team.relief import Relief, reliefs, say

TEAM = """
time_zone = "America/Los_Angeles"
[[people]]
id = "ana"
name = "Ana Ruiz"
phone = "+1 555 0100"
[[people]]
id = "ben"
name = "Ben Okafor"
[rotation.primary]
members = ["ana", "ben"]
start = 2026-01-05T09:00:00
every = "1 week"
[rotation.secondary]
members = ["ben", "ana"]
start = 2026-01-05T09:00:00
every = "1 week"
[[absences]]
person = "ana"
start = 2026-12-21T09:00:00
end = 2026-12-28T09:00:00
[[overrides]]
role = "primary"
person = "ben"
start = 2026-11-24T18:00:00
end = 2026-11-25T09:00:00
reason = "dentist"
[[overrides]]
role = "primary"
person = "ana"
start = 2026-11-26T18:00:00
end = 2026-11-27T09:00:00
[[emergency_contacts]]
name = "Duty director"
phone = "+1 555 0199"
[[services]]
id = "payments"
name = "Payments"
integration_key = "env:PAYMENTS"
[channels]
incidents = "keyring:slack"
"""

AT = datetime(2026, 1, 7, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("was", "becomes", "line"),
    [
        ("America/Los_Angeles", "Europe/Berlin", "time_zone: Europe/Berlin instead of America/Los_Angeles"),
        (
            'name = "Ana Ruiz"',
            'name = "Ana Ruiz"\naccess = "admin"',
            "people: Ana Ruiz (ana): access admin instead of engineer",
        ),
        ('name = "Ana Ruiz"', 'name = "Ana R."', "people: Ana R. (ana): name Ana R. instead of Ana Ruiz"),
        ('phone = "+1 555 0100"', 'phone = "+1 555 0142"', "people: Ana Ruiz (ana): phone changed"),
        ("[rotation.primary]", '[[people]]\nid = "dee"\n[rotation.primary]', "people: dee is new"),
        (
            'members = ["ana", "ben"]',
            'members = ["ana"]',
            "rotation.primary.members: Ana Ruiz instead of Ana Ruiz, Ben Okafor",
        ),
        (
            'every = "1 week"\n[rotation',
            'every = "12 hours"\n[rotation',
            "rotation.primary.every: 12 hours instead of 1 week",
        ),
        (
            "start = 2026-01-05T09:00:00\nevery",
            "start = 2026-01-06T08:00:00\nevery",
            "rotation.primary.start: 2026-01-06 08:00 instead of 2026-01-05 09:00",
        ),
        (
            "[[absences]]",
            '[rotation.manager]\nmembers = ["ana"]\nstart = 2026-01-05T09:00:00\nevery = "1 week"\n[[absences]]',
            "rotation.manager: Ana Ruiz instead of none",
        ),
        (
            "[[absences]]",
            '[[weeks]]\nstart = 2026-01-12\nprimary = "ana"\n[[absences]]',
            "weeks: 2026-01-12: primary Ana Ruiz is new",
        ),
        (
            "[[absences]]",
            '[holidays]\nextra = [{ date = 2026-01-13, name = "Founders" }]\n[[absences]]',
            "holidays: 2026-01-13: Founders is new",
        ),
        (
            "end = 2026-12-28T09:00:00",
            'end = 2026-12-28T09:00:00\ncover = "ben"',
            "absences: Ana Ruiz 2026-12-21 09:00 – 2026-12-28 09:00, covered by Ben Okafor is new",
        ),
        (
            'reason = "dentist"',
            'reason = "flight"',
            "overrides: primary Ben Okafor 2026-11-24 18:00 – 2026-11-25 09:00: flight is new",
        ),
        ("[[services]]", '[severity.sev2]\nresolve = "9h"\n[[services]]', "severity.sev2.resolve: 9 h instead of 8 h"),
        (
            "[[services]]",
            "[escalation]\nacting_primary = false\n[[services]]",
            "escalation.acting_primary: false instead of true",
        ),
        ("[[services]]", '[severity.words]\npage = "sev0"\n[[services]]', "severity.words.page: SEV-0 instead of none"),
        ("0199", "0177", "emergency_contacts: Duty director: phone changed"),
        ("[[services]]", '[[contacts]]\nname = "Hosting"\n[[services]]', "contacts: Hosting is new"),
        (
            'name = "Payments"',
            'name = "Payments"\nseverity = "sev3"',
            "services: Payments (payments): severity SEV-3 instead of none",
        ),
        ("env:PAYMENTS", "env:OTHER", "services: Payments (payments): integration_key changed"),
        (
            "[channels]",
            '[[access_checks]]\nname = "Grafana"\nkind = "tcp"\nhost = "grafana"\nport = 3000\n[channels]',
            "access_checks: Grafana is new",
        ),
        ("keyring:slack", "keyring:other", "channels.incidents: changed"),
    ],
)
def test_each_kind_of_change_is_a_line(was: str, becomes: str, line: str) -> None:
    old, new = parse(TEAM, "old.toml"), parse(TEAM.replace(was, becomes, 1), "new.toml")
    assert line in differences(old, new)
    assert not any(secret in told for told in differences(old, new) for secret in ("555", "env:", "keyring:"))


def test_a_list_of_steps_is_told_whole() -> None:
    old, new = parse(TEAM, "a"), parse(f"{TEAM}[escalation]\nrepeat = 2\n", "b")
    plan = "primary at once, secondary after 1 h, manager after 2 h in business hours, {} repeats, an acknowledgement"
    told = f"escalation.sev2: {plan.format(2)} holds for ever instead of {plan.format(0)} holds for ever"
    assert told in differences(old, new)


def test_backwards_what_was_new_is_gone() -> None:
    old, new = parse(TEAM, "old.toml"), parse(TEAM.replace("[[absences]]", '[[people]]\nid = "dee"\n[[absences]]'), "n")
    assert differences(old, new) == ("people: dee is new",)
    assert differences(new, old) == ("people: dee is gone",)


def test_what_means_the_same_is_no_difference() -> None:
    assert differences(parse(TEAM, "a"), parse(f"# a comment\n{TEAM}", "b")) == ()


def test_the_order_of_overrides_matters() -> None:
    before, first, second = TEAM.split("[[overrides]]")
    second, after = second.split("[[emergency_contacts]]")
    swapped = f"{before}[[overrides]]{second}[[overrides]]{first}[[emergency_contacts]]{after}"
    assert differences(parse(TEAM, "a"), parse(swapped, "b")) == ("overrides: in another order",)


def test_hundreds_of_lines_are_summed_up() -> None:
    extra = ",".join(f'{{ date = {year}-03-0{day}, name = "Day" }}' for year in range(2020, 2040) for day in (1, 2))
    many = parse(TEAM.replace("[[absences]]", f"[holidays]\nextra = [{extra}]\n[[absences]]"), "many.toml")
    told = differences(parse(TEAM, "team.toml"), many)
    assert len(told) == 21
    assert told[-1] == "holidays: 20 more"


def test_who_would_be_on_call() -> None:
    old, new = parse(TEAM, "a"), parse(TEAM.replace('["ana", "ben"]', '["ben", "ana"]'), "b")
    found = reliefs(old, new, AT)
    assert found == (Relief(Role.PRIMARY, "ana", "ben"), Relief(Role.SECONDARY, "ben", "ana"))
    assert say(found[0], old, new) == "Ben Okafor would be primary instead of Ana Ruiz at this moment"
    assert reliefs(old, old, AT) == ()


def test_who_would_be_on_call_where_nobody_is() -> None:
    start = "[rotation.secondary]"
    without = TEAM[: TEAM.index(start)] + TEAM[TEAM.index("[[absences]]") :]
    old, new = parse(TEAM, "a"), parse(without, "b")
    (gone,), (added,) = reliefs(old, new, AT), reliefs(new, old, AT)
    assert say(gone, old, new) == "nobody would be secondary instead of Ben Okafor at this moment"
    assert say(added, new, old) == "Ben Okafor would be secondary at this moment, where nobody is"


def test_a_shadow_is_not_on_call() -> None:
    shadow = '[rotation.shadow]\nmembers = ["ben"]\nstart = 2026-01-05T09:00:00\nevery = "1 week"\n[[absences]]'
    assert reliefs(parse(TEAM, "a"), parse(TEAM.replace("[[absences]]", shadow), "b"), AT) == ()
