"""Our own endpoints: their OpenAPI document, and schemathesis, which makes requests of it that nobody thought of."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from desktop.server import api
from desktop.server.api.document import OURS
from tests.server.house import TEAM, House, running_house

_TEAM = TEAM.replace('id = "ana"', 'id = "ana"\naccess = "admin"')
# It has no end: its own tests follow it.
_ENDLESS = "/watchbell/v1/stream"

schemathesis.serializer.alias("application/toml", "text/plain")


@pytest.fixture(scope="module")
def admins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_house(tmp_path_factory.mktemp("house"), _TEAM) as house:
        house.get("/users/me")
        yield house


def _routes() -> set[str]:
    """Return the path of every endpoint of ours that is written in any part of the server."""
    names = (each.name for each in pkgutil.iter_modules(api.__path__, f"{api.__name__}."))
    routers = [getattr(import_module(name), "router", None) for name in names]
    paths = {
        route.path_format for router in routers if router for route in router.routes if isinstance(route, APIRoute)
    }
    # Another name for one, with a slash at its end, is no path of its own, nor is the document's.
    return {path for path in paths if path.startswith(OURS) and not path.endswith("/")} - {f"{OURS}openapi.json"}


def test_the_document_has_all_of_ours_and_only_that(admins: House) -> None:
    document = admins.get("/watchbell/v1/openapi.json")
    ours = _routes()
    assert len(ours) > 20
    assert set(document["paths"]) == ours | {_ENDLESS}
    assert "422" not in str(document)
    assert document["openapi"].startswith("3.")
    assert admins.call("GET", "/watchbell/v1/openapi.json", person="").status_code == 401
    assert admins.call("GET", "/openapi.json").status_code == 404


def _make_requests(house: House, person: str, examples: int) -> int:
    schema = schemathesis.openapi.from_dict(house.get("/watchbell/v1/openapi.json"))
    headers = {"Authorization": f"Token token={house.tokens[person]}"}
    made = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        if operation.path == _ENDLESS:
            continue

        @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            nonlocal made
            made += 1
            # Any text is a text, and hardly one is a team file: being refused is no fault.
            case.call_and_validate(
                base_url=house.url, headers=headers, session=house.session, excluded_checks=[positive_data_acceptance]
            )

        check()
    return made


@pytest.mark.parametrize("person", ["ana", "ben"])
def test_no_request_is_answered_otherwise_than_the_document_says(admins: House, person: str) -> None:
    assert _make_requests(admins, person, 15) >= 15


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("person", ["ana", "ben"])
def test_nor_is_any_of_many(admins: House, person: str) -> None:
    assert _make_requests(admins, person, 500) >= 500
