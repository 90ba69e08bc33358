import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Comm } from "../src/comm.ts";
import * as explore from "../src/explore.ts";
import type { Record } from "../src/protocol.ts";
import { Store } from "../src/store.ts";
import { runView } from "../src/views/run.ts";
import { ai, FakeModel, namespace, patch, restart, snapshot, stand, tool } from "./builders.ts";

let shown: ReturnType<typeof stand>[] = [];
const show = (traits = {}) => {
  const made = stand(traits);
  shown.push(made);
  return made;
};

beforeEach(restart);
afterEach(() => {
  for (const { end, room } of shown) {
    end.abort();
    room.abort();
  }
  shown = [];
  document.body.replaceChildren();
});

const many = (count: number, fields: Partial<Record> = {}) =>
  Array.from({ length: count }, (_, i) => ai(`row ${i}`, fields));
const drawn = (el: Element, key = "") =>
  [...el.querySelectorAll<HTMLElement>("[data-id]")].filter((row) => row.dataset.namespace === key);
const box = (el: Element, key: string) => el.querySelector(`article[data-namespace="${key}"]`) as HTMLElement;
const open = (el: Element, key: string) =>
  (box(el, key).querySelector(".nst-boxline") as HTMLElement).click();
const button = (el: Element, text: string) =>
  [...el.querySelectorAll("button")].find((b) => b.textContent === text && !b.hidden) as HTMLButtonElement;
const frame = () => new Promise((done) => setTimeout(done, 300));
const asked = (model: FakeModel) => model.sent.findLast((message) => message.type === "rows");

describe("a long run", () => {
  const inside = { namespace: ["a:1"] };
  const done = () => namespace(["a:1"], { status: "completed" });

  it("has the rows of a closed box in the page only while it is open", () => {
    const { el } = show({
      snapshot: snapshot({ chat_history: [...many(50, inside), ...many(2000)] }, [done()]),
    });
    expect(drawn(el, "a:1")).toHaveLength(0);
    open(el, "a:1");
    expect(drawn(el, "a:1")).toHaveLength(50);
    open(el, "a:1");
    expect(drawn(el, "a:1")).toHaveLength(0);
  });

  it("gives up the rows of closed boxes when it becomes long", async () => {
    const { model, el } = show({ snapshot: snapshot({ live_chat: many(50, inside) }, [done()]) });
    expect(drawn(el, "a:1")).toHaveLength(50);
    model.receive(patch(1, { add: many(2000) }));
    await frame();
    expect(drawn(el, "a:1")).toHaveLength(0);
  });

  it("draws the last 2,000 rows, and earlier ones on request", () => {
    const { el } = show({ snapshot: snapshot({ chat_history: many(5000) }) });
    expect(drawn(el)).toHaveLength(2000);
    expect(drawn(el).at(-1)?.textContent).toContain("row 4999");
    button(el, "Show 3,000 earlier").click();
    expect(drawn(el)).toHaveLength(2500);
    expect(drawn(el)[0]?.textContent).toContain("row 2500");
    expect(button(el, "Show 2,500 earlier")).toBeDefined();
  });

  it.each(["nested", "log"])("keeps the page small while it is followed (%s)", async (mode) => {
    const { model, el } = show({ mode, snapshot: snapshot() });
    const rows = many(9000);
    for (let n = 0; n < 9; n++) {
      model.receive(patch(n + 1, { add: rows.slice(1000 * n, 1000 * n + 1000) }));
      await frame();
      expect(drawn(el).length).toBeLessThanOrEqual(4000);
    }
    const shown = drawn(el).map((row) => row.dataset.id);
    expect(shown).toEqual(rows.slice(-shown.length).map((row) => row.id));
    expect(button(el, `Show ${(9000 - shown.length).toLocaleString("en")} earlier`)).toBeDefined();
  });

  it("leaves old rows to the kernel, and asks for them again", async () => {
    const model = new FakeModel({ mode: "nested", snapshot: snapshot() });
    const store = new Store();
    const { signal } = new AbortController();
    const el = document.body;
    const comm = new Comm(model as never, store, signal);
    runView(model as never, store, comm, el, signal, Promise.resolve(explore));
    const agents = Array.from({ length: 30 }, (_, i) => {
      const agent = namespace([`a:${i}`], { status: "completed", ended_at: 1 });
      return { agent, rows: many(200, { namespace: [`a:${i}`], ended_at: 1 }) };
    });
    for (const [i, { agent, rows }] of agents.entries()) {
      model.receive(patch(i + 1, { namespaces: { [agent.key]: { ...agent } }, add: rows }));
      await new Promise((done) => requestAnimationFrame(done));
    }
    await frame();
    expect(store.records.size).toBeLessThan(4500);
    expect(store.records.size + store.earlier(null)).toBe(6000);
    const first = agents[0]?.rows as Record[];
    expect(box(el, "a:0").textContent).toContain("row 199");
    open(el, "a:0");
    expect(asked(model)).toMatchObject({ namespace: "a:0", before: (first[198]?.seq as number) + 1 });
    model.receive({ type: "rows", epoch: "e1", n: 30, namespace: "a:0", records: first, earlier: 0 });
    await frame();
    expect(drawn(el, "a:0").map((row) => row.dataset.id)).toEqual(first.map((row) => row.id));
    expect(store.records.size + store.earlier(null)).toBe(6000);
  });

  it("never gives up what still runs", async () => {
    const busy = namespace(["a:1"]);
    const { model, el } = show({ snapshot: snapshot({ live_chat: many(3, inside) }, [busy]) });
    for (let n = 1; n < 9; n++) {
      model.receive(patch(n, { add: many(1000) }));
      await frame();
    }
    expect(box(el, "a:1")).not.toBeNull();
  });
});

describe("a page that has a part of a run", () => {
  const state = () => {
    const agent = namespace(["a:1"], { status: "completed", counts: { tools: 7 } });
    const [first, ...rows] = many(10, { namespace: ["a:1"] });
    const words = ai("What was said last.", { namespace: ["a:1"] });
    const others = many(3);
    const earlier = { "a:1": 11 };
    const given = { chat_history: [words, ...others], floor: others[0]?.seq as number, earlier };
    return { snapshot: snapshot(given, [agent]), rows: [first as Record, ...rows, words] };
  };

  it("draws the header of a box whose rows it has not", () => {
    const { el } = show({ snapshot: state().snapshot });
    expect(box(el, "a:1").textContent).toContain("What was said last.");
    expect(box(el, "a:1").textContent).toContain("7 tools");
    expect(drawn(el, "a:1")).toHaveLength(0);
  });

  it("asks for them when the box is opened, and draws each once, in order", async () => {
    const { snapshot, rows } = state();
    const { model, el } = show({ snapshot });
    model.sent = [];
    open(el, "a:1");
    expect(asked(model)).toMatchObject({ namespace: "a:1", before: snapshot.floor, limit: 500 });
    const answer = { type: "rows", epoch: "e1", n: 0, namespace: "a:1" };
    model.receive({ ...answer, records: rows.slice(6), earlier: 6 });
    await frame();
    expect(drawn(el, "a:1")).toHaveLength(5);
    button(el, "Show 6 earlier").click();
    expect(asked(model)).toMatchObject({ namespace: "a:1", before: rows[6]?.seq });
    model.receive({ ...answer, records: rows.slice(0, 6), earlier: 0 });
    await frame();
    expect(drawn(el, "a:1").map((row) => row.dataset.id)).toEqual(rows.map((row) => row.id));
    expect(button(el, "Show 6 earlier")).toBeUndefined();
  });

  it("draws no gap in the log", () => {
    const { el } = show({ mode: "log", snapshot: state().snapshot });
    expect(drawn(el)).toHaveLength(3);
    expect(drawn(el, "a:1")).toHaveLength(0);
    expect(button(el, "Show 10 earlier")).toBeDefined();
  });
});

describe("a kernel that keeps only so many records", () => {
  it.each(["nested", "log"])("takes them out of the page, and says how many (%s)", async (mode) => {
    const rows = many(10);
    const agent = namespace(["a:1"], { status: "completed" });
    const inner = tool("look", { namespace: ["a:1"] });
    const { model, el } = show({ mode, snapshot: snapshot({ chat_history: [inner, ...rows] }, [agent]) });
    const run = { status: "running" as const, turn: 1, now: 0, left_out: 5 };
    const drop = [inner, ...rows.slice(0, 4)].map((row) => row.seq);
    model.receive(patch(1, { run, drop, namespaces: { "a:1": null }, add: [ai("new")] }));
    await frame();
    expect(box(el, "a:1")).toBeNull();
    expect(drawn(el)).toHaveLength(7);
    expect(el.textContent).toContain("5 older entries are left out");
  });
});

describe("many agents that run", () => {
  it("keep only their last rows in the page", async () => {
    const agents = Array.from({ length: 50 }, (_, i) => namespace([`a:${i}`]));
    const { model, el } = show({ snapshot: snapshot({}, agents) });
    const said: Record[] = [];
    for (let n = 1; n <= 12; n++) {
      const rows = agents.flatMap(({ namespace }) => many(10, { namespace, ended_at: 1 }));
      said.push(...rows);
      model.receive(patch(n, { add: rows }));
      await frame();
      expect(el.querySelectorAll("[data-id]").length).toBeLessThanOrEqual(4500);
      for (const { key } of [agents[0], agents[49]] as { key: string }[]) {
        const mine = said.filter((row) => row.namespace[0] === key).map((row) => row.id);
        const shown = drawn(el, key).map((row) => row.dataset.id);
        expect(shown).toEqual(mine.slice(-shown.length));
      }
    }
    expect(el.querySelectorAll("[data-id]").length).toBeLessThan(said.length);
  });
});
