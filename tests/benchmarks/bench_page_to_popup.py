"""How long from an accepted event to the pop-up on screen and the sound at the sink: prints figures, asserts none.

Run it as ``.venv/bin/python tests/benchmarks/bench_page_to_popup.py [PAGES]``.
"""

import sys
import time
from pathlib import Path
from statistics import median, quantiles

import requests

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.desktop.application import application, await_popup
from tests.desktop.session import start_session

PAGES = 50


def main() -> int:
    """Measure and print."""
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else PAGES
    shown, heard = [], []
    with start_session() as session, session.map_events() as maps, session.listen() as ear, application(session) as app:
        session.await_tray_icons(1)
        app.await_server()
        backend, url, key = app.backend(), app.url, app.key()
        with requests.Session() as http:
            http.trust_env = False
            for number in range(pages):
                sent = time.monotonic()
                http.post(f"{url}/v2/enqueue", json=event(key, number), timeout=10).raise_for_status()
                popup = await_popup(maps)
                shown.append(popup.at - sent)
                heard.append(ear.wait_for_sound() - sent)
                backend.acknowledge(backend.incidents()[-1].id)
                maps.wait_gone(popup)
                ear.wait_for_silence(hold=0.5)
    report("POST /v2/enqueue to the pop-up's window mapped", shown)
    report("POST /v2/enqueue to sound at the sink", heard)
    return 0


def event(key: str, number: int) -> dict[str, object]:
    """Return a critical event of its own."""
    payload = {"summary": f"Measured page {number}", "source": "benchmark", "severity": "critical"}
    return {"routing_key": key, "event_action": "trigger", "payload": payload}


def report(what: str, seconds: list[float]) -> None:
    """Print the distribution in milliseconds."""
    ms = sorted(1000 * s for s in seconds)
    p99 = quantiles(ms, n=100, method="inclusive")[98]
    print(f"{what}: {len(ms)} pages, median {median(ms):.1f} ms, p99 {p99:.1f} ms, worst {ms[-1]:.1f} ms")


if __name__ == "__main__":
    raise SystemExit(main())
