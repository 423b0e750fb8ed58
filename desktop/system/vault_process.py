"""The keyring, asked in a process of its own, which ends with its answer. Any thread; each call can block for ever.

A keyring is asked once or twice in the life of the application, and what asking it loads (13 MiB on Linux, most of it
cryptography for the bus) would stay for all of it. Secrets go through pipes alone.
"""

import json
import os
import subprocess
import sys
import threading

from desktop.domain.errors import KeyringAbsent, KeyringLocked, SecretsUnavailable
from desktop.system.program import child_environment

_KINDS = {kind.__name__: kind for kind in (SecretsUnavailable, KeyringAbsent, KeyringLocked)}
_STANDARD_INPUT = 0


class ProcessKeyring:
    """As ``vault.Keyring`` is."""

    def get(self, service: str, entry: str) -> str | None:
        """Return a secret, None when there is none."""
        return _ask("get", service, entry)

    def set(self, service: str, entry: str, secret: str) -> None:
        """Keep a secret in place of an earlier one."""
        _ask("set", service, entry, secret)

    def delete(self, service: str, entry: str) -> None:
        """Forget a secret, if there is one."""
        _ask("delete", service, entry)

    def name(self) -> str:
        """Return what the keyring is called."""
        return _ask("name") or ""


def _ask(*wish: str) -> str | None:
    try:
        with subprocess.Popen(  # noqa: S603 - our own program, every argument ours
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(),
            start_new_session=True,
        ) as process:
            return _understood(_talk(process, wish))
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise SecretsUnavailable(f"the keyring cannot be asked ({type(e).__name__}): start Watchbell again") from e


def _talk(process: "subprocess.Popen[str]", wish: tuple[str, ...]) -> str:
    if process.stdin is None or process.stdout is None:
        return ""
    # It stays open: its end tells the process that nobody waits for the answer any more.
    process.stdin.write(json.dumps(wish) + "\n")
    process.stdin.flush()
    return process.stdout.readline()


def _understood(line: str) -> str | None:
    answer: dict[str, str | None] = json.loads(line)
    if answer["error"] is not None:
        raise _KINDS[answer["error"]](answer["message"] or "")
    return answer["value"]


def main() -> int:
    """Do what one line on standard input asks for; answer with one line."""
    what, *arguments = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_asker, name="watchbell-asker", daemon=True).start()
    from desktop.system.vault import Keyring  # noqa: PLC0415 - what this process is there for

    answer = {"value": None, "error": None, "message": ""}
    try:
        # One of the four of ProcessKeyring, who alone writes here.
        answer["value"] = getattr(Keyring(), what)(*arguments)
    except SecretsUnavailable as e:
        answer |= {"error": type(e).__name__, "message": e.message}
    print(json.dumps(answer), flush=True)
    return 0


def _end_with_asker() -> None:
    """End, whatever the keyring does, when nobody waits any more: a prompt may never be answered."""
    while os.read(_STANDARD_INPUT, 4096):
        continue
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
