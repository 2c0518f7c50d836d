"""Run by the Python of `.cache/tools`: what scipy says of the cases on its standard input, as JSON.

A case is [hits, of, rate, delta]; the answer is [binomial tail, upper limit, lower limit, most hits, and the
ends of Wilson's interval].
"""

import json
import sys

from scipy import stats


def most_hits(of: int, rate: float, delta: float) -> int:
    """The quantile is the least count with a tail of `delta` or more: it, or the one before it."""
    at = int(stats.binom.ppf(delta, of, rate))
    return at if stats.binom.cdf(at, of, rate) <= delta else at - 1


def told(hits: int, of: int, rate: float, delta: float) -> list[float]:
    wilson = stats.binomtest(hits, of).proportion_ci(0.95, method="wilson")
    upper = stats.beta.ppf(1 - delta, hits + 1, of - hits) if hits < of else 1.0
    lower = stats.beta.ppf(delta, hits, of - hits + 1) if hits else 0.0
    tail = stats.binom.cdf(hits, of, rate)
    return [*map(float, (tail, upper, lower, most_hits(of, rate, delta), wilson.low, wilson.high))]


if __name__ == "__main__":
    json.dump([told(*case) for case in json.load(sys.stdin)], sys.stdout)
