"""`%nest graph "question"`: a run in one line. `%load_ext nestling` brings it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any, TypeVar, cast

from IPython.core import magic_arguments
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.utils.process import arg_split  # type: ignore[attr-defined]  # not exported

from nestling.view import View, watch

_OPTIONS = ("--thread", "--out", "--key", "--input", "--name", "--background")
#: What a field for a question is called, where there are several for text.
_QUESTIONS = ("question", "query", "input", "prompt", "topic", "text")
_ASK = 'Write a question behind it: %nest graph "question"; or below %%nest graph.'

F = TypeVar("F", bound=Callable[..., Any])

_GRAPH = "A compiled graph or a view: a name, or an expression without spaces."
_ARGUMENTS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("graph",), {"help": _GRAPH}),
    (("question",), {"nargs": "*", "help": "What to ask, in double quotes; of %%%%nest the cell."}),
    (("-t", "--thread"), {"help": "The thread_id, for graphs with a checkpointer."}),
    (("-o", "--out"), {"help": "The variable that gets the result."}),
    (("-k", "--key"), {"help": "The field of the state that gets the question."}),
    (("-i", "--input"), {"help": "A variable with the whole input, instead of a question."}),
    (("-n", "--name"), {"help": "What the run is called in the view."}),
    (
        ("-b", "--background"),
        {"action": "store_true", "help": "Return at once; --out gets the Run."},
    ),
)


def _magic(function: F) -> F:
    """A magic with these arguments, told in its help."""
    decorated: Any = function
    for names, options in reversed(_ARGUMENTS):
        decorated = magic_arguments.argument(*names, **options)(decorated)  # type: ignore[no-untyped-call]  # IPython's own signature
    whole: Any = magic_arguments.magic_arguments()  # type: ignore[no-untyped-call]  # as well
    return cast(F, line_cell_magic(whole(decorated)))


@magics_class
class NestMagics(Magics):
    """The magics of nestling."""

    @_magic
    def nest(self, line: str, cell: str | None = None) -> View:
        """Run a graph and show it as it goes: `%nest graph "question"`.

        As a cell magic the question is the cell::

            %%nest graph --thread t1 --out result
            What changed in the third quarter?

        Gives the view back; its `value` is the result, as is what `--out` names.
        """
        __tracebackhide__ = True
        asked = self._arguments(line)
        out = asked.out
        if out is not None and (not out.isidentifier() or iskeyword(out)):
            raise UsageError(f"--out is the name of a variable, not {out!r}.")
        if asked.background and out is None:
            raise UsageError("--background needs --out NAME, by which you can wait: await NAME")
        view = self._view(asked.graph, asked.name)
        value = self._input(view, asked, cell)
        config = None
        if asked.thread is not None:
            config = {"configurable": {"thread_id": asked.thread}}
        result = view.start(value, config) if asked.background else _run(view, value, config)
        if out is not None:
            self._ipython.user_ns[out] = result
        return view

    def complete(self, _shell: Any, event: Any) -> list[str]:
        """What may stand at the cursor: graphs and views, then options."""
        words = event.text_until_cursor.split()[1:]
        if event.symbol and words:
            words.pop()
        if words and words[-1] in ("--input", "-i"):
            return [name for name in self._ipython.user_ns if not name.startswith("_")]
        if words and words[-1] in _OPTIONS[:-1]:
            return []
        if event.symbol.startswith("-") or words:
            return [option for option in _OPTIONS if option not in words]
        return self._graphs()

    # --- inside ---------------------------------------------------------------------------

    @property
    def _ipython(self) -> Any:
        return self.shell

    def _arguments(self, line: str) -> Any:
        try:
            words = arg_split(line)
        except ValueError:  # a quotation mark without its other half
            raise UsageError(
                f'Put the question in double quotes ("What\'s new?"), or below %%nest: {line}'
            ) from None
        if not words:
            raise UsageError(f"Which graph? {self._known()} {_ASK}")
        # options may stand anywhere between the words of the question
        return _parser(self.nest).parse_intermixed_args(list(map(_unquoted, words)))

    def _view(self, expression: str, name: str | None) -> View:
        try:
            found = self._ipython.ev(expression)
        except NameError as error:
            raise UsageError(f"No graph {expression!r}: {error}. {self._known()}") from error
        except SyntaxError as error:
            raise UsageError(
                f"{expression!r} is no graph. Its name, or an expression without spaces, comes "
                f'first: %nest graph "question".'
            ) from error
        except Exception as error:
            raise UsageError(f"{expression}: {_said(error)}. {self._known()}") from error
        if isinstance(found, View):
            if found._graph is None:
                raise UsageError(f"{expression} has no graph. Make it with nestling.watch(graph).")
            if name is not None:
                raise UsageError(f"{expression} is a view, which has its name: leave --name out.")
            return found
        try:
            return watch(found, name=name)
        except TypeError as error:
            raise UsageError(f"{expression}: {error} {self._known()}") from error

    def _input(self, view: View, asked: Any, cell: str | None) -> Any:
        text = "\n".join(part for part in (" ".join(asked.question), (cell or "").strip()) if part)
        if asked.input is not None:
            if text:
                raise UsageError("Give a question or --input, not both.")
            try:
                return self._ipython.ev(asked.input)
            except (NameError, SyntaxError) as error:
                raise UsageError(f"--input is a variable or expression: {error}.") from error
            except Exception as error:
                raise UsageError(f"--input {asked.input}: {_said(error)}.") from error
        if not text:
            raise UsageError(f"What to ask? {_ASK}")
        return _put(view._graph, asked.key, text)

    def _graphs(self) -> list[str]:
        names = self._ipython.user_ns.items()
        return [name for name, value in names if not name.startswith("_") and _is_graph(value)]

    def _known(self) -> str:
        names = self._graphs()
        if names:
            return f"There are: {', '.join(names)}."
        return "Make one first, such as graph = nestling.demo.research_team()."


def load(shell: Any) -> None:
    """Registers the magics and what completes them."""
    magics = NestMagics(shell)
    shell.register_magics(magics)
    for command in ("%nest", "%%nest"):
        shell.set_hook("complete_command", magics.complete, str_key=command)


def unload(shell: Any) -> None:
    """Takes the magics away."""
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("nest", None)


def _parser(magic: Any) -> Any:
    return magic.parser


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(". ")


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


def _is_graph(value: Any) -> bool:
    if isinstance(value, View):
        return value._graph is not None
    if "langgraph" not in sys.modules:
        return False
    from nestling.langgraph.source import is_graph

    return is_graph(value)


def _run(view: View, value: Any, config: Any) -> Any:
    """As `view.invoke`; nodes and tools that can only be awaited run on a loop of their own."""
    __tracebackhide__ = True
    from nestling.langgraph.source import must_wait

    if not must_wait(view._graph):
        return view.invoke(value, config)
    run = view.start(value, config, thread=True)
    try:
        return run.result()
    except KeyboardInterrupt:
        run.stop()
        raise


def _put(graph: Any, key: str | None, text: str) -> Any:
    """The input of a graph that is asked `text`."""
    try:
        schema = graph.get_input_jsonschema()
    except Exception:  # noqa: BLE001  # a server that does not tell
        schema = {}
    fields = schema.get("properties")
    if key is None and not fields and schema.get("type") == "string":
        return text  # of an entrypoint
    fields = fields if isinstance(fields, Mapping) else {}
    if key is None:
        texts = [name for name, field in fields.items() if _takes_text(field)]
        likely = [name for name in _QUESTIONS if name in texts]
        if "messages" in fields or not fields:
            key = "messages"
        elif len(texts) == 1 or likely:
            key = (likely or texts)[0]
        else:
            raise UsageError(
                f"Which field gets the question? Say it with --key: {', '.join(fields)}"
            )
    elif fields and key not in fields:
        raise UsageError(f"The graph has no field {key!r}. It has: {', '.join(fields)}")
    return {key: [("user", text)] if key == "messages" else text}


def _takes_text(field: Any) -> bool:
    if not isinstance(field, Mapping):
        return False
    kinds = [field, *(field.get("anyOf") or ())]
    return any(isinstance(kind, Mapping) and kind.get("type") == "string" for kind in kinds)
