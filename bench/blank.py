"""The bundle in a blank page, with a view of this process in the place of the kernel.

What the page says reaches the view's own handlers and their answers go back, so the wire is
the real one, without JupyterLab's cost and noise. Clocks run in the page.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

import nestling

STATIC = Path(nestling.__file__).parent / "static"
VIEWPORT = {"width": 1280, "height": 900}

# `work` is what scripts and layout cost: the message, the callbacks of frames and timers,
# observers, and the layout that they caused. `frame` is all that the main thread does for the
# frame, paint too.
_PAGE = """(() => {
  const bench = window.bench = {work: 0, commands: 0, model: null};
  const now = () => performance.now();
  const timed = bench.timed = act => (...args) => {
    const began = now();
    try { return act(...args); } finally {
      document.body.offsetHeight;
      bench.work += now() - began;
    }
  };
  const frame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = act => frame(timed(act));
  const timer = window.setTimeout.bind(window);
  window.setTimeout = (act, ...args) => timer(timed(act), ...args);
  window.ResizeObserver = class extends window.ResizeObserver {
    constructor(act) { super(timed(act)); }
  };
  // Until the frame that comes next is painted; what the main thread had to do for it.
  bench.painted = () => new Promise(done => frame(() => {
    const {port1, port2} = new MessageChannel();
    const began = now(), drawn = bench.work;
    port1.onmessage = () => done(drawn + now() - began);
    port2.postMessage(0);
  }));
  bench.hear = messages => {
    for (const message of messages.map(text => JSON.parse(text))) {
      const began = now();
      for (const [event, act] of [...bench.model.listeners])
        if (event === 'msg:custom') act(message, []);
      bench.work += now() - began;
    }
  };
  bench.load = async (loader, parts) => {
    const url = URL.createObjectURL(new Blob([loader], {type: 'text/javascript'}));
    bench.widget = await import(url);
    bench.parts = parts;
    // What draws is imported once in a page, at its first view.
    const model = {get: name => parts[name], on() {}, off() {}};
    await bench.widget.default().initialize({model, signal: AbortSignal.abort()});
  };
  bench.open = async traits => {
    traits = {...JSON.parse(traits), ...bench.parts};
    const listeners = new Set(), ending = new AbortController(), {signal} = ending;
    let asking = Promise.resolve();
    const model = bench.model = {
      listeners,
      get: name => traits[name],
      set: (name, value) => {
        traits[name] = value;
        for (const [event, act] of [...listeners]) if (event === `change:${name}`) act();
      },
      save_changes() {},
      on: (event, act) => listeners.add([event, act]),
      off: (event, act) => {
        for (const pair of listeners)
          if (pair[0] === event && (!act || pair[1] === act)) listeners.delete(pair);
      },
      send: command => {
        bench.commands++;
        asking = asking.then(() => kernel(command)).then(said => {
          bench.commands--;
          if (bench.model === model) bench.hear(said);
        });
      },
    };
    bench.close = () => {
      ending.abort();
      traits = {};
      bench.model = bench.close = null;
      document.body.replaceChildren();
    };
    const began = now();
    const widget = bench.widget.default();
    await widget.initialize({model, signal});
    const el = document.body.appendChild(document.createElement('div'));
    await widget.render({model, el, signal});
    document.body.offsetHeight;
    bench.opened = now() - began;
    return bench.painted().then(() => [bench.opened, now() - began]);
  };
  // One step of the view in each frame; what it said is drawn in the next.
  bench.play = async (step, times) => {
    const found = [];
    for (let i = 0; i < times; i++) {
      const said = await kernel({step});
      await bench.painted();
      bench.work = 0;
      bench.hear(said);
      const painted = await bench.painted();
      found.push([bench.work, painted]);
    }
    return found;
  };
})()"""

_AREA = "document.querySelector('.nst-area')"


def _packed(script: Path) -> str:
    """As a trait carries it."""
    return b64encode(gzip.compress(script.read_bytes())).decode()


class Kernel(nestling.View):
    """A view whose messages wait to be fetched."""

    def __init__(self, **traits: Any) -> None:
        self.posted: list[str] = []
        super().__init__(**traits)

    def _post(self, message: Any) -> None:
        self.posted.append(json.dumps(message))

    def fetch(self) -> list[str]:
        """What it has said, all that is pending included."""
        with self._conversation.lock:
            self._outbox.flush()
            posted, self.posted = self.posted, []
        return posted

    def traits_of_page(self) -> str:
        """All that a page begins with, once nothing is left to be told."""
        while self.fetch():
            pass
        code = ("_esm", "_page", "_explore", "_css", "layout")
        state = {k: v for k, v in self.get_state().items() if k not in code}
        with self._conversation.lock:
            state["snapshot"] = self.get_state("snapshot")["snapshot"]
            self.posted.clear()
        return json.dumps(state)


class Blank:
    """A blank page that shows one view."""

    def __init__(self, chromium: Browser, view: Kernel, static: Path = STATIC) -> None:
        self.view = view
        self.step: Callable[[], None] = lambda: None
        self.page = chromium.new_page(viewport=VIEWPORT)
        self.page.set_default_timeout(120_000)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.set_content('<body style="margin:0">')
        self.page.add_style_tag(path=static / "widget.css")
        self.page.expose_function("kernel", self._hear)
        self.page.evaluate(_PAGE)
        parts = {"_page": _packed(static / "widget.js"), "_explore": _packed(static / "explore.js")}
        loader = (static / "loader.js").read_text()
        self.page.evaluate("([loader, parts]) => bench.load(loader, parts)", [loader, parts])
        self.tools = self.page.context.new_cdp_session(self.page)

    def _hear(self, command: dict[str, Any]) -> list[str]:
        if "step" in command:
            self.step()
        else:
            self.view._on_command(self.view, command, [])
        return self.view.fetch()

    def open(self) -> dict[str, float]:
        """Milliseconds until it was drawn, and until all that it asked for was as well."""
        traits = self.view.traits_of_page()
        drawn, painted = self.page.evaluate("traits => bench.open(traits)", traits)
        settled = self.page.evaluate(
            """async () => {
              const began = performance.now();
              bench.work = 0;
              const explored = () => document.querySelector('[aria-label="More actions"]');
              for (let quiet = 0; quiet < 5 || !explored(); quiet = bench.commands ? 0 : quiet + 1)
                await bench.painted();
              return bench.work;
            }"""
        )
        return {"drawn": drawn, "painted": painted, "more": settled}

    def close(self) -> None:
        self.page.evaluate("bench.close()")

    def play(self, step: Callable[[], None], times: int) -> dict[str, float]:
        """Milliseconds of `work` and `frame` for steps of the view, one in a frame."""
        self.step = step
        found = self.page.evaluate("times => bench.play(1, times)", times)
        work, frame = (sorted(pair[i] for pair in found) for i in (0, 1))
        return {
            "p50": work[len(work) // 2],
            "p95": work[int(0.95 * len(work))],
            "worst": work[-1],
            "frame_p50": frame[len(frame) // 2],
            "frame_p95": frame[int(0.95 * len(frame))],
        }

    def memory(self) -> dict[str, float]:
        """Heap in MB and DOM nodes after the garbage is gone."""
        for _ in range(3):
            self.tools.send("HeapProfiler.collectGarbage")
        counters = self.tools.send("Memory.getDOMCounters")
        heap = self.tools.send("Runtime.getHeapUsage")["usedSize"]
        return {
            "heap": heap / 1e6,
            "nodes": counters["nodes"],
            "listeners": counters["jsEventListeners"],
        }

    def rows(self) -> int:
        found: int = self.page.evaluate("document.querySelectorAll('[data-id]').length")
        return found

    def from_end(self) -> float:
        """Pixels between what is seen and the end."""
        found: float = self.page.evaluate(
            f"{_AREA}.scrollHeight - {_AREA}.scrollTop - {_AREA}.clientHeight"
        )
        return found

    def end(self) -> None:
        self.page.close()
        assert not self.errors, self.errors
