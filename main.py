"""Watchbell's entry: hands the arguments to the commands and does nothing else; runs on the main thread."""

import sys

# Whoever starts this with the machine's own Python gets a sentence, not a traceback: hence a check that Python 3.8 can
# still read, and the guard around everything that may import a package.
if sys.version_info < (3, 11):  # noqa: UP036 - the very check for those who start it with an older one
    raise SystemExit(f"Watchbell needs Python 3.11 or newer, this is {sys.version.split()[0]}; ./watchbell finds one.")

try:
    from desktop.cli import main

    status = main(sys.argv[1:])
except ModuleNotFoundError as error:
    package = (error.name or "desktop").partition(".")[0]
    if package == "desktop":
        raise
    raise SystemExit(
        f"Watchbell's Python package {package!r} is not installed here. "
        "Start Watchbell with ./watchbell run (or ./watchbell demo): that installs what it needs.",
    ) from None
raise SystemExit(status)
