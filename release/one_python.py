"""Run by the single file before anything of defendctl: was it built for this Python and this machine?"""

import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

core = next(Path(globals()["site_packages"], "pydantic_core").glob("_pydantic_core.*")).name
if core not in [f"_pydantic_core{suffix}" for suffix in EXTENSION_SUFFIXES]:
    here = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {sysconfig.get_platform()}"
    sys.exit(
        f"defendctl: this file was built for another Python than {here} (it holds {core}).\n"
        "Take the one whose name says your Python and machine, or install the package: docs/install.md."
    )
