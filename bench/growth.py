"""`python -m bench.growth [NUMBER…]`: how each command grows, in processor time for N and for 3 N workflows.

Without numbers from 100 to 30,000. A little over 3 is a sort or a larger heap; 9 is something quadratic.
"""

from __future__ import annotations

import sys
from typing import Final

from bench.bench import defendctl, known, project, serving

NUMBERS: Final = (100, 300, 1_000, 3_000, 10_000, 30_000)
MOST: Final = 3.6
BEGIN: Final = ("--new-state", "--no-pin")
STEPS: Final = {
    "validate": ("validate",),
    "fmt --check": ("fmt", "--check"),
    "plan of creates": ("plan",),
    "apply": ("apply", "--yes", "--format", "json", *BEGIN),
    "plan": ("plan",),
    "drift": ("drift",),
    "outputs": ("outputs",),
}
"""In this order, each upon what the one before has left."""


def main(numbers: tuple[int, ...]) -> None:
    print(f"{'seconds of the processor':24}" + "".join(f"{number:>16,}" for number in numbers), flush=True)
    columns = [seconds(number) for number in numbers]
    quadratic = False
    for name in columns[0]:
        found = [column[name] for column in columns]
        ratios = [
            b / a * 3 * n / m for a, b, n, m in zip(found, found[1:], numbers, numbers[1:], strict=False)
        ]
        quadratic |= any(ratio > MOST for ratio in ratios)
        cells = ["", *(f"× {ratio:.2f}" for ratio in ratios)]
        print(f"{name:24}" + "".join(f"{cell:>8}{s:8.2f}" for cell, s in zip(cells, found, strict=True)))
    sys.exit(quadratic)


def seconds(number: int) -> dict[str, float]:
    """Command → what it takes; the last binds again, from the list of ids, what was made."""
    with project(number) as folder, serving() as url:
        found = {name: defendctl([*step], folder, url).cpu for name, step in STEPS.items()}
        ids = known(folder)
        for left in folder.glob("defendctl.state*"):
            left.unlink()
        found["import --from"] = defendctl(["import", "--from", str(ids), *BEGIN], folder, url).cpu
    return found


if __name__ == "__main__":
    main(tuple(int(number) for number in sys.argv[1:]) or NUMBERS)
