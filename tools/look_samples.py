"""Sample values for ``tools/look.py`` and the tests of the screen: pages, connections, people."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from desktop.domain.attention import Attention, Command, ConnectionState, Contact, Lost, Page, attention
from desktop.domain.incident import (
    Acknowledgement,
    ActionKind,
    Asked,
    Incident,
    OnCall,
    PendingAction,
    Person,
    Snapshot,
    Status,
)
from desktop.domain.severity import Severity

NOW = datetime(2026, 11, 26, 3, 14, 28, tzinfo=UTC)
ANA, BEN, MIA = Person("ana", "Ana Ruiz"), Person("ben", "Ben Okafor"), Person("mia", "Mia Lund")
REFUSED_TOKEN = "api.pagerduty.com does not accept the token: it is unknown, revoked or expired"
UNTIL = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
ON_CALL = (
    OnCall(ANA, "primary", 1, "sev0", until=UNTIL),
    OnCall(BEN, "secondary", 2, "sev0", until=UNTIL),
    OnCall(MIA, "manager", 3, "sev0", until=None),
)


def incident(number: int = 1044, **changes: object) -> Incident:
    """Return a triggered SEV-0 with ``changes``."""
    made = Incident(
        id=f"P{number}",
        number=number,
        title="Payments API: 5xx above 20 % in eu-west-1",
        status=Status.TRIGGERED,
        severity=Severity.SEV0,
        urgency=Severity.SEV0.urgency,
        created_at=NOW - timedelta(seconds=28),
        service="payments",
        policy="sev0",
        assignees=(ANA,),
        pending=(PendingAction(ActionKind.ESCALATE, NOW + timedelta(minutes=14, seconds=32)),),
        runbook="https://runbooks.example.com/payments/5xx",
        url="https://pager.example.com/incidents/P1044",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def page(
    number: int = 1044, *, sending: bool = False, overdue: bool = False, failed: str = "", **changes: object
) -> Page:
    """Return a page of ``incident(number, **changes)``."""
    command = Command.ACKNOWLEDGE if sending or overdue else None
    return Page("local", "Watchbell server", incident(number, **changes), ON_CALL, ANA, command, overdue, failed)


def escalating(after: timedelta) -> tuple[PendingAction, ...]:
    """Return the pending escalation ``after`` NOW."""
    return (PendingAction(ActionKind.ESCALATE, NOW + after),)


def state(*incidents: Incident, **changes: object) -> ConnectionState:
    """Return a live connection that holds ``incidents``."""
    snapshot = Snapshot(ANA, incidents, ON_CALL, NOW)
    made = ConnectionState("local", "Watchbell server", Contact.LIVE, NOW, snapshot, NOW - timedelta(seconds=4))
    return replace(made, **changes)  # type: ignore[arg-type]


def pages(*shown: Page) -> Attention:
    """Return the attention that ``shown`` demand."""
    whole = attention((state(*(p.incident for p in shown)),), NOW)
    return replace(whole, pages=shown)


def lost(**changes: object) -> Lost:
    """Return a connection lost for 94 s, loudly."""
    made = Lost("pd", "PagerDuty", NOW - timedelta(seconds=94), "api.pagerduty.com timed out", loud=True)
    return replace(made, **changes)  # type: ignore[arg-type]


def acknowledged_by(person: Person, number: int = 1044) -> Incident:
    """Return the incident acknowledged by ``person`` 5 s ago."""
    return incident(
        number,
        status=Status.ACKNOWLEDGED,
        acknowledgements=(Acknowledgement(person, NOW - timedelta(seconds=5)),),
        pending=(),
    )


def asked_for_help(by: Person, message: str) -> Page:
    """Return the page of an incident that ``by`` has, and with which they ask Ana to help."""
    return replace(page(), incident=replace(acknowledged_by(by), assignees=(by, ANA), asked=(Asked(ANA, by, message),)))


def given_to(person: Person) -> Attention:
    """Return the attention after the page was given to ``person``."""
    left = replace(page().incident, assignees=(person,))
    return attention((replace(state(left), left=(left.id,)),), NOW)


def taken_by(person: Person) -> Attention:
    """Return the attention after ``person`` acknowledged the page."""
    return attention((state(acknowledged_by(person)),), NOW)
