import pytest

from desktop.domain.severity import EVENTS_MAP, LABEL_MAP, Severity, Urgency, from_word, of_priority, parse


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


@pytest.mark.parametrize("word", ["catastrophe", "", None, 7])
def test_an_unknown_severity_pages_and_says_so(word: object) -> None:
    mapped = from_word(word, EVENTS_MAP)
    assert mapped.severity is Severity.SEV1
    assert "SEV-1" in mapped.note


@pytest.mark.parametrize("text", ["sev0", "SEV-0", "P0", "0", " Sev 0 "])
def test_names_of_the_worst(text: str) -> None:
    assert parse(text) is Severity.SEV0


@pytest.mark.parametrize("text", ["", "sev", "sev4", "critical", "SEV-01", "-"])
def test_what_names_no_severity(text: str) -> None:
    assert parse(text) is None


def test_urgency_decides_without_a_priority() -> None:
    assert of_priority(None, Urgency.HIGH) is Severity.SEV1
    assert of_priority("Whatever", Urgency.LOW) is Severity.SEV3
    assert of_priority("SEV-2", Urgency.HIGH) is Severity.SEV2
