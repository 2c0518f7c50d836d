"""`defendctl`, and `python -m defendctl`."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    from defendctl.cli.main import run

    code = run(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the result stands; it must not turn into a death by signal
    sys.exit(code)


if __name__ == "__main__":
    main()
