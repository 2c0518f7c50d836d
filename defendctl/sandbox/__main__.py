"""`python -m defendctl.sandbox`: serve the sandbox; the first line on stdout is its base URL."""

import argparse
from pathlib import Path

from defendctl.sandbox.generations import GENERATIONS, NEWEST
from defendctl.sandbox.scores import BadScores, Scripts, read_scores
from defendctl.sandbox.server import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m defendctl.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--generation", choices=GENERATIONS, default=NEWEST, help="what writes must look like"
    )
    parser.add_argument(
        "--answers", choices=GENERATIONS, help="what answers look like; default: as --generation"
    )
    parser.add_argument("--data", default=":memory:", help="SQLite file")
    parser.add_argument("--api-key", help="the only key accepted; default: any")
    parser.add_argument("--scores", type=_scores, help="YAML or JSON file of scripted scores, see scores.py")
    serve(**vars(parser.parse_args()))


def _scores(name: str) -> Scripts:
    try:
        return read_scores(Path(name))
    except (BadScores, OSError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    main()
