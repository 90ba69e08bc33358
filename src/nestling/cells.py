"""What a view leaves in cells: itself where it is displayed, and what it showed at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nestling import display
from nestling.static_output import static_html
from nestling.text import last, tree
from nestling.traits import Traits

if TYPE_CHECKING:
    from nestling.conversation import Conversation

#: Records that a cell keeps of a run: a notebook that grew by more could soon not be opened.
STATIC_ROWS = 2000


class Cells(Traits):
    """The part of a view that is displayed."""

    _conversation: Conversation
    _displayed = False
    #: The cell that began a run, and shows the view already.
    _shown_by_run_in: Any = None

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/plain": repr(self)}, metadata

    def _ipython_display_(self) -> None:
        execution = display.execution()
        if execution is None:
            raise NotImplementedError  # no kernel: IPython goes on to repr
        if execution != self._shown_by_run_in:
            self._display()

    def _display(self) -> None:
        self._displayed = True
        if self.comm is None:  # closed: what is left of it is what it showed
            display.publish({"text/plain": repr(self)})
            if self._conversation.history:
                self._publish_static()
            return
        display.publish({"text/html": display.ANCHOR, "text/plain": ""})
        display.publish(*self._repr_mimebundle_())
        if self._conversation.history:
            self._publish_static()

    def _publish_static(self) -> None:
        conversation = self._conversation
        with conversation.lock:
            conversation.settle()
            every, status = conversation.rows(), conversation.status
            namespaces, rows = last(conversation.namespaces, every, STATIC_ROWS)
            left_out = conversation.left_out + len(every) - len(rows)
            key, html = static_html(namespaces, rows, status, left_out)
            plain = tree(namespaces, rows, status, left_out)
        if self.comm is not None and key not in self.static_key.split():
            self.static_key = f"{self.static_key} {key}".strip()  # the page hides it at once
        display.publish({"text/html": html, "text/plain": plain})

    def _show_first(self) -> None:
        execution = display.execution()
        if execution is not None and not self._displayed:
            self._display()
            self._shown_by_run_in = execution

    def _publish_end(self) -> None:
        if display.execution() is not None and self._displayed:
            self._publish_static()
