"""PagerDuty's published specification, where it is at hand: our answers are held against it. The test's own thread.

It has no licence that would let it stand in this project. WATCHBELL_PAGERDUTY_SPECIFICATION names the folder that holds
``rest-v2.openapi.json`` and ``events-v2.openapi.json``; else it is looked for beside the project.
"""

import copy
import json
import os
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests

VARIABLE = "WATCHBELL_PAGERDUTY_SPECIFICATION"
_BESIDE = Path(__file__).parents[3] / "shared" / "facts" / "pagerduty"

# Where we answer otherwise than the document says, on purpose: (method, path) to its status.
# Reading overrides answers 200: that the document says 201 is taken for a slip, for nothing is made.
_STATUSES = {("GET", "/schedules/{id}/overrides"): {200: 201}}


def folder() -> Path:
    """Return where the specification is; without it, skip the test."""
    place = Path(os.environ.get(VARIABLE) or _BESIDE)
    if not (place / "rest-v2.openapi.json").is_file():
        pytest.skip(f"PagerDuty's specification is not at hand: set {VARIABLE} to the folder that holds it")
    return place


@cache
def _document(name: str) -> Any:
    return json.loads((folder() / name).read_text("utf-8"))


class Specification:
    """One of the two documents, for the server at ``url``."""

    def __init__(self, name: str, url: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # openapi-core's own imports
            from openapi_core import Config, OpenAPI  # noqa: PLC0415 - costs a third of a second
        document = _mended({**_document(name), "servers": [{"url": url}]})
        # The document itself is not valid: some of its defaults and examples are of the wrong type.
        self._openapi = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))

    def check(self, response: requests.Response) -> None:
        """Raise when ``response`` is not as the document says that it must be."""
        from openapi_core.contrib.requests import (  # noqa: PLC0415
            RequestsOpenAPIRequest,
            RequestsOpenAPIResponse,
        )

        request = RequestsOpenAPIRequest(response.request)
        self._openapi.validate_response(request, RequestsOpenAPIResponse(_as_documented(copy.copy(response))))


def _as_documented(response: requests.Response) -> requests.Response:
    method = str(response.request.method)
    path = str(response.request.path_url).partition("?")[0]
    for (known, pattern), statuses in _STATUSES.items():
        before, _, after = pattern.partition("{id}")
        if method == known and path.startswith(before) and path.endswith(after):
            response.status_code = statuses.get(response.status_code, response.status_code)
    # The document hardly says that anything may be null, where PagerDuty does send null for whatever is not required
    # (resolved_at of an open incident): null counts as absent, so that only what is required must have a value.
    response._content = json.dumps(_without_nulls(response.json())).encode()
    return response


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def _mended(document: Any) -> Any:
    """Return ``document`` without what nothing could fulfil."""
    loosened = _loosened(document)
    for path in ("/log_entries", "/log_entries/{id}"):
        if path in loosened["paths"]:
            # The lines of all incidents are those of one, which has a kind that was forgotten here.
            _add_kind(loosened["paths"][path]["get"]["responses"]["200"])
    entry = loosened["components"]["schemas"].get("AcknowledgeLogEntry")
    if entry is not None:
        # It allows one type, and what it builds upon another: no entry can have both.
        entry["allOf"][1]["properties"]["type"]["enum"] = ["acknowledge_log_entry"]
    return loosened


def _add_kind(part: Any) -> None:
    """Add the change of a field to the alternatives of a line of the history, wherever they stand in ``part``."""
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _add_kind(value)
    if isinstance(part, dict) and {"$ref": "#/components/schemas/TriggerLogEntry"} in part.get("anyOf", ()):
        part["anyOf"].append({"$ref": "#/components/schemas/FieldValueChangeLogEntry"})


def _loosened(part: Any) -> Any:
    """Return a copy of ``part`` that takes what PagerDuty means.

    Of alternatives more than one may fit: those of a channel are told apart by nothing but their descriptions. What a
    request asks for with include[] is whole, although the document has nothing but references in most of its places.
    """
    if isinstance(part, list):
        return [_loosened(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {("anyOf" if key == "oneOf" else key): _loosened(value) for key, value in part.items()}
    words = found.get("enum")
    if isinstance(words, list) and all(isinstance(word, str) and word.endswith("_reference") for word in words):
        found["enum"] = [*words, *(word.removesuffix("_reference") for word in words)]
    return found
