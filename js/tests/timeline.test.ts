import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Namespace, Record, Snapshot } from "../src/protocol.ts";
import { Store } from "../src/store.ts";
import { Scale } from "../src/timeline/scale.ts";
import { bars, lanesOf, type Span, spanAt, type Told } from "../src/timeline/spans.ts";
import {
  ai,
  drawn,
  namespace,
  patch,
  record,
  restart,
  running,
  type Stand,
  snapshot,
  stand,
  T0,
  tool,
  user,
} from "./builders.ts";

let open: Stand[] = [];
const show = (traits = {}) => {
  const made = stand(traits);
  open.push(made);
  return made;
};

beforeEach(() => restart());
afterEach(() => {
  for (const { end, room } of open) {
    end.abort();
    room.abort();
  }
  open = [];
  document.body.replaceChildren();
  vi.useRealTimers();
});

const at = (start: number, end?: number) => ({
  started_at: T0 + start,
  ...(end === undefined ? {} : { ended_at: T0 + end }),
});
const done = (start: number, end: number) => ({ status: "completed" as const, ...at(start, end) });
const over = (end: number) => running({ status: "completed", ended_at: T0 + end });

function finished(end: number, rows: Record[], boxes: Namespace[], fields: Partial<Snapshot> = {}) {
  const made = snapshot({ live_chat: rows, run: over(end), ...fields }, boxes);
  Object.assign(made.namespaces[""] as Namespace, done(0, end));
  return made;
}

/** A slow and a fast agent, the slow one with an agent inside. */
function team() {
  const slow = namespace(["slow:1"], { usage: { total_tokens: 120 }, ...done(1, 31) });
  const inner = namespace(["slow:1", "inner:2"], done(5, 15));
  const fast = namespace(["fast:3"], done(1, 3));
  const rows = [
    user("Go", at(0, 0)),
    ai("Thinking", { namespace: ["slow:1"], ...at(2, 4) }),
    tool("look", { namespace: ["slow:1"], status: "failed", ...at(16, 20) }),
    tool("ask", { spawned: ["slow:1|inner:2"], ...at(5, 15) }),
    tool("read", { namespace: ["slow:1", "inner:2"], ...at(6, 9) }),
  ];
  return finished(32, rows, [slow, inner, fast]);
}

function lanes(made: ReturnType<typeof snapshot>, now = 100, told: Told | null = null) {
  const store = new Store();
  store.reset(made);
  return lanesOf(store, told, T0 + now);
}

describe("lanes", () => {
  it("stand as the agents do, with what each did when", () => {
    const found = lanes(team());
    expect(found.lanes.map(({ label, depth }) => [label, depth])).toEqual([
      ["team", 0],
      ["slow", 1],
      ["inner", 2],
      ["fast", 1],
    ]);
    expect(found.lanes.map(({ spans }) => spans.map(({ kind }) => kind))).toEqual([
      [],
      ["model", "failed"],
      ["tool"],
      [],
    ]);
    expect(found.lanes[1]).toMatchObject({ duration: 30, tokens: 120, seconds: { model: 2, tool: 4 } });
    expect([found.start - T0, found.end - T0]).toEqual([0, 32]);
  });

  it("end now while their agents and spans go on", () => {
    const box = namespace(["a:1"], at(2));
    const said = ai("Wor", { namespace: ["a:1"], status: "streaming", ...at(3) });
    const [, lane] = lanes(snapshot({ live_chat: [said] }, [box]), 9).lanes;
    expect(lane).toMatchObject({ end: T0 + 9, spans: [{ kind: "model", end: T0 + 9 }] });
  });

  it("show what waits for a person, and the call that was asked about only as it ran", () => {
    const box = namespace(["a:1"], { status: "completed", ...at(0, 70) });
    const rows = [
      tool("refund", { namespace: ["a:1"], ...at(4, 69) }),
      record("interrupt", { namespace: ["a:1"], status: "answered", ...at(5, 65) }),
    ];
    const found = lanes(finished(70, rows, [box]));
    expect(found.lanes[1]?.spans.map(({ kind, start, end }) => [kind, start - T0, end - T0])).toEqual([
      ["tool", 4, 5],
      ["tool", 65, 69],
      ["wait", 5, 65],
    ]);
    expect(found.gaps).toEqual([{ start: T0 + 5, end: T0 + 65, waiting: true }]);
    expect(found.lanes[0]?.duration).toBe(10);
  });

  it("show a box that stands interrupted as waiting, also when its question is not in the page", () => {
    const box = namespace(["a:1"], { status: "interrupted", ...at(0, 7) });
    const found = lanes(snapshot({ run: running({ status: "interrupted" }) }, [box]), 20);
    expect(found.lanes[1]?.spans).toMatchObject([{ kind: "wait", start: T0 + 7, end: T0 + 20 }]);
  });

  it("have rows that only the kernel has, as it told of them", () => {
    const box = namespace(["a:1"], done(0, 50));
    const last = ai("End", { namespace: ["a:1"], seq: 900, ...at(40, 50) });
    const made = snapshot({ live_chat: [last], floor: 800, earlier: { "a:1": 700 }, run: over(50) }, [box]);
    const told: Told = {
      spans: {
        "a:1": [
          ["model", T0 + 1, T0 + 30, 5],
          ["model", T0 + 40, T0 + 50, 900],
        ],
      },
      seconds: { "a:1": [39, 0, 0] },
      upto: 900,
      asked: 0.01,
    };
    const [, lane] = lanes(made, 60, told).lanes;
    expect(lane?.spans.map(({ seq }) => seq)).toEqual([5, 900]);
    expect(lane?.seconds.model).toBe(39);
    expect(lanes(made).lanes[1]?.spans.map(({ seq }) => seq)).toEqual([900]);
  });

  it("are none before anything ran", () => {
    expect(lanes(snapshot({ run: { status: "idle", turn: 0, now: T0 } })).lanes).toEqual([]);
  });
});

describe("a scale", () => {
  it("leads from time to place and back", () => {
    const scale = new Scale({ start: 100, end: 200 });
    expect(scale.x(150)).toBe(0.5);
    expect(scale.time(0.25)).toBe(125);
  });

  it("draws the time between two turns short, and still says every time", () => {
    const gap = { start: 20, end: 4000, waiting: false };
    const scale = new Scale({ start: 0, end: 4020 }, [gap]);
    expect(scale.x(20)).toBeGreaterThan(0.45);
    expect(scale.x(4000) - scale.x(20)).toBeLessThan(0.05);
    for (const time of [0, 10, 20, 2000, 4000, 4010, 4020])
      expect(scale.time(scale.x(time))).toBeCloseTo(time, 6);
  });

  it("leaves a short wait as it is", () => {
    expect(new Scale({ start: 0, end: 60 }, [{ start: 20, end: 22, waiting: true }]).cuts).toEqual([]);
  });

  it("zooms in about the pointer and out to the whole again", () => {
    const whole = { start: 0, end: 100 };
    const scale = new Scale(whole);
    const window = scale.zoomed(0.5, 0.5, whole);
    expect(window).toEqual({ start: 25, end: 75 });
    expect(new Scale(whole, [], window).x(50)).toBe(0.5);
    expect(new Scale(whole, [], window).zoomed(4, 0.5, whole)).toBeNull();
  });

  it("has round ticks with room between them", () => {
    const ticks = (seconds: number, track: number) =>
      new Scale({ start: 7, end: 7 + seconds }).ticks(7, track).map(({ text }) => text);
    expect(ticks(40, 400)).toEqual(["0 s", "10", "20", "30", "40"]);
    expect(ticks(64, 600)).toEqual(["0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00"]);
    expect(ticks(0.4, 300)).toEqual(["0.0 s", "0.1", "0.2", "0.3", "0.4"]);
  });
});

describe("bars", () => {
  const span = (start: number, end: number, seq = 1): Span => ({ kind: "tool", start, end, seq });

  it("are one where they are closer than a pixel, and never too narrow", () => {
    const scale = new Scale({ start: 0, end: 100 });
    const drawn = bars([span(0, 10), span(10.1, 20), span(50, 50)], scale, 500);
    expect(drawn.map(({ x, width }) => [x, width])).toEqual([
      [0, 100],
      [250, 3],
    ]);
  });

  it("stay few, however many calls there were", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => span(i * 0.01, i * 0.01 + 0.004, i));
    expect(bars(many, new Scale({ start: 0, end: 100 }), 600).length).toBeLessThan(200);
  });

  it("are found by time: the shorter one on top, or the nearest", () => {
    const spans = [span(0, 50, 1), span(10, 12, 2), span(80, 81, 3)];
    expect(spanAt(spans, 11, 1)?.seq).toBe(2);
    expect(spanAt(spans, 30, 1)?.seq).toBe(1);
    expect(spanAt(spans, 79.5, 1)?.seq).toBe(3);
    expect(spanAt(spans, 70, 1)).toBeUndefined();
  });
});

describe("the timeline", () => {
  const panel = (el: Element) => el.querySelector<HTMLElement>(".nst-tl") as HTMLElement;
  const named = (el: Element, name: string) =>
    el.querySelector<HTMLElement>(`[aria-label="${name}"]`) as HTMLElement;
  const labels = (el: Element) =>
    [...el.querySelectorAll(".nst-tll")].map((button) => button.getAttribute("aria-label"));
  const key = (el: Element, name: string, more = {}) =>
    el.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));

  it("is shown by its button in all displays, and by the trait", async () => {
    const { el, model, display } = show({ snapshot: team() });
    await drawn();
    const second = display();
    await drawn();
    expect(panel(el).hidden).toBe(true);
    named(el, "Show timeline").click();
    expect(model.traits.timeline).toBe(true);
    expect(model.saved).toBe(1);
    for (const each of [el, second.el]) expect(panel(each).hidden).toBe(false);
    expect(labels(el)).toEqual([
      "team, completed, 32 s",
      "slow, completed, 30 s",
      "inner, completed, 10 s",
      "fast, completed, 2.0 s",
    ]);
    model.set("timeline", false);
    expect(panel(el).hidden).toBe(true);
    expect(named(el, "Show timeline")).toBeTruthy();
    second.end.abort();
  });

  it("has one Tab stop; arrows move, Enter selects the call of an agent", async () => {
    const made = team();
    const call = Object.values(made.live_chat).find(({ name }) => name === "ask");
    const inner = made.namespaces["slow:1|inner:2"];
    if (!call || !inner) throw new Error("no call");
    inner.spawned_by = call.id;
    const { el, model } = show({ snapshot: made, timeline: true });
    await drawn();
    const buttons = [...el.querySelectorAll<HTMLElement>(".nst-tll")];
    const stops = () => buttons.map(({ tabIndex }) => tabIndex);
    expect(stops()).toEqual([0, -1, -1, -1]);
    buttons[0]?.focus();
    key(buttons[0] as Element, "ArrowDown");
    key(buttons[1] as Element, "ArrowDown");
    expect(document.activeElement).toBe(buttons[2]);
    expect(stops()).toEqual([-1, -1, 0, -1]);
    buttons[2]?.click();
    expect(model.traits.selection).toBe(call.id);
    key(buttons[2] as Element, "Enter", { shiftKey: true });
    expect(model.traits.time_range).toEqual([T0 + 5, T0 + 15]);
    key(buttons[2] as Element, "Escape");
    expect(model.traits.time_range).toBeNull();
  });

  it("gives the keyboard to what was pressed, so that Escape closes what that opened", async () => {
    const { el, model } = show({ snapshot: team(), timeline: true });
    await drawn();
    const place = { left: 0, right: 100, width: 100, top: 0, bottom: 20, height: 20 } as DOMRect;
    const placed = vi.spyOn(Element.prototype, "getBoundingClientRect").mockReturnValue(place);
    const [, slow] = el.querySelectorAll<HTMLElement>(".nst-tlt");
    for (const type of ["pointerdown", "pointerup"])
      slow?.dispatchEvent(new PointerEvent(type, { bubbles: true, button: 0, clientX: 56, clientY: 15 }));
    await new Promise((then) => setTimeout(then, 100));
    placed.mockRestore();
    const row = el.querySelector('.nst-row[data-type="tool_call"][data-status="failed"]');
    expect(model.traits.selection).toBe(row?.getAttribute("data-id"));
    expect(row?.contains(document.activeElement)).toBe(true);
    key(document.activeElement as Element, "Escape");
    expect(named(el, "Inspector").hidden).toBe(true);
    expect(row?.contains(document.activeElement)).toBe(true);
  });

  it("takes the keys from the notebook wherever it is pressed", async () => {
    const { el } = show({ snapshot: team(), timeline: true });
    await drawn();
    expect(panel(el).getAttribute("tabindex")).toBe("-1");
  });

  it("draws the range that Python set, and clears it", async () => {
    const { el, model } = show({ snapshot: team(), timeline: true });
    await drawn();
    model.set("time_range", [T0 + 8, T0 + 16]);
    await new Promise((done) => setTimeout(done, 20));
    const range = el.querySelector<HTMLElement>(".nst-tlsel") as HTMLElement;
    expect(range.hidden).toBe(false);
    expect([range.style.insetInlineStart, range.style.inlineSize]).toEqual(["25.000%", "25.000%"]);
    named(el, "Clear time range").click();
    expect(model.traits.time_range).toBeNull();
    expect(range.hidden).toBe(true);
  });

  it("tells as a table which agent was slowest", async () => {
    const { el } = show({ snapshot: team() });
    await drawn();
    named(el, "More actions").click();
    const item = [...el.querySelectorAll<HTMLElement>("[role=menuitem]")].find(
      ({ textContent }) => textContent === "Timeline as table",
    );
    item?.click();
    const rows = () =>
      [...el.querySelectorAll(".nst-tltable tr")].map((row) =>
        [...row.children].map(({ textContent }) => textContent),
      );
    expect(rows()[0]).toEqual([
      "Agent",
      "Status",
      "Start",
      "Duration",
      "Model",
      "Tools",
      "Waiting",
      "Tokens",
    ]);
    expect(rows()[2]).toEqual(["slow", "completed", "1.0 s", "30 s", "2.0 s", "4.0 s", "–", "120"]);
    const head = [...el.querySelectorAll<HTMLElement>("thead button")][3];
    head?.click();
    expect(rows().map(([name]) => name)).toEqual(["Agent", "team", "slow", "inner", "fast"]);
    head?.click();
    expect(rows().map(([name]) => name)).toEqual(["Agent", "fast", "inner", "slow", "team"]);
    named(el, "Close table").click();
    expect(el.querySelector<HTMLElement>(".nst-tltable")?.hidden).toBe(true);
  });

  it("shows an overview of a run with several agents, which opens it", async () => {
    const { el, model } = show({ snapshot: team() });
    await drawn();
    const strip = named(el, "Run overview, 32 seconds");
    expect(strip.hidden).toBe(false);
    strip.click();
    expect(model.traits.timeline).toBe(true);
    expect(strip.hidden).toBe(true);
  });

  it("asks the kernel for rows that are not in the page, once", async () => {
    const box = namespace(["a:1"], done(0, 50));
    const last = ai("End", { namespace: ["a:1"], seq: 900, ...at(40, 50) });
    const fields = { live_chat: [last], floor: 800, earlier: { "a:1": 700 }, run: over(50) };
    const { el, model } = show({ snapshot: snapshot(fields, [box]), timeline: true });
    await drawn();
    const asked = model.sent.filter(({ question }) => question === "spans");
    expect(asked).toHaveLength(1);
    const spans = { "a:1": [["tool", T0 + 1, T0 + 3, 4]] };
    const { ask } = asked[0] as { ask: string };
    model.receive({ type: "answer", ask, spans, seconds: {}, upto: 900, resolution: 0.025 });
    await new Promise((done) => setTimeout(done, 20));
    const marks = el.querySelectorAll(".nst-tlrow:last-child .nst-tlt :is(.nst-tlx, .nst-tlk)");
    expect([...marks].map(({ className }) => className)).toEqual(["nst-tlx", "nst-tlk"]);
    expect(model.sent.filter(({ question }) => question === "spans")).toHaveLength(1);
  });

  it("shows names as they are, whatever they hold", async () => {
    const box = namespace(["x:1"], { label: "<img src=x>\u202eevil", ...done(0, 5) });
    const { el } = show({ snapshot: snapshot({ run: over(5) }, [box]), timeline: true });
    await drawn();
    expect(panel(el).querySelector("img")).toBeNull();
    expect(labels(el)[1]).toContain("<img src=x>U+202Eevil");
  });

  it("does nothing while it is hidden", async () => {
    const { el, model } = show({ snapshot: snapshot({}, [namespace(["a:1"])]) });
    await drawn();
    model.receive(patch(1, { add: [ai("More", { namespace: ["a:1"] })] }));
    await new Promise((done) => setTimeout(done, 300));
    expect(panel(el).querySelector(".nst-tlrow")).toBeNull();
  });
});
