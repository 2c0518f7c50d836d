"""`defendctl`, and `python -m defendctl`."""

from __future__ import annotations

import gc
import os
import signal
import sys

from defendctl import process

_SELDOM = (50_000, 20, 100)
"""When cycles are looked for: a run makes few, and many values that the search would look at in vain."""


def main() -> None:
    process.open_streams()
    process.on_stop(process.leave)
    process.leave_if_swallowed()
    gc.set_threshold(*_SELDOM)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look for some in every package
    try:
        from defendctl.cli.main import run

        code = run(sys.argv[1:])
        process.on_stop(signal.SIG_IGN)  # the result stands; it must not turn into a death by signal
    except KeyboardInterrupt:  # once more, while the first was told
        process.leave()
    sys.exit(code)


if __name__ == "__main__":
    main()
