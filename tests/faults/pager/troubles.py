"""What can go wrong between a pager and a backend, by name, and which requests that is about."""

from tests.faults.backend import misbehaving as how
from tests.faults.backend.server import STREAM, Misbehave

FAULTS: dict[str, Misbehave] = {
    "silent": how.silent,
    "half open": how.half_open,
    "reset": how.reset,
    "done and cut": how.done_and_cut,
    "drip": how.drip,
    "dripping header": how.drip_headers,
    "429": how.status(429),
    "429 with a wait": how.status(429, {"Retry-After": "1"}),
    "401": how.status(401),
    "403": how.status(403),
    "500": how.status(500),
    "503 with a page": how.status(503, body=how.PORTAL),
    "redirect": how.redirect("http://127.0.0.1:1"),
    "captive portal": how.portal,
    "invalid JSON": how.invalid_json,
    "wrong types": how.wrong_types,
    "no list": how.no_list,
}
SCOPES = {"everything": ("/", ""), "reads": ("/", "GET"), "clicks": ("/incidents", "PUT"), "stream": (STREAM, "GET")}
BLINDING = {"everything", "reads"}
GARBAGE = (
    b"event: incident\ndata: {nonsense\n\n",
    b"event: nobody-knows\ndata: 1\n\n",
    b"id: 3\nevent: incident\ndata: []\n\n",
    b"\x00\xff\xfe\n\n",
    b"event: incident\nid: 999999\ndata: {}\n\n",
)
