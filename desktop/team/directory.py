"""The parts of a team file that name people and things: people, contacts, services, checks, channels. Any thread."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from desktop.domain.team import Access, AccessCheck, Contact, Member, Service
from desktop.team import addresses, times, words
from desktop.team.reader import Table

_access = words.member_of(Access, "access")


def people(top: Table) -> tuple[Member, ...]:
    """Return ``[[people]]``: at least one, each with an id of its own."""
    if not top.has("people"):
        top.wrong("", "[[people]] is missing: name at least one person.")
    elif top.lacks("people"):
        top.wrong("people", "names nobody: name at least one person.")
    ids = _unique("person")
    found = [person for table in top.tables("people") if (person := _person(table, ids)) is not None]
    return tuple(found)


def _person(table: Table, ids: Callable[[Table, str | None], str | None]) -> Member | None:
    person_id = ids(table, table.need("id", words.identifier))
    name = table.get("name", words.text)
    member = Member(
        id=person_id or "",
        name=name or person_id or "",
        email=table.get("email", addresses.mail) or "",
        phone=table.get("phone", addresses.phone) or "",
        time_zone=table.get("time_zone", times.zone),
        notify=table.each("notify", addresses.channel, addresses.doubt),
        certified=table.get("certified", words.flag),
        access=table.get("access", _access) or Access.ENGINEER,
    )
    return member if person_id else None


def emergency_contacts(top: Table) -> tuple[Contact, ...]:
    """Return ``[[emergency_contacts]]``: paged in the last step of an escalation."""
    return tuple(_contacts(top, "emergency_contacts", paged=True))


def contacts(top: Table) -> tuple[Contact, ...]:
    """Return ``[[contacts]]``: shown with their hours, never paged."""
    return tuple(_contacts(top, "contacts", paged=False))


def _contacts(top: Table, key: str, *, paged: bool) -> Iterator[Contact]:
    for table in top.tables(key):
        name = table.need("name", words.text)
        contact = Contact(
            name=name or "",
            phone=table.get("phone", addresses.phone) or "",
            email=table.get("email", addresses.mail) or "",
            hours=table.get("hours", words.text) or "",
            notify=table.each("notify", addresses.channel, addresses.doubt) if paged else (),
        )
        if name:
            yield contact


def services(top: Table) -> tuple[Service, ...]:
    """Return ``[[services]]``, each with an id and an integration key of its own."""
    ids, keys = _unique("service"), _unique("service", "integration_key")
    found = []
    for table in top.tables("services"):
        service_id = ids(table, table.need("id", words.identifier))
        name = table.get("name", words.text)
        service = Service(
            id=service_id or "",
            name=name or service_id or "",
            runbook=table.get("runbook", addresses.link) or "",
            severity=table.get("severity", words.severity),
            integration_key=keys(table, table.get("integration_key", addresses.reference)) or "",
        )
        if service_id:
            found.append(service)
    return tuple(found)


def access_checks(top: Table) -> tuple[AccessCheck, ...]:
    """Return ``[[access_checks]]``: what an engineer must be able to reach, by HTTP or TCP."""
    return tuple(check for table in top.tables("access_checks") if (check := _access_check(table)) is not None)


def _access_check(table: Table) -> AccessCheck | None:
    name = table.need("name", words.text)
    kind = table.need("kind", words.one_of(("http", "tcp"), "kind of check"))
    if kind is None or name is None:
        # What belongs to the check depends on its kind: without it every key is allowed.
        table.names()
        return None
    if kind == "http":
        url = table.need("url", addresses.link)
        expect = table.get("expect", words.whole(100, 599))
        return AccessCheck(name, kind, url=url or "", expect=200 if expect is None else expect)
    host, port = table.need("host", addresses.host), table.need("port", words.whole(1, 65535))
    return AccessCheck(name, kind, host=host or "", port=port or 0)


def channels(top: Table) -> Mapping[str, str]:
    """Return ``[channels]``: ``incidents`` (where messages go) and ``status_page`` (a link that is shown)."""
    with top.table("channels") as table:
        found = {
            "incidents": table.get("incidents", addresses.channel, addresses.doubt),
            "status_page": table.get("status_page", addresses.link_or_reference),
        }
    return MappingProxyType({key: value for key, value in found.items() if value is not None})


def _unique(what: str, key: str = "id") -> Callable[[Table, str | None], str | None]:
    """Return a guard that lets each value through and notes those that came before."""
    seen: set[str] = set()

    def guard(table: Table, value: str | None) -> str | None:
        if value is not None and value in seen:
            table.wrong(key, f"{words.said(value)} stands twice: every {what} needs its own.")
        if value is not None:
            seen.add(value)
        return value

    return guard
