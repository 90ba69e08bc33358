"""What a view carries: the scripts of its page, and the traits that a user sets and links."""

from __future__ import annotations

import gzip
import math
import os
from base64 import b64encode
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

from nestling.records import Record, RunStatus

if TYPE_CHECKING:
    from nestling.conversation import Conversation

STATIC = Path(__file__).parent / "static"
DEVELOPED = os.environ.get("ANYWIDGET_HMR") == "1"


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


@lru_cache(maxsize=None if not DEVELOPED else 0)
def _packed(name: str) -> str:
    """A script as a trait carries it: a third of its size."""
    return b64encode(gzip.compress((STATIC / name).read_bytes(), mtime=0)).decode()


class _Told(traitlets.TraitType[Any, Any]):
    """What the conversation says: always current when read, so that all of them agree."""

    def set(self, obj: Any, value: Any) -> None:
        if value is not self.get(obj):  # traitlets sets again what it has held back
            raise traitlets.TraitError(f"{self.name} is read-only: runs and process_event fill it.")


class _Chat(_Told):
    """A list of records."""

    def get(self, obj: Any, cls: Any = None) -> list[Record] | None:
        conversation: Conversation = obj._conversation
        with conversation.lock:
            conversation.settle()
            return conversation.live if self.name == "live_chat" else conversation.history


class _Status(_Told):
    """One of `records.RunStatus`."""

    def get(self, obj: Any, cls: Any = None) -> RunStatus | None:
        conversation: Conversation = obj._conversation
        return conversation.status


class _Synced(list[str]):
    """ipywidgets' list of synced names, which also says whether letters are shortcuts.

    `keys` is a name of ipywidgets (what is synced) and of nestling (`view.keys = False`): the
    value serves both. Its truth is nestling's.
    """

    letters = True

    def __bool__(self) -> bool:
        return self.letters

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bool):
            return self.letters is other
        if isinstance(other, _Synced) and self.letters is not other.letters:
            return False  # traitlets tells nobody of what is equal
        return list(self) == other

    __hash__ = None


class _Keys(traitlets.TraitType[Any, Any]):
    """Takes a bool; the list is what ipywidgets starts with, and nobody else's to set."""

    def validate(self, obj: Any, value: Any) -> _Synced:
        if isinstance(value, _Synced):
            return value
        if isinstance(value, bool):
            names = _Synced(obj.keys)
            names.letters = value
            return names
        raise traitlets.TraitError(
            f"keys is True or False (whether single letters are shortcuts), not {value!r}"
        )


def _letters_of_page(value: Any, view: Any) -> Any:
    return value if isinstance(value, bool) else view.keys


#: Stand for no start and no end on the wire, where infinity is null: 1970, and the year 5138.
_EVER = (0.0, 1e11)


def _finite(span: Any, _view: Any) -> list[float] | None:
    return None if span is None else [min(max(at, _EVER[0]), _EVER[1]) for at in span]


#: Synced traits that nobody but the view sets.
_OURS = frozenset({"_page", "_explore", "snapshot", "static_key"})


class Traits(anywidget.AnyWidget):
    """Synced with every page, but for the lists and the status, which travel as patches."""

    # anywidget reloads a path, but never frees a view that came of one.
    _esm: ClassVar[Path | str] = STATIC / "widget.js" if DEVELOPED else _read("loader.js")
    _css: ClassVar[Path | str] = STATIC / "widget.css" if DEVELOPED else _read("widget.css")
    #: The modules that are imported once for all views of a page: what draws a run, and what
    #: explores it and comes a moment later.
    _page = traitlets.Unicode().tag(sync=True)
    _explore = traitlets.Unicode().tag(sync=True)

    #: Everything a page needs when it attaches; built when it is asked for.
    snapshot = traitlets.Dict().tag(sync=True, to_json=lambda _value, view: view._outbox.snapshot())
    #: Keys of the static outputs that the living page hides, separated by spaces.
    static_key = traitlets.Unicode("").tag(sync=True)

    #: Records of the run that goes on. Observers hear of it once per frame.
    live_chat = _Chat()
    #: Records of the runs before.
    chat_history = _Chat()
    #: How the latest run goes, or how it ended.
    status = _Status()

    #: Text to find.
    query = traitlets.Unicode("").tag(sync=True)
    #: Record field -> list of accepted values.
    filters = traitlets.Dict().tag(sync=True)
    #: `(start, end)` in seconds since the epoch, of which one may be infinite; None for all.
    time_range = traitlets.Tuple(
        traitlets.Float(), traitlets.Float(), default_value=None, allow_none=True
    ).tag(sync=True, to_json=_finite)
    #: Id of the selected record.
    selection = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    #: Whether a new display follows the end of the run.
    follow = traitlets.Bool(True).tag(sync=True)
    #: `nested` boxes, or the flat `log`.
    mode = traitlets.Enum(["nested", "log"], "nested").tag(sync=True)
    #: Boxes close by themselves (`auto`), are all closed (`all`) or all open (`none`).
    collapse = traitlets.Enum(["auto", "all", "none"], "auto").tag(sync=True)
    #: Whether the timeline is shown.
    timeline = traitlets.Bool(False).tag(sync=True)
    #: Whether the graph itself is drawn above the run.
    structure = traitlets.Bool(False).tag(sync=True)
    #: Whether the page has a field to write in; `auto` asks the graph.
    chat = traitlets.Union([traitlets.Bool(), traitlets.Enum(["auto"])], default_value="auto").tag(
        sync=True
    )
    theme = traitlets.Enum(["auto", "light", "dark"], "auto").tag(sync=True)
    #: A CSS length, or None to grow with the content.
    max_height = traitlets.Unicode("min(70vh, 640px)", allow_none=True).tag(sync=True)
    #: What a screen reader is told of: `milestones`, or `all` finished messages.
    announce = traitlets.Enum(["milestones", "all"], "milestones").tag(sync=True)
    #: Whether single letters are shortcuts: set it to True or False.
    keys = _Keys().tag(
        sync=True, to_json=lambda value, _view: bool(value), from_json=_letters_of_page
    )
    #: Number of records that are kept; None keeps all.
    max_records = traitlets.Int(None, allow_none=True).tag(sync=True)

    @traitlets.validate("max_records")
    def _at_least_one(self, proposal: Any) -> Any:
        if proposal["value"] is not None and proposal["value"] < 1:
            raise traitlets.TraitError("max_records is a number from 1 on, or None to keep all.")
        return proposal["value"]

    @traitlets.validate("time_range")
    def _from_start_to_end(self, proposal: Any) -> Any:
        span = proposal["value"]
        if span is not None and any(map(math.isnan, span)):
            raise traitlets.TraitError(
                "time_range is (start, end) in seconds since the epoch, not nan; for no end "
                'write (start, float("inf")), for all times None.'
            )
        return span if span is None else tuple(sorted(span))

    @traitlets.default("_page")
    def _packed_page(self) -> str:
        return _packed("widget.js")

    @traitlets.default("_explore")
    def _packed_explore(self) -> str:
        return _packed("explore.js")

    @traitlets.default("keys")
    def _all_synced(self) -> _Synced:
        return _Synced(self.traits(sync=True))

    @classmethod
    def settable(cls) -> set[str]:
        """Names of the synced traits that may be given to a view."""
        kinds = [kind for kind in cls.mro() if issubclass(kind, Traits)]
        return {name for kind in kinds for name in kind.class_own_traits(sync=True)} - _OURS
