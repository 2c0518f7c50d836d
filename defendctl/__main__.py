"""`defendctl`, and `python -m defendctl`."""

from __future__ import annotations

import sys


def main() -> None:
    from defendctl.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
