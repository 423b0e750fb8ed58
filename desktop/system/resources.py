"""Where bundled files are: sounds and icons. Any thread."""

from importlib.resources import files
from pathlib import Path


def resource(name: str) -> Path:
    """Return the path of the bundled file ``name`` (``"sounds/siren.wav"``).

    Installed, it lies in the package; in the source tree beside it. Raises FileNotFoundError when it is in neither.
    """
    package = Path(str(files("desktop")))
    for root in (package / "resources", package.parent / "resources"):
        path = root / name
        if path.is_file():
            return path
    raise FileNotFoundError(f"{name} is not among the bundled files of {package}: the installation is incomplete")
