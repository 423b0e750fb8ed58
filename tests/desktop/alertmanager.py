"""A real Prometheus Alertmanager on a free port, as a context manager; the test's own thread."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from tests.desktop.processes import await_line, running
from tests.parts import need


@dataclass(frozen=True)
class Alertmanager:
    """A running Alertmanager; `url` has no slash at its end."""

    url: str

    def fire(self, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None) -> None:
        """Post one alert to its API, as Prometheus does; it goes on until resolved."""
        self._post(labels, annotations, datetime.now(UTC) + timedelta(hours=1))

    def resolve(self, labels: Mapping[str, str]) -> None:
        """Tell that the alert with these labels is over."""
        self._post(labels, None, datetime.now(UTC))

    def _post(self, labels: Mapping[str, str], annotations: Mapping[str, str] | None, ends_at: datetime) -> None:
        alert = {"labels": dict(labels), "annotations": dict(annotations or {}), "endsAt": ends_at.isoformat()}
        with requests.Session() as session:
            session.trust_env = False
            session.post(f"{self.url}/api/v2/alerts", json=[alert], timeout=5).raise_for_status()


@contextmanager
def run_alertmanager(config: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Alertmanager]:
    """Start it with this configuration (YAML); its files go into `folder`. It is ready when the block begins."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "alertmanager.yml"
    file.write_text(config, encoding="utf-8")
    command = (
        str(need("prometheus-alertmanager")),
        f"--config.file={file}",
        f"--storage.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    )
    with running(*command, environment=environment, log=folder / "alertmanager.log", read="stderr") as process:
        listening = await_line(process, re.compile(r'"Listening on" address="?(127\.0\.0\.1:\d+)'), 10)
        yield Alertmanager(f"http://{listening[1]}")
