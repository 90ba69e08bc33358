"""The pictures that the research team draws."""

from __future__ import annotations

from statistics import linear_regression

from matplotlib.figure import Figure  # without pyplot: no backend, no global state

from nestling.demo import market

COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951")


def scatter_plot() -> Figure:
    """Price against demand, with the line that fits best."""
    figure = _figure(f"Correlation: r = {market.coefficient():.2f}")
    axes = figure.axes[0]
    prices, demands = zip(*market.products(), strict=True)
    axes.scatter(prices, demands, s=18, color=COLOURS[0])
    slope, intercept = linear_regression(prices, demands)
    ends = [min(prices), max(prices)]
    axes.plot(ends, [intercept + slope * price for price in ends], color=COLOURS[2])
    return figure


def cluster_plot() -> Figure:
    """The clusters, each in its colour."""
    figure = _figure(f"{len(market.clusters())} clusters")
    axes = figure.axes[0]
    for index, group in enumerate(market.clusters()):
        prices, demands = zip(*group, strict=True)
        axes.scatter(prices, demands, s=18, color=COLOURS[index], label=f"cluster {index + 1}")
    axes.legend(frameon=False)
    return figure


def _figure(title: str) -> Figure:
    figure = Figure(figsize=(4.4, 3.0), dpi=100, layout="constrained")
    axes = figure.add_subplot(title=title, xlabel="price", ylabel="demand")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
