"""Settings for all views of this Python process: `nestling.options`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Price(NamedTuple):
    """US dollars for a million tokens."""

    input: float
    output: float


#: What providers append to the name of a model: the day of its release.
_RELEASE = re.compile(r"[-@](\d{4}-\d\d-\d\d|\d{8}|\d{4}|latest)(-v\d+(:\d+)?)?")


class Options:
    """Settings for all views; print it to see them.

    `prices`: model name -> `(input, output)` or `{"input": .., "output": ..}`, in US dollars for a
    million tokens. `view.usage` then tells the cost. A name also stands for its dated releases:
    `"gpt-4o"` for `"gpt-4o-2024-08-06"`, not for `"gpt-4o-mini"`. It is assigned as a whole.
    """

    __slots__ = ("_prices",)

    def __init__(self) -> None:
        self._prices: dict[str, Price] = {}

    @property
    def prices(self) -> Mapping[str, Price]:
        """Prices by the name of the model. `TypeError` or `ValueError` for what is none."""
        return MappingProxyType(self._prices)

    @prices.setter
    def prices(self, value: Any) -> None:
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(
                f"options.prices is a dict of model names, not {type(value).__name__}: "
                'write {"model-name": (input_usd_per_million, output_usd_per_million)}.'
            )
        self._prices = {_name(name): _price(name, of) for name, of in (value or {}).items()}

    def price_of(self, model: str | None) -> Price | None:
        """What a model costs, None for one whose price is not known."""
        if not model or not self._prices:
            return None
        found = self._prices.get(model)
        if found is not None:
            return found
        for name, price in self._prices.items():
            if model.startswith(name) and _RELEASE.fullmatch(model, len(name)):
                return price
        return None

    def __setattr__(self, name: str, value: Any) -> None:
        if not hasattr(type(self), name):
            known = [known for known in dir(type(self)) if _is_option(known)]
            raise AttributeError(f"There is no option {name!r}. There are: {', '.join(known)}")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        names = [name for name in dir(type(self)) if _is_option(name)]
        lines = [f"  {name} = {_shown(getattr(self, name))}" for name in names]
        return "\n".join(("nestling.options", *lines))


def _is_option(name: str) -> bool:
    return isinstance(getattr(Options, name), property)


def _shown(value: Any) -> str:
    if not isinstance(value, Mapping):
        return repr(value)
    return repr({key: tuple(part) for key, part in value.items()})


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"options.prices: {name!r} is not the name of a model, which is a str.")
    return name


def _price(name: str, value: Any) -> Price:
    wanted = f"options.prices[{name!r}] is (input, output) in US dollars for a million tokens"
    if isinstance(value, Mapping):
        if set(value) != {"input", "output"}:
            raise TypeError(f'{wanted}, or {{"input": .., "output": ..}}, not {dict(value)!r}.')
        value = (value["input"], value["output"])
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{wanted}, not {value!r}.")
    sides = []
    for side in value:
        try:
            number = float(side) if not isinstance(side, (bool, str)) else None
        except (TypeError, ValueError):
            number = None
        if number is None:
            raise TypeError(f"{wanted}: {side!r} is not a number.")
        if not math.isfinite(number) or number < 0:
            raise ValueError(f"{wanted}: {side!r} is not a price.")
        sides.append(number)
    return Price(*sides)


#: Settings for all views.
options = Options()
