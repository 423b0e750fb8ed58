"""``python -m desktop``: the same as the installed ``watchbell``."""

import sys

from desktop.cli import main

raise SystemExit(main(sys.argv[1:]))
