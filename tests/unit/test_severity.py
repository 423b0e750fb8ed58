import pytest

from desktop.domain.severity import (
    EVENTS_MAP,
    LABEL_MAP,
    Mapped,
    Severity,
    Urgency,
    from_word,
    numbered,
    of_priority,
    parse,
    wakes_anew,
)


def test_what_becomes_worth_waking_for() -> None:
    assert [each for each in Severity if each.wakes] == [Severity.SEV0, Severity.SEV1]
    found = {(was, becomes) for was in Severity for becomes in Severity if wakes_anew(was, becomes)}
    assert found == {(was, becomes) for was in (2, 3) for becomes in (0, 1)}


@pytest.mark.parametrize(
    ("word", "severity"),
    [("critical", 0), ("error", 1), ("warning", 2), ("info", 3), (" Critical ", 0)],
)
def test_events_words(word: str, severity: int) -> None:
    assert from_word(word, EVENTS_MAP).severity == severity
    assert from_word(word, EVENTS_MAP).note == ""


@pytest.mark.parametrize(
    ("word", "severity"),
    [("page", 0), ("high", 1), ("major", 1), ("minor", 2), ("medium", 2), ("low", 3), ("none", 3)],
)
def test_label_words(word: str, severity: int) -> None:
    assert from_word(word, LABEL_MAP).severity == severity


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("catastrophe", "unknown severity 'catastrophe'"),
        ("x" * 41, f"unknown severity '{'x' * 40}'"),
        ("", "no severity"),
        (" ", "no severity"),
        (None, "no severity"),
        (7, "no severity"),
    ],
)
def test_an_unknown_severity_pages_and_says_so(word: object, said: str) -> None:
    assert from_word(word, EVENTS_MAP) == Mapped(Severity.SEV1, f"The event named {said}: treated as SEV-1.")


@pytest.mark.parametrize("text", ["sev0", "SEV-0", "P0", "0", " Sev 0 "])
def test_names_of_the_worst(text: str) -> None:
    assert parse(text) is Severity.SEV0


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_every_severity_has_its_names(number: int) -> None:
    for name in (f"sev{number}", f"SEV-{number}", f"P{number}", f"{number}"):
        assert parse(name) is Severity(number)


@pytest.mark.parametrize("text", ["", "sev", "sev4", "critical", "SEV-01", "-", "-x0", "X-0", "sevX0"])
def test_what_names_no_severity(text: str) -> None:
    assert parse(text) is None


WORDS = ("Blocker", "Critical", "Major", "Minor", "Trivial")

# The priority | those of its account, the worst first | the urgency | the severity
PRIORITIES = [
    (None, (), Urgency.HIGH, 1),
    (None, (), Urgency.LOW, 3),
    ("", WORDS, Urgency.LOW, 3),
    ("Whatever", (), Urgency.HIGH, 1),
    ("Whatever", (), Urgency.LOW, 3),
    ("Whatever", WORDS, Urgency.LOW, 3),
    # By its name, whatever its place.
    ("SEV-0", (), Urgency.LOW, 0),
    ("SEV-2", WORDS, Urgency.HIGH, 2),
    ("sev 1", (), Urgency.LOW, 1),
    ("P0", (), Urgency.LOW, 0),
    ("P1", ("P1", "P2", "P3", "P4", "P5"), Urgency.HIGH, 1),
    ("P3", (), Urgency.HIGH, 3),
    ("P4", (), Urgency.HIGH, 3),
    ("P5", ("P1", "P2", "P3", "P4", "P5"), Urgency.HIGH, 3),
    ("SEV-12", (), Urgency.HIGH, 3),
    ("P1 - Critical", ("P1 - Critical", "P2 - High"), Urgency.LOW, 1),
    # By its place.
    ("Blocker", WORDS, Urgency.LOW, 0),
    (" critical", WORDS, Urgency.LOW, 1),
    ("Major", WORDS, Urgency.LOW, 2),
    ("Minor", WORDS, Urgency.HIGH, 3),
    ("Trivial", WORDS, Urgency.HIGH, 3),
    ("straße", ("Weg", " STRASSE "), Urgency.LOW, 1),
    ("Odd", ("Odd", "Even", "Odd"), Urgency.LOW, 0),
    # What only looks like a number.
    ("P2P down", ("P2P down",), Urgency.LOW, 0),
    ("P01", (), Urgency.LOW, 3),
    ("P1000", (), Urgency.HIGH, 1),
    ("P٢", (), Urgency.HIGH, 1),
    ("1", (), Urgency.LOW, 3),
    ("Step 0", (), Urgency.LOW, 3),
]


@pytest.mark.parametrize(("name", "account", "urgency", "severity"), PRIORITIES)
def test_a_priority_means_a_severity_by_name_else_by_place_else_by_urgency(
    name: str | None, account: tuple[str, ...], urgency: Urgency, severity: int
) -> None:
    assert of_priority(name, urgency, account) is Severity(severity)


@pytest.mark.parametrize(("name", "alone"), [("P4", True), ("SEV-0", True), ("Blocker", False), ("P2P", False)])
def test_some_names_need_no_account(name: str, *, alone: bool) -> None:
    assert numbered(name) is alone
