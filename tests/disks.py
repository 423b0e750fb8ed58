"""Small disks of a test's own (tmpfs), which can be full or read-only. Any thread."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.parts import lacking

_WHY_NOT = "no disk is full or read-only: this user may not mount a tmpfs"


@dataclass(frozen=True)
class Disk:
    """A mounted disk."""

    folder: Path

    def fill(self) -> None:
        """Leave no byte on it."""
        with (self.folder / "filling").open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                with suppress(OSError):
                    while file.write(bytes(size)):
                        pass
        assert shutil.disk_usage(self.folder).free == 0

    def free(self) -> None:
        """Make room again."""
        (self.folder / "filling").unlink()

    def read_only(self) -> None:
        """Let nothing be written any more; what is open for writing must be closed before."""
        self._remount("ro")

    def writable(self) -> None:
        """Let it be written again."""
        self._remount("rw")

    def _remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True, capture_output=True)


@contextmanager
def small_disk(folder: Path, size: str = "4m") -> Iterator[Disk]:
    """Make a small disk at ``folder`` until the block ends; where that may not be done skip the test, or fail in CI."""
    folder.mkdir(parents=True)
    options = f"size={size},mode=0700,uid={os.getuid()}"
    mounting = ["mount", "-t", "tmpfs", "-o", options, "watchbell-tests", str(folder)]
    try:
        refused = subprocess.run(mounting, check=False, capture_output=True).returncode
    except OSError:
        refused = 1
    if refused:
        lacking(_WHY_NOT)
    try:
        yield Disk(folder)
    finally:
        # A process that is still ending may have a file open on it.
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
