"""`nestling.renderer`: functions of the user that say how a record or an object looks."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar, get_args

from nestling.records import Record, RecordType

log = logging.getLogger("nestling")

#: Takes a record or an object, returns what it looks like; see `Renderers`.
Function: TypeAlias = Callable[[Any], Any]
F = TypeVar("F", bound=Function)

_TYPES: tuple[str, ...] = get_args(RecordType)
_HINT = 'write @renderer(type="tool_call", name="run_sql"), or @renderer(type=SomeClass).'


class Renderers:
    """A decorator for functions that draw records or objects of your own.

    `@renderer(type="tool_call", name="run_sql")`: the function is given each such record, a copy,
    once it is finished (an interrupt: once it is asked). `name` is that of the tool, the title of
    an artifact, else the speaker; either may be left out, and the most specific renderer is taken.

    `@renderer(type=SomeClass)`: the function is given objects of that class, or of one derived from
    it: what nodes write as custom stream events, messages of a class of your own, artifacts.

    It returns Markdown (a str), a mimebundle (`{"text/html": ...}`), a widget, anything else that
    IPython can display, or None for the default row. The result is kept in the record as `mime`, at
    most 700 kB of it. It runs once for each record, in a thread of its own beside the run. What it
    raises never reaches the run: the default row is shown, and a warning is logged once.

    The same `type` and `name` again replace what was there. `renderer.remove(function)` and
    `renderer.clear()` take renderers away; print `renderer` to see them.
    """

    def __init__(self) -> None:
        self._of_records: dict[tuple[str | None, str | None], Function] = {}
        self._of_objects: dict[type, Function] = {}
        #: Those whose failure was logged.
        self._failed: set[Function] = set()

    def __call__(self, type: str | type | None = None, name: str | None = None) -> Callable[[F], F]:
        """Registers the function that it decorates. `TypeError` for what is no type or name."""
        if name is not None and not isinstance(name, str):
            raise TypeError(f"renderer: name is a str, not {name!r}.")
        if type is None and name is None:
            raise TypeError(f"renderer: say what it draws: {_HINT}")
        if inspect.isclass(type):
            if name is not None:
                raise TypeError("renderer: objects of a class have no name; leave `name` out.")
        elif type is not None and type not in _TYPES:
            if callable(type):
                raise TypeError(f"renderer: it takes arguments: {_HINT}")
            raise TypeError(
                f"renderer: type is a class or one of {', '.join(_TYPES)}; not {type!r}."
            )

        def register(function: F) -> F:
            if not callable(function):
                raise TypeError(f"renderer: {function!r} is not a function.")
            if inspect.iscoroutinefunction(function):
                raise TypeError("renderer: it is called in a thread: write `def`, not `async def`.")
            if inspect.isclass(type):
                self._of_objects = {**self._of_objects, type: function}
            else:
                self._of_records = {**self._of_records, (type, name): function}
            self._failed.discard(function)
            return function

        return register

    def remove(self, function: Function) -> None:
        """Takes a renderer away, wherever it was registered. Nothing when it was not."""
        self._of_records = {k: f for k, f in self._of_records.items() if f is not function}
        self._of_objects = {k: f for k, f in self._of_objects.items() if f is not function}

    def clear(self) -> None:
        """Takes all renderers away."""
        self._of_records, self._of_objects = {}, {}

    def __repr__(self) -> str:
        lines = [
            f"  type={kind!r}, name={name!r}: {_called(function)}"
            for (kind, name), function in self._of_records.items()
        ]
        lines += [f"  type={k.__name__}: {_called(f)}" for k, f in self._of_objects.items()]
        return "\n".join(("nestling.renderer", *lines))

    # --- for views --------------------------------------------------------------------------

    def of_record(self, record: Record) -> Function | None:
        """The renderer of a record, the most specific one."""
        found, kind = self._of_records, record["type"]
        if not found:
            return None
        names = {"tool_call": record.get("name"), "artifact": record.get("title")}
        name = names.get(kind, record["speaker"])
        for key in ((kind, name), (None, name), (kind, None)):
            if key in found:
                return found[key]
        return None

    def of_object(self, value: Any) -> Function | None:
        """The renderer of an object, that of the nearest class."""
        found = self._of_objects
        if not found:
            return None
        return next((found[kind] for kind in type(value).__mro__ if kind in found), None)

    def failed(self, function: Function) -> None:
        """It raised: logged the first time."""
        if function not in self._failed:
            self._failed.add(function)
            log.warning(
                "The renderer %s raised; the default row is shown instead. Further failures of it "
                "are not logged.",
                _called(function),
                exc_info=True,
            )


def _called(function: Function) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__))


def is_bundle(value: Any) -> bool:
    """Whether a value is a mimebundle: `{"text/html": ...}`."""
    return isinstance(value, Mapping) and all(isinstance(k, str) and "/" in k for k in value)


#: Registers functions that draw records or objects.
renderer = Renderers()
