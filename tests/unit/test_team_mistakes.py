"""Every mistake in a team file is one line: file, line, key, what is wrong, and the nearest valid thing."""

import pytest

from desktop.domain.errors import TeamFileError
from desktop.team import parse

HEAD = """time_zone = "UTC"
[[people]]
id = "ana"
[[people]]
id = "ben"
[[people]]
id = "cho"
[rotation.primary]
members = ["ana", "ben"]
start = 2026-01-05T09:00:00
every = "1 week"
"""
# The line on which what is added to HEAD begins.
HERE = HEAD.count("\n") + 1

ABSENCE = '[[absences]]\nperson = "{}"\nstart = 2026-02-{}T00:00:00\nend = 2026-02-{}T00:00:00\ncover = "{}"\n'
SPAN = "start = 2026-02-01T00:00:00\nend = 2026-02-02T00:00:00\n"
STEPS = "[[escalation.steps]]\nafter = {}\nroles = {}\n"
CHECK = '[[access_checks]]\nname = "x"\n'


def mistakes(text: str) -> list[str]:
    with pytest.raises(TeamFileError) as caught:
        parse(text, "team.toml")
    return [str(problem) for problem in caught.value.problems]


# What is added to a good file; on which of its lines the mistake is (from 0); its key; its message.
ADDED = [
    # Keys.
    ("[[servces]]", 0, "servces", 'unknown key; did you mean "services"?'),
    ("[rotation.primry]", 0, "rotation.primry", 'unknown key; did you mean "primary"?'),
    ('[channels]\nincident = "keyring:x"', 1, "channels.incident", 'unknown key; did you mean "incidents"?'),
    ("[escalation]\nrepaet = 1", 1, "escalation.repaet", 'unknown key; did you mean "repeat"?'),
    ("[severity.sev4]", 0, "severity.sev4", 'unknown key; did you mean "sev3"?'),
    ('[[contacts]]\nname = "x"\nnotify = ["env:X"]', 2, "contacts[1].notify",
     "unknown key; use one of: email, hours, name, phone."),
    ('[[services]]\nid = "x"\n"run\\nbook" = 1', 2, "services[1].run book", 'unknown key; did you mean "runbook"?'),
    # Shapes.
    ('[services]\nid = "x"', 0, "services", "stands once for each entry: write [[services]], with two brackets."),
    ("[[holidays]]", 0, "holidays", "expected a table [holidays], not an array."),
    ('[[services]]\nname = "x"', 0, "services[1]", '"id" is missing.'),
    ("[[services]]\nid = 7", 1, "services[1].id", "expected text in quotes, not 7."),
    ("[[services]]\nid = true", 1, "services[1].id", "expected text in quotes, not true."),
    ('[[services]]\nid = ""', 1, "services[1].id", "is empty."),
    ('[[services]]\nid = "a b"', 1, "services[1].id", '"a b" is no id: use letters, digits and . _ @ + - (no spaces).'),
    ('[[services]]\nid = "x"\nname = "a\\u0000b"', 2, "services[1].name",
     "holds characters that cannot be shown, such as line breaks or controls."),
    ('[[services]]\nid = "x"\nname = "a\\u202eb"', 2, "services[1].name",
     "holds characters that cannot be shown, such as line breaks or controls."),
    (f'[[services]]\nid = "x"\nname = "{"a" * 201}"', 2, "services[1].name",
     "is too long: 201 characters, at most 200."),
    ('[[services]]\nid = "x"\n[[services]]\nid = "x"', 3, "services[2].id",
     '"x" stands twice: every service needs its own.'),
    ('[[services]]\nid = "x"\nintegration_key = "env:K"\n[[services]]\nid = "y"\nintegration_key = "env:K"', 5,
     "services[2].integration_key", '"env:K" stands twice: every service needs its own.'),
    # People.
    ('[[overrides]]\nrole = "primary"\nperson = "bne"\n' + SPAN, 2, "overrides[1].person",
     'nobody has the id "bne"; did you mean "ben"?'),
    ('[[weeks]]\nstart = 2026-01-12\nprimary = "zoe"', 2, "weeks[1].primary",
     'nobody has the id "zoe"; use one of: ana, ben, cho.'),
    ('[[people]]\nid = "ana"', 1, "people[4].id", '"ana" stands twice: every person needs its own.'),
    ('[[people]]\nid = "dan"\naccess = "manger"', 2, "people[4].access",
     '"manger" is no access; did you mean "manager"?'),
    ('[[people]]\nid = "dan"\ncertified = "yes"', 2, "people[4].certified", 'expected true or false, not "yes".'),
    ('[[people]]\nid = "dan"\nemail = "dan"', 2, "people[4].email",
     '"dan" is no mail address: write for example ana@example.com.'),
    ('[[people]]\nid = "dan"\nphone = "call me"', 2, "people[4].phone",
     '"call me" is no telephone number: write for example +1 555 0100.'),
    ('[[people]]\nid = "dan"\nnotify = "env:X"', 2, "people[4].notify",
     'expected an array like ["…", "…"], not "env:X".'),
    # Dates and times.
    ('[[weeks]]\nstart = 2026-02-30\nprimary = "ana"', 1, "weeks[1].start",
     '"2026-02-30" is not in the calendar: write a date like 2026-01-05.'),
    ('[[weeks]]\nstart = 2026-13-01\nprimary = "ana"', 1, "weeks[1].start",
     '"2026-13-01" is not in the calendar: write a date like 2026-01-05.'),
    ('[[weeks]]\nstart = "2026-01-12"\nprimary = "ana"', 1, "weeks[1].start",
     '"2026-01-12": write it without quotes, like 2026-01-12.'),
    ('[[weeks]]\nstart = 2026-01-12T09:00:00\nprimary = "ana"', 1, "weeks[1].start",
     "is a date without a time: write 2026-01-12."),
    ('[[weeks]]\nstart = 12\nprimary = "ana"', 1, "weeks[1].start", "expected a date like 2026-01-05, not 12."),
    ('[[weeks]]\nstart = 0026-01-12\nprimary = "ana"', 1, "weeks[1].start",
     "0026-01-12 is out of range: use the years 1970 to 2199."),
    ('[[absences]]\nperson = "ana"\nstart = 2026-02-01\nend = 2026-02-02T00:00:00', 2, "absences[1].start",
     "needs a time of day: write for example 2026-02-01T09:00:00."),
    ('[[absences]]\nperson = "ana"\nstart = 2026-02-02T00:00:00\nend = 2026-02-02T00:00:00', 3, "absences[1].end",
     "2026-02-02T00:00:00 is not after the start, 2026-02-02T00:00:00."),
    ('[[people]]\nid = "dan"\ntime_zone = "Europe/Berln"', 2, "people[4].time_zone",
     '"Europe/Berln" is no IANA time zone; did you mean "Europe/Berlin"?'),
    ('[[people]]\nid = "dan"\ntime_zone = "../../etc/passwd"', 2, "people[4].time_zone",
     '"../../etc/passwd" is no IANA time zone: write for example America/Los_Angeles, Europe/Berlin or UTC.'),
    ('[[people]]\nid = "dan"\ntime_zone = "right/Europe/Berlin"', 2, "people[4].time_zone",
     '"right/Europe/Berlin" is no IANA time zone; did you mean "Europe/Berlin"?'),
    ('[[people]]\nid = "dan"\ntime_zone = "europe/berlin"', 2, "people[4].time_zone",
     '"europe/berlin" is no IANA time zone; did you mean "Europe/Berlin"?'),
    # Durations and shifts.
    ("[escalation]\nacknowledge_timeout = 30", 1, "escalation.acknowledge_timeout",
     '30 is not a duration: write for example "90s", "15m", "1h" or "1 week".'),
    ('[escalation]\nacknowledge_timeout = "1 fortnight"', 1, "escalation.acknowledge_timeout",
     '"1 fortnight" is not a duration: write for example "90s", "15m", "1h" or "1 week".'),
    ('[escalation]\nacknowledge_timeout = "1 wk"', 1, "escalation.acknowledge_timeout",
     '"1 wk" is not a duration; did you mean "1 week"?'),
    ('[escalation]\nacknowledge_timeout = "90 mints"', 1, "escalation.acknowledge_timeout",
     '"90 mints" is not a duration; did you mean "90 minutes"?'),
    ('[escalation]\nacknowledge_timeout = "999999999w"', 1, "escalation.acknowledge_timeout",
     '"999999999w" is longer than ten years.'),
    ('[severity.sev0]\nacknowledge = "0s"', 1, "severity.sev0.acknowledge",
     '"0s" is too short to be answered in: it must be 30s at least.'),
    ('[severity.sev0]\nacknowledge = "29s"', 1, "severity.sev0.acknowledge",
     '"29s" is too short to be answered in: it must be 30s at least.'),
    ('[severity.sev0]\nacknowledge = "30s"\nresolve = "0s"', 2, "severity.sev0.resolve",
     '"0s" is no time at all: it must be longer than 0s.'),
    ('[severity.sev0]\nacknowledge = "2h"\nresolve = "1h"', 2, "severity.sev0.resolve",
     "comes before the target to acknowledge."),
    ('[severity.words]\nbad = "sev9"', 1, "severity.words.bad",
     '"sev9" is no severity; use one of: sev0, sev1, sev2, sev3.'),
    ('[severity.words]\nA = "sev0"\na = "sev1"', 2, "severity.words.a",
     "stands twice: capitals make no difference here."),
    ('[severity.words]\n"" = "sev0"', 1, 'severity.words.""', "is no word: leave it out."),
    ('[severity.words]\n" " = "sev0"', 1, 'severity.words.""', "is no word: leave it out."),
    # Rotations and weeks.
    ('[rotation.manager]\nmembers = []\nstart = 2026-01-05T09:00:00\nevery = "1 week"', 1, "rotation.manager.members",
     "the ring is empty: name at least one person."),
    ('[rotation.manager]\nmembers = ["ana"]\nstart = 2026-01-05T09:00:00\nevery = "0 days"', 3,
     "rotation.manager.every",
     '"0 days" is no length of a shift: write for example "12 hours", "1 day" or "1 week".'),
    ('[rotation.manager]\nmembers = ["ana"]\nstart = 2026-01-05T09:00:00\nevery = "30 minutes"', 3,
     "rotation.manager.every",
     '"30 minutes" is no length of a shift: write for example "12 hours", "1 day" or "1 week".'),
    ('[rotation.manager]\nmembers = ["ana"]\nstart = 2026-01-05T09:00:00\nevery = "2 wk"', 3,
     "rotation.manager.every", '"2 wk" is not the length of a shift; did you mean "2 weeks"?'),
    ('[rotation.manager]\nmembers = ["ana"]\nstart = 2026-01-05T09:00:00\nevery = "90 minuts"', 3,
     "rotation.manager.every",
     '"90 minuts" is not the length of a shift: write for example "12 hours", "1 day" or "1 week".'),
    ('[[weeks]]\nstart = 2026-01-13\nprimary = "ana"', 1, "weeks[1].start",
     "no primary shift starts on 2026-01-13; the nearest starts on 2026-01-12."),
    ('[[weeks]]\nstart = 2025-12-29\nprimary = "ana"', 1, "weeks[1].start",
     "no primary shift starts on 2025-12-29; the nearest starts on 2026-01-05."),
    ('[[weeks]]\nstart = 2026-01-12\nprimary = "ana"\n[[weeks]]\nstart = 2026-01-12\nprimary = "ben"', 5,
     "weeks[2].primary", "the primary shift of 2026-01-12 has a row already: they overlap."),
    ('[[weeks]]\nstart = 2026-01-12\nmanager = "ana"', 2, "weeks[1].manager",
     "there is no [rotation.manager] whose shift this could replace."),
    ("[[weeks]]\nstart = 2026-01-12", 0, "weeks[1]", 'names nobody: write for example primary = "ana".'),
    # Holidays.
    ('[holidays]\ncountry = "Germany"', 1, "holidays.country",
     '"Germany" is no country that is known; did you mean "DE"?'),
    ('[holidays]\ncountry = "us"', 1, "holidays.country", '"us" is no country that is known; did you mean "US"?'),
    ('[holidays]\ncountry = "XX"', 1, "holidays.country",
     ('"XX" is no country that is known: write a two-letter country code as the holidays library has it, '
     "for example US, DE or GB.")),
    ('[holidays]\ncountry = "US"\nsubdivision = "XX"', 2, "holidays.subdivision",
     '"XX" is no part of US; use one of: AK, AL, AR, AS, AZ, CA, CO, CT, DC, DE and 47 more.'),
    ('[holidays]\ncountry = "GB"\nsubdivision = "XX"', 2, "holidays.subdivision",
     '"XX" is no part of GB; use one of: ENG, NIR, SCT, WLS.'),
    ('[holidays]\ncountry = "DE"\nsubdivision = "Bayrn"', 2, "holidays.subdivision",
     '"Bayrn" is no part of DE; did you mean "BY"?'),
    ('[holidays]\ncountry = "JP"\nsubdivision = "XX"', 2, "holidays.subdivision",
     '"XX" is no part of JP: it has none there, leave this out.'),
    ('[holidays]\nsubdivision = "CA"', 1, "holidays.subdivision", "needs a country beside it."),
    ("[holidays]\nextra = [\n  { date = 2026-01-02 },\n  { date = 2026-01-02 },\n]", 3, "holidays.extra[2].date",
     "2026-01-02 stands twice."),
    # Covers.
    (ABSENCE.format("ana", "01", "03", "ana"), 4, "absences[1].cover", '"ana" cannot cover themselves.'),
    (ABSENCE.format("ana", "01", "03", "ben") + ABSENCE.format("ben", "02", "04", "ana"), 4, "absences[1].cover",
     "the covers go round in a circle from 2026-02-02 00:00 on: ana → ben → ana."),
    # Overrides and escalation.
    ('[[overrides]]\nrole = "primery"\nperson = "ana"\n' + SPAN, 1, "overrides[1].role",
     '"primery" is no role; did you mean "primary"?'),
    ("[escalation]\nrepeat = 10", 1, "escalation.repeat", "expected a whole number from 0 to 9, not 10."),
    ("[escalation]\nsteps = []", 1, "escalation.steps", "names no step: nobody would be paged."),
    ("[escalation.sev2]", 0, "escalation.sev2", "has no steps: write [[escalation.sev2.steps]]."),
    (STEPS.format('"0s"', "[]"), 2, "escalation.steps[1].roles", 'names no role: write for example ["primary"].'),
    (STEPS.format('"0s"', '["shadow", "primary"]'), 2, "escalation.steps[1].roles[1]",
     '"shadow" is no role that can be paged; use one of: emergency, manager, primary, secondary.'),
    (STEPS.format('"0s"', '["primary"]') + 'hours = "night"', 3, "escalation.steps[1].hours",
     '"night" is no kind of hours; use one of: business.'),
    (STEPS.format('"5m"', '["primary"]') + STEPS.format('"1m"', '["manager"]'), 4, "escalation.steps[2].after",
     "comes before the step above it: write the steps in order."),
    # Links and checks.
    ('[[services]]\nid = "x"\nrunbook = "javascript:alert(1)"', 2, "services[1].runbook",
     '"javascript:alert(1)" is no link: it must begin with https:// or http:// and name a host.'),
    ('[[services]]\nid = "x"\nrunbook = "https://[::1"', 2, "services[1].runbook",
     '"https://[::1" is no link: it must begin with https:// or http:// and name a host.'),
    ('[channels]\nstatus_page = "https://a:secret@b"', 1, "channels.status_page",
     "holds a user or a password: secrets never stand in a team file."),
    ('[[services]]\nid = "x"\nrunbook = "https://hunter2@example.com/"', 2, "services[1].runbook",
     "holds a user or a password: secrets never stand in a team file."),
    (CHECK, 0, "access_checks[1]", '"kind" is missing.'),
    (CHECK + 'kind = "shell"', 2, "access_checks[1].kind", '"shell" is no kind of check; use one of: http, tcp.'),
    (CHECK + 'kind = "http"\nurl = "http://x"\nport = 1', 4, "access_checks[1].port",
     "unknown key; use one of: expect, kind, name, url."),
    (CHECK + 'kind = "tcp"\nhost = "-x"\nport = 1', 3, "access_checks[1].host", '"-x" is no host name.'),
    (CHECK + 'kind = "tcp"\nhost = "x"\nport = 70000', 4, "access_checks[1].port",
     "expected a whole number from 1 to 65535, not 70000."),
    # Secrets: references only, whole, and only where a secret belongs; a wrong one is never repeated.
    ('[[services]]\nid = "x"\nintegration_key = "hunter2"', 2, "services[1].integration_key",
     'must be a reference to a secret: "keyring:NAME" or "env:NAME", and nothing else.'),
    ('[[services]]\nid = "x"\nname = "env:HOME"', 2, "services[1].name",
     "refers to a secret, which only notify, integration_key and channels may do."),
    ('[[services]]\nid = "x"\nrunbook = "keyring:x"', 2, "services[1].runbook",
     "refers to a secret, which only notify, integration_key and channels may do."),
    ('[[people]]\nid = "dan"\nnotify = ["env:OK", "slack://env:TOKEN/x"]', 2, "people[4].notify[2]",
     "a reference to a secret must be the whole value: keep the whole URL in the keyring."),
    ('[[people]]\nid = "dan"\nnotify = ["mailto://dan:hunter2@example.com"]', 2, "people[4].notify[1]",
     ('holds what looks like a password or a token: keep the whole URL in the keyring or the environment and write '
     '"keyring:NAME" or "env:NAME".')),
    ('[channels]\nincidents = "hunter2"', 1, "channels.incidents",
     'must be "keyring:NAME", "env:NAME" or an Apprise URL such as "mailto://ana@example.com".'),
]  # fmt: skip


@pytest.mark.parametrize(("added", "line", "key", "message"), ADDED)
def test_one_mistake_is_one_line(added: str, line: int, key: str, message: str) -> None:
    assert mistakes(HEAD + added) == [f"team.toml:{HERE + line}: {key}: {message}"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('time_zone = "UTC"\n', "", 'team.toml: "time_zone" is missing.'),
        ('"UTC"', '"Berlin"', 'team.toml:1: time_zone: "Berlin" is no IANA time zone; did you mean "Europe/Berlin"?'),
        ('members = ["ana", "ben"]\n', "",
         "team.toml:8: rotation.primary.members: the ring is empty: name at least one person."),
        ('"ben"]', '"Bem"]', 'team.toml:9: rotation.primary.members[2]: nobody has the id "Bem"; did you mean "ben"?'),
        ('every = "1 week"\n', "", 'team.toml:8: rotation.primary: "every" is missing.'),
    ],
)  # fmt: skip
def test_a_mistake_in_the_head(old: str, new: str, problem: str) -> None:
    assert mistakes(HEAD.replace(old, new, 1)) == [problem]


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "right/UTC", "posix/UTC", "America"])
def test_what_the_database_holds_beside_zones_is_none(zone: str) -> None:
    (mistake,) = mistakes(HEAD.replace('"UTC"', f'"{zone}"'))
    assert mistake.startswith(f'team.toml:1: time_zone: "{zone}" is no IANA time zone')


def test_a_team_of_nobody_is_a_mistake() -> None:
    assert mistakes('time_zone = "UTC"\npeople = []\n') == [
        "team.toml:2: people: names nobody: name at least one person."
    ]


def test_an_empty_file_says_what_is_needed() -> None:
    assert mistakes("") == [
        'team.toml: "time_zone" is missing.',
        "team.toml: [[people]] is missing: name at least one person.",
    ]


def test_every_mistake_is_told_in_the_order_of_the_file() -> None:
    added = [one[0] for one in ADDED if one[0].startswith("[[services]]")]
    lines = [int(m.split(":")[1]) for m in mistakes(HEAD + "\n".join(added))]
    assert len(lines) >= len(added)
    assert lines == sorted(lines)


def test_a_wrong_date_hides_no_other_mistake() -> None:
    found = mistakes(
        HEAD + "[[weeks]]\nstart = 2026-02-30\nprimary = 'zoe'\n[holidays]\nextra = [{ date = 2026-06-31 }]\n"
    )
    assert [m.split(": ")[1] for m in found] == ["weeks[1].start", "weeks[1].primary", "holidays.extra[1].date"]


def test_covers_in_a_row_or_at_other_times_are_no_circle() -> None:
    in_a_row = ABSENCE.format("ana", "01", "03", "ben") + ABSENCE.format("ben", "02", "04", "cho")
    at_other_times = ABSENCE.format("ana", "01", "03", "ben") + ABSENCE.format("ben", "03", "04", "ana")
    assert len(parse(HEAD + in_a_row, "team.toml").absences) == 2
    assert len(parse(HEAD + at_other_times, "team.toml").absences) == 2


def test_a_circle_of_three_is_told_once() -> None:
    three = "".join(ABSENCE.format(a, "01", "03", b) for a, b in (("ana", "ben"), ("ben", "cho"), ("cho", "ana")))
    assert mistakes(HEAD + three) == [
        (
            f"team.toml:{HERE + 4}: absences[1].cover: the covers go round in a circle from 2026-02-01 00:00 on: "
            "ana → ben → cho → ana."
        )
    ]


def test_the_same_people_in_circles_at_different_times_are_told_each_time() -> None:
    twice = ABSENCE.format("ana", "01", "09", "ben") + "".join(
        ABSENCE.format("ben", start, end, "ana") for start, end in (("02", "04"), ("06", "08"))
    )
    apart = "".join(
        ABSENCE.format(a, start, end, b)
        for start, end in (("11", "13"), ("15", "17"))
        for a, b in (("ana", "ben"), ("ben", "ana"))
    )
    found = mistakes(HEAD + twice + apart)
    assert [(m.split(": ")[1], m.split(" from ")[1][:10]) for m in found] == [
        ("absences[1].cover", "2026-02-02"),
        ("absences[1].cover", "2026-02-06"),
        ("absences[4].cover", "2026-02-11"),
        ("absences[6].cover", "2026-02-15"),
    ]


def test_a_circle_that_is_never_closed_at_one_time_is_none() -> None:
    three = "".join(
        ABSENCE.format(a, start, end, b)
        for a, start, end, b in (("ana", "01", "03", "ben"), ("ben", "02", "05", "cho"), ("cho", "04", "06", "ana"))
    )
    assert len(parse(HEAD + three, "team.toml").absences) == 3


def test_no_secret_is_ever_repeated() -> None:
    secrets = [one for one in ADDED if "hunter2" in one[0] or "secret@" in one[0]]
    assert len(secrets) == 5
    for added, *_ in secrets:
        assert not any("hunter2" in m or "secret@" in m for m in mistakes(HEAD + added))
