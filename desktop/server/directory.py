"""People and services as the API shows them. Immutable; replaced as a whole when a team file is applied."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from desktop.server import schema


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person of the team, or an emergency contact (``contact``), present or gone (not ``active``)."""

    id: str
    name: str
    email: str = ""
    phone: str = ""
    time_zone: str = ""
    access: str = "engineer"
    contact: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True)
class Thing:
    """A service that alerts are about."""

    id: str
    name: str
    runbook: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody and every service that an incident may name, those who left the team included.

    ``origin`` is where the server is reached (``https://host:port``): links begin with it.
    """

    people: dict[str, Somebody] = field(default_factory=dict)
    services: dict[str, Thing] = field(default_factory=dict)
    origin: str = ""

    def person(self, person_id: str) -> Somebody:
        """Return the person called ``person_id``; one without a name when it is unknown."""
        return self.people.get(person_id) or Somebody(person_id, person_id, active=False)

    def service(self, service_id: str) -> Thing:
        """Return the service called ``service_id``; one without a name when it is unknown."""
        return self.services.get(service_id) or Thing(service_id, service_id, active=False)


def read(connection: Connection) -> Directory:
    """Return the directory as the rows say."""
    people = connection.execute(select(schema.people).order_by(schema.people.c.name, schema.people.c.id))
    services = connection.execute(select(schema.services).order_by(schema.services.c.name, schema.services.c.id))
    return Directory(
        people={row.id: Somebody(**row._mapping) for row in people},  # noqa: SLF001 - public, despite its name
        services={row.id: Thing(row.id, row.name, row.runbook, row.active) for row in services},
    )
