"""Severities: their names, targets, and how foreign words map to them. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum


class Urgency(StrEnum):
    """PagerDuty's urgency: high pages, low only notifies."""

    HIGH = "high"
    LOW = "low"


class Severity(IntEnum):
    """SEV-0 (critical) to SEV-3 (low); the smaller, the worse."""

    SEV0 = 0
    SEV1 = 1
    SEV2 = 2
    SEV3 = 3

    @property
    def label(self) -> str:
        """Its name on the screen and as a priority: ``SEV-0``."""
        return f"SEV-{self.value}"

    @property
    def key(self) -> str:
        """Its name in files, commands and JSON: ``sev0``."""
        return f"sev{self.value}"

    @property
    def word(self) -> str:
        """The procedure's word for it: ``Critical``."""
        return ("Critical", "High", "Medium", "Low")[self.value]

    @property
    def urgency(self) -> Urgency:
        """SEV-0…2 page, SEV-3 only notifies (design, section 6)."""
        return Urgency.LOW if self is Severity.SEV3 else Urgency.HIGH

    @property
    def wakes(self) -> bool:
        """Whether it is worth waking people, whatever the hour (SEV-0 and SEV-1)."""
        return self <= Severity.SEV1

    @property
    def repeats(self) -> bool:
        """Whether an unanswered escalation starts again from the top (SEV-0 and SEV-1)."""
        return self <= Severity.SEV1


@dataclass(frozen=True, slots=True)
class Targets:
    """How soon to ``acknowledge`` and to ``resolve``, from the trigger."""

    acknowledge: timedelta
    resolve: timedelta


# oncall-procedures.md, "Response Time Metrics".
DEFAULT_TARGETS = {
    Severity.SEV0: Targets(timedelta(minutes=15), timedelta(hours=1)),
    Severity.SEV1: Targets(timedelta(minutes=30), timedelta(hours=4)),
    Severity.SEV2: Targets(timedelta(hours=1), timedelta(hours=8)),
    Severity.SEV3: Targets(timedelta(hours=4), timedelta(hours=24)),
}

# PagerDuty Events API v2, payload.severity.
EVENTS_MAP = {
    "critical": Severity.SEV0,
    "error": Severity.SEV1,
    "warning": Severity.SEV2,
    "info": Severity.SEV3,
}

# The `severity` label of Alertmanager and Grafana.
LABEL_MAP = {
    "critical": Severity.SEV0,
    "page": Severity.SEV0,
    "error": Severity.SEV1,
    "high": Severity.SEV1,
    "major": Severity.SEV1,
    "warning": Severity.SEV2,
    "medium": Severity.SEV2,
    "minor": Severity.SEV2,
    "info": Severity.SEV3,
    "low": Severity.SEV3,
    "none": Severity.SEV3,
}

# How the priorities begin that PagerDuty proposes, and ours: "P1", "SEV-0", "SEV-1 - Major".
_NUMBERED = re.compile(r"(?:sev|p)[- ]*(0|[1-9]\d{0,2})\b", re.ASCII)

# Better one page too many than one unheard (design, section 3).
WHEN_UNKNOWN = Severity.SEV1


@dataclass(frozen=True, slots=True)
class Mapped:
    """A severity found for a foreign word; ``note`` says so where the word told nothing (else empty)."""

    severity: Severity
    note: str = ""


def from_word(word: object, words: dict[str, Severity]) -> Mapped:
    """Map a foreign severity ``word`` by the table ``words``; unknown or absent gives SEV-1 and a note."""
    if isinstance(word, str) and (found := words.get(word.strip().lower())) is not None:
        return Mapped(found)
    said = f"unknown severity {word[:40]!r}" if isinstance(word, str) and word.strip() else "no severity"
    return Mapped(WHEN_UNKNOWN, f"The event named {said}: treated as {WHEN_UNKNOWN.label}.")


def wakes_anew(was: Severity, becomes: Severity) -> bool:
    """Tell whether a change of severity makes worth waking people for what was not: it pages even who has it."""
    return becomes.wakes and not was.wakes


def parse(text: str) -> Severity | None:
    """Return the severity that ``sev0``, ``SEV-0``, ``P0`` or ``0`` names, else None."""
    word = text.strip().lower().removeprefix("sev").removeprefix("p").lstrip("- ")
    return Severity(int(word)) if word in {"0", "1", "2", "3"} else None


def of_priority(name: str | None, urgency: Urgency, account: Sequence[str] = ()) -> Severity:
    """Return the severity of an incident by its priority's ``name``, None where it has no priority.

    A name that begins with a number (``SEV-1``, ``P4``) gives that severity, SEV-3 from 3 on. Any other gives its place
    among the priorities of its ``account``, which are in order, the worst first: the fourth and all after it are SEV-3.
    One that is not among them says nothing, and the ``urgency`` decides: high → SEV-1, low → SEV-3 (design, section 3).
    """
    place = _place(name, account) if name else None
    if place is not None:
        return Severity(min(place, Severity.SEV3))
    return Severity.SEV3 if urgency is Urgency.LOW else Severity.SEV1


def numbered(name: str) -> bool:
    """Tell whether the ``name`` of a priority gives a severity by itself, whatever others its account has."""
    return _place(name, ()) is not None


def _place(name: str, account: Sequence[str]) -> int | None:
    """Return how many priorities are worse than the one called ``name``, None where that is not known."""
    wanted = name.strip().casefold()
    found = _NUMBERED.match(wanted)
    if found is not None:
        return int(found[1])
    names = [known.strip().casefold() for known in account]
    return names.index(wanted) if wanted in names else None
