"""How well the forecast does on five kinds of made series, beside two well-known ways.

Each series is a datastore's fill level in percent of its capacity, a sample a week for 26 weeks;
the error is that of the level 8 weeks ahead, median and 90th percentile over many series. All three
ways see the same series in the same run, and the series are the same in every run. How rough they
are was chosen so that least squares errs by half a percent to two and a half, as it was once
measured on series of these kinds; the bounds are what this method reached there. They
are not the series of that measurement, whose parameters are not known, and how often levels jump
was settled with the results in view: the table says that the order is right, and guards against
getting worse. A line that ends in ``worse`` is a defect. ``python -m tests.bench.forecast`` prints
the table.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence

from snapaudit.history.slopes import Line, Sample, line_through

SERIES = 2000
WEEKS = 26
AHEAD = 8
_SEED = 20261129

Levels = list[float]
Way = Callable[[Sequence[Sample]], float]

# Median and 90th percentile that break-aware Theil-Sen has to reach.
BOUNDS = {
    "linear": (0.50, 1.5),
    "consolidation drops": (1.46, 7.7),
    "migrations": (0.81, 7.5),
    "bad samples": (0.62, 2.1),
    "accelerating": (1.33, 3.2),
}


def _walk(chance: random.Random, slope: Callable[[int], float]) -> Levels:
    """A trend with the unrest of real use: what was written stays, and readings are rough."""
    level, levels = chance.uniform(30, 60), []
    for week in range(WEEKS + AHEAD):
        level += slope(week) + chance.gauss(0, 0.19)
        levels.append(level + chance.choice((-1, 1)) * chance.expovariate(1 / 0.15))
    return levels


def _linear(chance: random.Random) -> Levels:
    pace = chance.uniform(0.05, 0.8)
    return _walk(chance, lambda _: pace)


def _drops(chance: random.Random) -> Levels:
    """Every now and then snapshots are merged, and a part of what grew is free again."""
    levels = _linear(chance)
    return _jumping(chance, levels, (0.045, 0.025), lambda: -chance.uniform(3, 9))


def _migrations(chance: random.Random) -> Levels:
    """Machines come and go, in the weeks that are seen and once in a while later."""
    levels = _linear(chance)
    return _jumping(
        chance, levels, (0.034, 0.011), lambda: chance.choice((-1, 1)) * chance.uniform(6, 14)
    )


def _jumping(
    chance: random.Random, levels: Levels, shares: tuple[float, float], jump: Callable[[], float]
) -> Levels:
    """``shares``: in how many of the weeks that are seen it jumps, and of those after them."""
    sum_of_jumps, jumped = 0.0, []
    for week, level in enumerate(levels):
        sum_of_jumps += jump() if chance.random() < shares[week >= WEEKS] else 0.0
        jumped.append(level + sum_of_jumps)
    return jumped


def _bad(chance: random.Random) -> Levels:
    """One reading in twenty is nonsense; what is forecast is a sound one."""
    levels = _linear(chance)
    return [
        level + chance.choice((-1, 1)) * chance.uniform(8, 45)
        if week < WEEKS and chance.random() < 1 / 20
        else level
        for week, level in enumerate(levels)
    ]


def _accelerating(chance: random.Random) -> Levels:
    pace, more = chance.uniform(0.05, 0.4), chance.uniform(0.0, 0.018)
    return _walk(chance, lambda week: pace + more * week)


KINDS = {
    "linear": _linear,
    "consolidation drops": _drops,
    "migrations": _migrations,
    "bad samples": _bad,
    "accelerating": _accelerating,
}


def _least_squares(samples: Sequence[Sample]) -> float:
    slope, start = statistics.linear_regression(*zip(*samples, strict=True))
    return start + slope * (WEEKS - 1 + AHEAD)


def _theil_sen(samples: Sequence[Sample]) -> float:
    slope = statistics.median(
        (v - u) / (t - s) for place, (s, u) in enumerate(samples) for t, v in samples[place + 1 :]
    )
    start = statistics.median(value - slope * at for at, value in samples)
    return start + slope * (WEEKS - 1 + AHEAD)


def _line(samples: Sequence[Sample]) -> Line:
    line = line_through(samples)
    if line is None:
        raise AssertionError("26 samples always have a slope")
    return line


def _break_aware(samples: Sequence[Sample]) -> float:
    line = _line(samples)
    return line.level + line.likely * AHEAD


WAYS: dict[str, Way] = {
    "least squares": _least_squares,
    "Theil-Sen": _theil_sen,
    "break-aware": _break_aware,
}


def many(kind: str, count: int = SERIES) -> list[tuple[list[Sample], float]]:
    """The series of a kind: what is seen, and the level that came."""
    chance = random.Random(f"{_SEED} {kind}")  # noqa: S311 - a made series, not a secret
    made = [KINDS[kind](chance) for _ in range(count)]
    seen = [[(float(week), level) for week, level in enumerate(one[:WEEKS])] for one in made]
    return [(samples, one[-1]) for samples, one in zip(seen, made, strict=True)]


def errors(way: Way, series: list[tuple[list[Sample], float]]) -> tuple[float, float]:
    """Median and 90th percentile of the error, in percent of the capacity."""
    missed = sorted(abs(way(samples) - came) for samples, came in series)
    return statistics.median(missed), missed[len(missed) * 9 // 10]


def _held(series: list[tuple[list[Sample], float]]) -> float:
    """The share of the series whose later level lay in the band."""
    inside = 0
    for samples, came in series:
        line = _line(samples)
        inside += line.level + line.low * AHEAD <= came <= line.level + line.high * AHEAD
    return inside / len(series)


def _cost(series: list[tuple[list[Sample], float]]) -> float:
    """How many times as long the forecast takes as least squares."""
    took = []
    for way in (_least_squares, _break_aware):
        began = time.perf_counter()
        for samples, _ in series:
            way(samples)
        took.append(time.perf_counter() - began)
    return took[1] / took[0]


def run() -> None:
    """Print the table."""
    print(f"{'error after 8 weeks, % of capacity':<36}" + "".join(f"{way:>16}" for way in WAYS))
    for kind, bound in BOUNDS.items():
        series = many(kind)
        found = [errors(way, series) for way in WAYS.values()]
        cells = "".join(f"{f'{middle:.2f} ({far:.1f})':>16}" for middle, far in found)
        is_met = found[-1][0] <= bound[0] and found[-1][1] <= bound[1]
        word = "ok" if is_met else "worse"
        limit = f"at most {bound[0]:.2f} ({bound[1]:.1f}): {word}"
        print(f"  {kind:<34}{cells}   {limit}; band held {_held(series):.0%}")
    print(f"a forecast takes {_cost(many('linear', 200)):.1f} times as long as least squares")


if __name__ == "__main__":
    run()
