"""`python -m defendctl.sandbox`: serve the sandbox; the first line on stdout is its base URL."""

import argparse

from defendctl.sandbox.generations import GENERATIONS, NEWEST
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
    serve(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
