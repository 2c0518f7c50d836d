"""`defendctl`, and `python -m defendctl`."""

from __future__ import annotations

import signal
import sys

from defendctl import process


def main() -> None:
    process.open_streams()
    process.on_stop(process.leave)
    process.leave_if_swallowed()
    try:
        from defendctl.cli.main import run

        code = run(sys.argv[1:])
        process.on_stop(signal.SIG_IGN)  # the result stands; it must not turn into a death by signal
    except KeyboardInterrupt:  # once more, while the first was told
        process.leave()
    sys.exit(code)


if __name__ == "__main__":
    main()
