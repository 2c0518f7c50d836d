"""`defendctl`, and `python -m defendctl`."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import ModuleType
from typing import Final

from defendctl import process

_LOADER: Final = "pydantic.plugin._loader"
_SELDOM = (50_000, 20, 100)
"""When cycles are looked for: a run makes few, and many values that the search would look at in vain."""


def _expect_no_plugins() -> None:
    """Of pydantic, which would look for some in every package. Told not to, it still imports what reads the
    packages' metadata, with mail and archives: that is spared by a loader that has none."""
    if os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__") == "__all__":
        none = sys.modules.setdefault(_LOADER, ModuleType(_LOADER))
        vars(none).setdefault("get_plugins", tuple)


def main() -> None:
    process.open_streams()
    process.on_stop(process.leave)
    process.leave_if_swallowed()
    gc.set_threshold(*_SELDOM)
    _expect_no_plugins()
    try:
        from defendctl.cli.main import run

        code = run(sys.argv[1:])
        process.on_stop(signal.SIG_IGN)  # the result stands; it must not turn into a death by signal
        gc.freeze()  # an end that looks for cycles among all that was loaded takes longer than a validation
    except KeyboardInterrupt:  # once more, while the first was told
        process.leave()
    sys.exit(code)


if __name__ == "__main__":
    main()
