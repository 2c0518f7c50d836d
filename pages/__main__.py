"""`python -m pages FOLDER`: everything that the generator of the site reads, written anew into FOLDER."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Final

from defendctl.documentation import page_url
from pages import codes, commands, formats, keys
from pages.included import included

ROOT: Final = Path(__file__).parents[1]
_FENCE: Final = re.compile(r"^( *`{3,}yaml) (?:manifest|project|policy|overlay|tests)\b", re.MULTILINE)
"""What says for the tests which schema a block must fit; the site generator knows no such word."""


def generated() -> dict[str, str]:
    """Page below `docs/` → its Markdown."""
    return {
        **commands.pages(),
        **keys.pages(),
        "reference/exit-codes.md": codes.exit_codes(),
        "reference/diagnostics.md": codes.diagnostics(),
        "reference/json.md": formats.page(),
    }


def main(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder / "docs")
    for path in (folder / "docs").rglob("*.md"):
        path.write_text(_FENCE.sub(r"\1", included(path.read_text(), ROOT)))
    for name, text in generated().items():
        target = folder / "docs" / name
        if target.exists():
            sys.exit(f"docs/{name} is written by hand and made from the code: which is meant?")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (folder / "zensical.toml").write_text(_settings())


def _settings() -> str:
    """Those of the site, with its address and with the pages that are made here in their place."""
    text = (ROOT / "pages" / "zensical.toml").read_text().replace("SITE_URL", page_url("").rstrip("/") + "/")
    for place, made in (("COMMANDS", commands.pages()), ("KEYS", keys.pages())):
        entries = ", ".join(f'{{ "{Path(name).stem}" = "{name}" }}' for name in made)
        text = text.replace(f"[{place}]", f"[{entries}]")
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]))
