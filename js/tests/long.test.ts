import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Comm } from "../src/comm.ts";
import * as explore from "../src/explore.ts";
import type { Record } from "../src/protocol.ts";
import { Store } from "../src/store.ts";
import { type Display, runView } from "../src/views/run.ts";
import type { Stage } from "../src/views/stage.ts";
import { ai, FakeModel, namespace, patch, record, restart, snapshot, stand, tool } from "./builders.ts";

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
    const answer = { namespace: "a:0", before: asked(model)?.before, records: first, earlier: 0 };
    model.receive({ type: "rows", epoch: "e1", n: 30, ...answer });
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

  describe("in which a box runs all the time", () => {
    const slow = () => namespace(["a:1"]);
    /** Twelve times 1,000 rows with a box before each, all of them ended. */
    const turns = async (model: FakeModel, el: HTMLElement) => {
      const said: string[] = [];
      for (let n = 1; n <= 12; n++) {
        const turn = namespace([`b:${n}`], { status: "completed", ended_at: 1 });
        const rows = many(1000);
        said.push(turn.key, ...rows.map((row) => row.id));
        model.receive(patch(n, { namespaces: { [turn.key]: { ...turn } }, add: rows }));
        await frame();
        expect(drawn(el).length).toBeLessThan(4500);
      }
      return said;
    };
    const lines = (el: Element) =>
      [...el.querySelectorAll<HTMLElement>(".nst-rootbody > .nst-chunk > *, .nst-rootbody > button")].map(
        (line) =>
          line.matches(".nst-earlier") ? "earlier" : line.dataset.id || (line.dataset.namespace as string),
      );

    it("gives up what stands behind it, and brings it back where it stood", async () => {
      const { model, el } = show({ snapshot: snapshot({ live_chat: many(2, inside) }, [slow()]) });
      const said = await turns(model, el);
      expect(drawn(el, "a:1")).toHaveLength(2);
      const left = lines(el).length - 2;
      expect(lines(el)).toEqual(["a:1", "earlier", ...said.slice(-left)]);
      const hidden = (count: number) => `Show ${count.toLocaleString("en")} earlier`;
      button(el, hidden(said.length - left)).click();
      expect(lines(el)).toEqual(["a:1", "earlier", ...said.slice(-left - 500)]);
      const more = button(el, hidden(said.length - left - 500));
      while (!more.hidden) more.click();
      expect(lines(el).filter((line) => line !== "earlier")).toEqual(["a:1", ...said]);
    });

    it("lets it go once it has ended, too", async () => {
      const { model, el } = show({ snapshot: snapshot({ live_chat: many(2, inside) }, [slow()]) });
      await turns(model, el);
      const ended = { status: "completed" as const, ended_at: 2 };
      model.receive(patch(13, { namespaces: { "a:1": ended } }));
      await frame();
      expect(box(el, "a:1")).not.toBeNull();
      model.receive(patch(14, { add: many(2500, { ended_at: 1 }) }));
      await frame();
      expect(box(el, "a:1")).toBeNull();
    });

    it.each(["running", "interrupted"] as const)(
      "is drawn at once when it is displayed afresh (%s)",
      (status) => {
        const agents = [{ ...slow(), status }, namespace(["c:1"], { status: "completed" })];
        const { el } = show({
          snapshot: snapshot({ live_chat: [...many(2, inside), ...many(3000)] }, agents),
        });
        expect(lines(el).slice(0, 2)).toEqual(["a:1", "earlier"]);
        expect(button(el, "Show 1,001 earlier")).toBeDefined();
      },
    );

    it("gives up its neighbours that ran at the same time", async () => {
      const { model, el } = show({ snapshot: snapshot({ live_chat: many(2, inside) }, [slow()]) });
      for (let n = 1; n <= 12; n++) {
        const agents = Array.from({ length: 500 }, (_, i) => {
          const agent = namespace([`b:${n}.${i}`], { status: "completed" });
          return { ...agent, ended_at: agent.started_at + 0.5 };
        });
        const namespaces = Object.fromEntries(agents.map((agent) => [agent.key, { ...agent }]));
        model.receive(patch(n, { namespaces }));
        await frame();
      }
      expect(el.querySelectorAll("article").length).toBeLessThan(4500);
      expect(lines(el).slice(0, 2)).toEqual(["a:1", "earlier"]);
    });
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
    model.receive({ ...answer, before: snapshot.floor, records: rows.slice(6), earlier: 6 });
    await frame();
    expect(drawn(el, "a:1")).toHaveLength(5);
    button(el, "Show 6 earlier").click();
    expect(asked(model)).toMatchObject({ namespace: "a:1", before: rows[6]?.seq });
    model.receive({ ...answer, before: rows[6]?.seq, records: rows.slice(0, 6), earlier: 0 });
    await frame();
    expect(drawn(el, "a:1").map((row) => row.dataset.id)).toEqual(rows.map((row) => row.id));
    expect(button(el, "Show 6 earlier")).toBeUndefined();
  });

  const crowd = () => {
    const agents = Array.from({ length: 5 }, (_, i) => namespace([`w:${i}`], { status: "completed" }));
    const rows = agents.map((agent) => ai(`said by ${agent.key}`, { namespace: agent.namespace }));
    const others = many(3);
    const floor = others[0]?.seq as number;
    const earlier = Object.fromEntries(agents.map(({ key }) => [key, 1]));
    return { agents, rows, snapshot: snapshot({ live_chat: others, floor, earlier, closed: { "": 5 } }) };
  };

  it("asks for boxes that it has not, and draws them where they stood", async () => {
    const { agents, rows, snapshot } = crowd();
    const { model, el } = show({ snapshot });
    button(el, "Show 5 earlier").click();
    expect(asked(model)).toMatchObject({ namespace: "", before: snapshot.floor, closed: 5 });
    const send = (n: number, before: number, from: number, to: number) => {
      const namespaces = Object.fromEntries(agents.slice(from, to).map((agent) => [agent.key, { ...agent }]));
      model.receive(patch(n, { namespaces }));
      const answer = { namespace: "", before, records: rows.slice(from, to), earlier: 0 };
      const floor = from ? agents[from]?.seq : 0;
      model.receive({ type: "rows", epoch: "e1", n, ...answer, floor });
    };
    const keys = () => [...el.querySelectorAll("article")].map((box) => box.dataset.namespace);
    send(1, snapshot.floor, 3, 5);
    await frame();
    expect(keys()).toEqual(["w:3", "w:4"]);
    expect(box(el, "w:4").textContent).toContain("said by w:4");
    button(el, "Show 3 earlier").click();
    expect(asked(model)).toMatchObject({ namespace: "", before: agents[3]?.seq, closed: 3 });
    send(2, agents[3]?.seq as number, 0, 3);
    await frame();
    expect(keys()).toEqual(["w:0", "w:1", "w:2", "w:3", "w:4"]);
    expect(el.querySelector(".nst-rootbody > .nst-earlier:not([hidden])")).toBeNull();
  });

  it("counts boxes no more that the kernel drops", async () => {
    const { rows, snapshot } = crowd();
    const { model, el } = show({ snapshot });
    const drop = { "w:0": [rows[0]?.seq as number] };
    model.receive(patch(1, { drop, namespaces: { "w:0": null } }));
    await frame();
    expect(button(el, "Show 4 earlier")).toBeDefined();
  });

  it("draws no gap in the log", () => {
    const { el } = show({ mode: "log", snapshot: state().snapshot });
    expect(drawn(el)).toHaveLength(3);
    expect(drawn(el, "a:1")).toHaveLength(0);
    expect(button(el, "Show 11 earlier")).toBeDefined();
  });
});

describe("a kernel that keeps only so many records", () => {
  it.each(["nested", "log"])("takes them out of the page, and says how many (%s)", async (mode) => {
    const rows = many(10);
    const agent = namespace(["a:1"], { status: "completed" });
    const inner = tool("look", { namespace: ["a:1"] });
    const { model, el } = show({ mode, snapshot: snapshot({ chat_history: [inner, ...rows] }, [agent]) });
    const run = { status: "running" as const, turn: 1, now: 0, left_out: 5 };
    const drop = { "a:1": [inner.seq], "": rows.slice(0, 4).map((row) => row.seq) };
    model.receive(patch(1, { run, drop, namespaces: { "a:1": null }, add: [ai("new")] }));
    await frame();
    expect(box(el, "a:1")).toBeNull();
    expect(drawn(el)).toHaveLength(7);
    expect(el.textContent).toContain("5 older entries are left out");
  });
});

describe("what is drawn no more", () => {
  const staged = async () => {
    const model = new FakeModel({ mode: "nested", snapshot: snapshot() });
    const store = new Store();
    const { signal } = new AbortController();
    const el = document.createElement("div");
    let stage = (): Stage => expect.fail();
    class Explorer {
      constructor(display: Display) {
        stage = () => display.stage;
      }
      built() {}
      drawn() {}
    }
    const comm = new Comm(model as never, store, signal);
    runView(model as never, store, comm, el, signal, Promise.resolve({ Explorer } as never));
    await frame();
    const send = (fields: object) => {
      model.receive(patch(store.n + 1, fields));
      store.flush();
    };
    return { store, el, send, stage: stage() };
  };

  it("is forgotten with the frame around it, each time that the kernel drops the first in it", async () => {
    const { el, send, stage } = await staged();
    const agents = Array.from({ length: 40 }, (_, i) => namespace([`a:${i}`]));
    send({ namespaces: Object.fromEntries(agents.map((agent) => [agent.key, { ...agent }])) });
    expect(stage.waiting.size).toBe(1);
    for (const { key } of agents.slice(0, 38)) {
      send({ namespaces: { [key]: null } });
      expect(stage.waiting.size).toBe(1);
    }
    expect(el.querySelectorAll(".nst-par article")).toHaveLength(2);
    send({ namespaces: { "a:38": null } });
    expect(stage.waiting.size).toBe(0);
    expect(box(el, "a:39")).not.toBeNull();
  });

  it("has no clock", async () => {
    const { store, el, send, stage } = await staged();
    const slow = tool("slow", { status: "executing" });
    send({ add: [slow] });
    const row = el.querySelector(`[data-id="${slow.id}"]`) as HTMLElement;
    for (let n = 0; n < 5; n++) send({ add: many(1000, { ended_at: 1 }) });
    expect(el.contains(row)).toBe(false);
    const before = row.textContent;
    store.skew += 100;
    stage.tick();
    expect(row.textContent).toBe(before);
  });
});

describe("what is given up and fetched again", () => {
  let end: AbortController;
  beforeEach(() => {
    end = new AbortController();
  });
  afterEach(() => end.abort());

  const page = (traits = {}) => {
    const model = new FakeModel({ mode: "nested", snapshot: snapshot(), ...traits });
    const store = new Store();
    const el = document.createElement("div");
    document.body.append(el);
    const comm = new Comm(model as never, store, end.signal);
    runView(model as never, store, comm, el, end.signal, Promise.resolve(explore));
    const receive = (message: object) => {
      model.receive(message);
      store.flush();
    };
    const send = (fields: object) => receive(patch(store.n + 1, fields));
    const answer = (fields: object) => receive({ type: "rows", epoch: "e1", n: store.n, ...fields });
    return { model, store, el, receive, send, answer };
  };
  const earlier = (el: Element) =>
    [...el.querySelectorAll<HTMLElement>(".nst-earlier")].find((b) => !b.hidden) as HTMLElement;
  const ids = (rows: Element[] | Record[]) =>
    rows.map((row) => (row instanceof Element ? (row as HTMLElement).dataset.id : row.id));
  const past = (count: number, fields: Partial<Record> = {}) => many(count, { ended_at: 1, ...fields });

  it("is all that went before when a row that went on much longer goes as well", () => {
    const { store, el, send } = page();
    const slow = tool("slow", { namespace: ["a:1"], status: "executing" });
    const words = past(100, { namespace: ["a:1"] });
    send({ namespaces: { "a:1": { ...namespace(["a:1"]) } }, add: [slow, ...words] });
    open(el, "a:1");
    send({ add: past(5000) });
    expect(store.earlier("a:1")).toBe(99);
    send({ set: [[slow.seq, { status: "completed", ended_at: 2 }]], add: past(3000) });
    expect(store.earlier("a:1")).toBe(100);
    expect(store.floorOf("a:1"), "nothing of what is not here lies behind it").toBe(words[99]?.seq);
  });

  it("has rows behind calls that became boxes, too", () => {
    const { store, send } = page();
    for (let i = 0; i < 40; i++) {
      const call = tool("agent", { status: "executing" });
      send({ add: [call] });
      const agent = namespace([`a:${i}`], { spawned_by: call.id });
      send({ namespaces: { [agent.key]: { ...agent } } });
      const done = { status: "completed", ended_at: 1 };
      send({ namespaces: { [agent.key]: done }, set: [[call.seq, done]], add: past(150) });
    }
    expect(store.records.size).toBeLessThan(4500);
  });

  it("may have come with the same frame", () => {
    const { model, store, el, send } = page();
    send({ add: past(10) });
    const rows = past(5000);
    for (let n = 0; n < 5; n++) model.receive(patch(n + 2, { add: rows.slice(1000 * n, 1000 * n + 1000) }));
    expect(() => store.flush()).not.toThrow();
    expect(ids(drawn(el)).at(-1)).toBe(rows.at(-1)?.id);
  });

  it.each(["nested", "log"])("comes into sight with one answer (%s)", (mode) => {
    const { model, store, el, send, answer } = page({ mode });
    const rows = past(5000);
    for (let at = 0; at < 5000; at += 1000) send({ add: rows.slice(at, at + 1000) });
    send({});
    const before = ids(drawn(el));
    expect(before.length).toBeLessThan(4000);
    earlier(el).click();
    store.flush();
    expect(ids(drawn(el)), "nothing goes").toEqual(before);
    const first = rows.findIndex((row) => row.id === before[0]);
    expect(asked(model)).toMatchObject({ before: rows[first]?.seq });
    const records = rows.slice(first - 500, first);
    answer({
      namespace: mode === "log" ? null : "",
      before: rows[first]?.seq,
      records,
      earlier: first - 500,
    });
    expect(ids(drawn(el))).toEqual([...ids(records), ...before]);
    expect(earlier(el).textContent).toBe(`Show ${(first - 500).toLocaleString("en")} earlier`);
  });

  it("lets no row of the log go between two others", () => {
    const { store, el, send } = page({ mode: "log" });
    // What only calls tools is not drawn.
    const rows = Array.from({ length: 2100 }, () => [
      ai("", { namespace: ["a:1"], ended_at: 1 }),
      ai("said", { ended_at: 1 }),
    ]);
    send({ namespaces: { "a:1": { ...namespace(["a:1"]) } }, add: rows.flat() });
    const first = store.byId(drawn(el)[0]?.dataset.id as string);
    expect(store.earlier("a:1")).toBeGreaterThan(0);
    expect(store.floorOf(null)).toBeLessThanOrEqual(first?.seq as number);
  });

  it("does not keep new rows out of the log when one of before changes", () => {
    const { store, el, send } = page({ mode: "log" });
    const slow = tool("slow", { status: "executing" });
    send({ add: [slow, ...past(4500)] });
    expect(ids(drawn(el))).not.toContain(slow.id);
    const row = ai("new", { ended_at: 1 });
    send({ set: [[slow.seq, { progress: { fraction: 0.5 } }]], add: [row] });
    const next = ai("next", { ended_at: 1 });
    send({ add: [next] });
    expect(ids(drawn(el)).slice(-2)).toEqual([row.id, next.id]);
    expect(store.records.has(row.seq)).toBe(true);
  });

  it("is in the log when it was fetched box by box", () => {
    const inner = past(5, { namespace: ["a:1"] });
    const rows = past(3);
    const agent = namespace(["a:1"], { status: "completed" });
    const floor = rows[0]?.seq as number;
    const state = snapshot({ chat_history: rows, floor, earlier: { "a:1": 5 } }, [agent]);
    const { model, el, answer } = page({ snapshot: state });
    open(el, "a:1");
    answer({ namespace: "a:1", before: floor, records: inner, earlier: 0 });
    model.set("mode", "log");
    expect(ids([...el.querySelectorAll("[data-id]")])).toEqual(ids([...inner, ...rows]));
  });

  it("is no news", () => {
    const rows = past(600);
    const floor = rows[500]?.seq as number;
    const state = snapshot({ live_chat: rows.slice(500), floor, earlier: { "": 500 } });
    const { el, answer } = page({ snapshot: state });
    answer({ namespace: null, before: floor, records: rows.slice(0, 500), earlier: 0 });
    expect(drawn(el)).toHaveLength(600);
    expect(el.querySelector("[aria-live=polite]")?.textContent).toBe("");
  });

  it("is taken where the rows of this page begin only: another page may have asked", () => {
    const rows = past(40);
    const floor = rows[30]?.seq as number;
    const state = snapshot({ live_chat: rows.slice(30), floor, earlier: { "": 30 } });
    const { store, answer } = page({ snapshot: state });
    for (const namespace of ["", null]) {
      answer({ namespace, before: rows[10]?.seq, records: rows.slice(0, 10), earlier: 0 });
      expect(store.earlier("")).toBe(30);
      expect(store.floorOf("")).toBe(floor);
    }
  });

  it.each(["nested", "log"])("is counted no more once the kernel drops it (%s)", (mode) => {
    const rows = past(40);
    const floor = rows[30]?.seq as number;
    const { store, el, send } = page({
      mode,
      snapshot: snapshot({ live_chat: rows.slice(30), floor, earlier: { "": 30 } }),
    });
    send({ drop: { "": rows.slice(0, 25).map((row) => row.seq) } });
    expect(store.earlier("")).toBe(5);
    expect(earlier(el).textContent).toBe("Show 5 earlier");
    send({ drop: { "": rows.slice(25, 32).map((row) => row.seq) } });
    expect(store.earlier(null)).toBe(0);
    expect(store.records.size).toBe(8);
  });

  it("leaves the shelf when the kernel drops it", async () => {
    const made = record("artifact", { title: "Old", mime: { "text/plain": "x" }, ended_at: 1 });
    const { el, send } = page({ snapshot: snapshot({ live_chat: [made, ...past(3)] }) });
    await frame();
    expect(el.querySelectorAll("[data-artifact]")).toHaveLength(1);
    send({ drop: { "": [made.seq] } });
    expect(el.querySelectorAll("[data-artifact]")).toHaveLength(0);
    expect(el.textContent).not.toContain("Untitled");
  });

  it("makes no box of a change to one that only the kernel has", () => {
    const { el, send } = page();
    send({ namespaces: { "a:1|b:1": { counts: { tools: 1 } } } });
    expect(el.querySelectorAll("article")).toHaveLength(0);
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
