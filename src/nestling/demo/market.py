"""The numbers that the research team works on, and what it finds in them."""

from __future__ import annotations

import math
import random
from functools import cache
from statistics import correlation, fmean
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]

#: Price and demand around which the products of a market segment lie, and how far they spread.
SEGMENTS = ((12.0, 40.0), (27.0, 66.0), (48.0, 73.5))
SPREAD = (10.0, 18.0)


@cache
def products() -> tuple[Point, ...]:
    """Price and demand of sixty products, always the same ones."""
    source = random.Random(11)  # noqa: S311 - sample data, not a secret

    def around(centre: float, spread: float) -> float:
        noise = sum(source.random() for _ in range(4)) / 2 - 1
        return round(centre + spread * noise, 1)

    return tuple(
        (around(price, SPREAD[0]), around(demand, SPREAD[1]))
        for price, demand in SEGMENTS
        for _ in range(20)
    )


def coefficient() -> float:
    """Pearson's correlation of price and demand."""
    prices, demands = zip(*products(), strict=True)
    return correlation(prices, demands)


@cache
def clusters() -> tuple[tuple[Point, ...], ...]:
    """The products in as many groups as separate them best, the cheapest group first."""
    groupings = [_group(products(), count) for count in range(2, 6)]
    best = max(groupings, key=_separation)
    return tuple(sorted((tuple(group) for group in best), key=_centre))


def trends() -> list[str]:
    """What is worth telling about the numbers."""
    groups = clusters()
    (cheap_price, cheap_demand), (dear_price, dear_demand) = _centre(groups[0]), _centre(groups[-1])
    return [
        f"A correlation coefficient of {coefficient():.2f} between price and demand",
        f"{len(groups)} main clusters, from {cheap_price:.0f} to {dear_price:.0f} EUR on average",
        f"The dearest cluster sells {dear_demand / cheap_demand:.1f} times as much as the cheapest",
    ]


def _centre(points: tuple[Point, ...] | list[Point]) -> Point:
    return fmean(x for x, _ in points), fmean(y for _, y in points)


def _group(points: tuple[Point, ...], count: int) -> list[list[Point]]:
    """k-means, from starting points that lie as far apart as can be."""
    centres = [points[0]]
    while len(centres) < count:
        centres.append(max(points, key=lambda p: min(math.dist(p, c) for c in centres)))
    while True:
        groups: list[list[Point]] = [[] for _ in centres]
        for point in points:
            nearest = min(range(count), key=lambda i: math.dist(point, centres[i]))
            groups[nearest].append(point)
        moved = [_centre(group) for group in groups]
        if moved == centres:
            return groups
        centres = moved


def _separation(groups: list[list[Point]]) -> float:
    """Mean silhouette: how much nearer a point is to its own group than to the next one."""
    scores = []
    for own in groups:
        for point in own:
            inside = sum(math.dist(point, p) for p in own) / max(len(own) - 1, 1)
            outside = min(fmean(math.dist(point, p) for p in g) for g in groups if g is not own)
            scores.append((outside - inside) / max(outside, inside))
    return fmean(scores)
