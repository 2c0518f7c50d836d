"""`python -m pages FOLDER`: everything that the generator of the site reads, written anew into FOLDER."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Final

from defendctl.documentation import page_url
from pages import codes, commands, formats, keys, parts
from pages.included import included

ROOT: Final = Path(__file__).parents[1]
_FENCE: Final = re.compile(r"^( *`{3,}yaml) (?:manifest|project|policy|overlay|tests|labels)\b", re.MULTILINE)
"""What says for the tests which schema a block must fit; the site generator knows no such word."""


_CODE: Final = re.compile(r"`[^`\n]+`")


def generated() -> dict[str, str]:
    """Page below `docs/` → its Markdown."""
    return {
        **commands.pages(),
        **keys.pages(),
        **parts.pages(),
        "reference/exit-codes.md": codes.exit_codes(),
        "reference/diagnostics.md": codes.diagnostics(),
        "reference/json.md": formats.page(),
    }


def main(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder / "docs")
    for path in (folder / "docs").rglob("*.md"):
        path.write_text(_plain(included(path.read_text(), ROOT)))
    for name, text in generated().items():
        target = folder / "docs" / name
        if target.exists():
            sys.exit(f"docs/{name} is written by hand and made from the code: which is meant?")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_plain(text))
    (folder / "zensical.toml").write_text(_settings())


def _plain(text: str) -> str:
    """As the generator reads it: it knows no second word behind a fence, and shows the backslash that GitHub
    wants before a bar of code in a table."""
    lines = _FENCE.sub(r"\1", text).splitlines()
    return "".join(f"{_unescaped(line) if line.startswith('|') else line}\n" for line in lines)


def _unescaped(row: str) -> str:
    return _CODE.sub(lambda code: code[0].replace("\\|", "|"), row)


def _settings() -> str:
    """Those of the site, with its address and with the pages that are made here in their place."""
    text = (ROOT / "pages" / "zensical.toml").read_text().replace("SITE_URL", page_url("").rstrip("/") + "/")
    for place, made in (("COMMANDS", commands.pages()), ("KEYS", keys.pages())):
        entries = ", ".join(f'{{ "{Path(name).stem}" = "{name}" }}' for name in made)
        text = text.replace(f"[{place}]", f"[{entries}]")
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]))
