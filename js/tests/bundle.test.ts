import { existsSync, readFileSync, statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as Explore from "../src/explore.ts";
import source from "../src/widget.ts";
import { ai, FakeModel, namespace, record, restart, snapshot, tool, user } from "./builders.ts";
import { CASES } from "./cases.ts";

const FOLDER = `${import.meta.dirname}/../../src/nestling/static`;

/** What is shipped: its names are shortened, so it has to be run as well. */
describe.runIf(existsSync(`${FOLDER}/widget.js`))("the built bundle", () => {
  beforeEach(() => {
    vi.useFakeTimers(); // a clock that ticks between two drawings would tell them apart
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const draw = async (widget: typeof source, explore: typeof Explore) => {
    restart();
    const rows = [
      user("Go"),
      ...Object.values(CASES).map((text) => ai(text, { namespace: ["a:1"] })),
      tool("t", { args: { x: 1 }, content: "r" }),
      record("error", { error_type: "E", message: "m", traceback: '  File "a.py", line 1, in f\n    x\n' }),
      record("artifact", { title: "T", mime: { "text/markdown": "# x" } }),
    ];
    const state = snapshot({ live_chat: rows, run: { status: "failed", turn: 1, now: 0 } }, [
      namespace(["a:1"]),
    ]);
    const model = new FakeModel({ snapshot: state, collapse: "none", mode: "nested" });
    const { signal } = new AbortController();
    const el = document.createElement("div");
    const made = widget(async () => explore);
    made.initialize({ model: model as never, signal });
    made.render({ model: model as never, el, signal });
    await vi.advanceTimersByTimeAsync(0);
    for (const e of el.querySelectorAll("[id], [aria-controls]")) {
      e.removeAttribute("id");
      e.removeAttribute("aria-controls");
    }
    return el.innerHTML;
  };

  it("draws the same as its source", async () => {
    const built = async (name: string) => {
      const code = readFileSync(`${FOLDER}/${name}`);
      return import(/* @vite-ignore */ `data:text/javascript;base64,${code.toString("base64")}`);
    };
    const widget = (await built("widget.js")).default as typeof source;
    expect(await draw(widget, await built("explore.js"))).toBe(await draw(source, Explore));
  });

  it("is small: it travels with every widget", () => {
    expect(statSync(`${FOLDER}/widget.js`).size).toBeLessThanOrEqual(100_000);
    expect(statSync(`${FOLDER}/explore.js`).size).toBeLessThanOrEqual(100_000);
    expect(statSync(`${FOLDER}/widget.css`).size).toBeLessThanOrEqual(47_000);
  });

  it("loads nothing from anywhere", () => {
    for (const name of ["widget.js", "explore.js", "widget.css"]) {
      const text = readFileSync(`${FOLDER}/${name}`, "utf8");
      for (const address of text.match(/https?:\/\/[^"'`\s)]+/g) ?? [])
        expect(address).toBe("http://www.w3.org/2000/svg");
      // Parts that the view carries are imported, no addresses.
      expect(text).not.toMatch(/@import|\bfetch\(|XMLHttpRequest|import\(["'`]/);
    }
  });
});
