import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { places } from "../src/find/marks.ts";
import { fold, Matcher } from "../src/find/match.ts";
import type { Record } from "../src/protocol.ts";
import {
  ai,
  drawn,
  type FakeModel,
  namespace,
  patch,
  record,
  restart,
  running,
  snapshot,
  stand,
  T0,
  tool,
  user,
} from "./builders.ts";

const shared = JSON.parse(readFileSync("../tests/find_cases.json", "utf8"));

let shown: ReturnType<typeof stand>[] = [];
const show = async (traits = {}) => {
  const made = stand({ query: "", filters: {}, time_range: null, ...traits });
  shown.push(made);
  await drawn();
  return made;
};

beforeEach(restart);
afterEach(() => {
  vi.useRealTimers();
  for (const { end, room } of shown) {
    end.abort();
    room.abort();
  }
  shown = [];
  document.body.replaceChildren();
});

const done = (label: string, fields = {}) =>
  namespace([`${label}:1`], { label, status: "completed", ...fields });
const finished = (rows: Record[], boxes = [] as ReturnType<typeof namespace>[]) =>
  snapshot({ run: running({ status: "completed", ended_at: T0 + 60 }), chat_history: rows }, boxes);
const bar = (el: Element) => el.querySelector('[role="search"]') as HTMLElement;
const field = (el: Element) => bar(el).querySelector("input") as HTMLInputElement;
const count = (el: Element) => bar(el).querySelector('[role="status"]')?.textContent;
const line = (el: Element) => el.querySelector(".nst-sifting")?.textContent;
const button = (el: Element, name: string) =>
  [...el.querySelectorAll("button")].find(
    (each) => (each.getAttribute("aria-label") ?? each.textContent) === name,
  ) as HTMLButtonElement;
const gaps = (el: Element) => [...el.querySelectorAll(".nst-gap")].map((gap) => gap.textContent);
const seen = (el: Element) =>
  [...el.querySelectorAll<HTMLElement>(".nst-row")]
    .filter((row) => !row.closest(".nst-hid, [hidden]"))
    .map((row) => row.dataset.id);
const at = (el: Element) => el.querySelector<HTMLElement>('[aria-current="true"]')?.dataset.id;
const type = (el: Element, text: string) => {
  field(el).value = text;
  field(el).dispatchEvent(new Event("input", { bubbles: true }));
};
const press = (el: Element, key: string, more = {}) =>
  field(el).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
const soon = (ms = 120) => new Promise((then) => setTimeout(then, ms));
const questions = (model: FakeModel) => model.sent.filter((message) => message.question === "find");

describe("what matches", () => {
  const records = (shared.records as Partial<Record>[]).map((fields, i) => ({
    ...{ namespace: [], seq: i + 1, order: i + 1 },
    ...fields,
  })) as unknown as Record[];

  it.each(shared.cases as { says: string; found: string[] }[])("$says", ({ found, ...wanted }) => {
    const matcher = new Matcher({ query: "", filters: {}, time_range: null, ...wanted });
    expect(records.filter((each) => matcher.matches(each)).map(({ id }) => id)).toEqual(found);
  });
});

describe("what is marked", () => {
  const marked = (text: string, query: string) =>
    places(text, fold(query)).map(([start, end]) => text.slice(start, end));

  it.each([
    ["café STRASSE, Straße", "straße", ["STRASSE", "Straße"]],
    ["Straße", "ras", ["raß"]],
    ["😀 ﬁne İstanbul 😀 fine", "FINE", ["ﬁne", "fine"]],
    ["ΟΔΟΣ a.c abc", "οδος", ["ΟΔΟΣ"]],
    ["ΟΔΟΣ a.c abc", "a.c", ["a.c"]],
    ["aaa", "aa", ["aa"]],
  ])("in %s of %s is %s", (text, query, found) => {
    expect(marked(text, query)).toEqual(found);
  });
});

describe("a search", () => {
  const rows = () => [
    user("South please"),
    ai("One"),
    ai("Two"),
    ai("South it is"),
    tool("fetch", { args: { region: "South" } }),
    ai("End"),
  ];

  it("hides what does not match where it stands, and says how much", async () => {
    const all = rows();
    const { el } = await show({ snapshot: finished(all), query: "south" });
    expect(seen(el)).toEqual([all[0]?.id, all[3]?.id, all[4]?.id]);
    expect(gaps(el)).toEqual(["2 hidden", "1 hidden"]);
    expect(line(el)).toBe("3 of 6 entries. Hidden entries stay in place, so order is unchanged.");
    const order = [...el.querySelectorAll<HTMLElement>(".nst-row")].map((row) => row.dataset.id);
    expect(order).toEqual(all.map(({ id }) => id));
  });

  it("shows what was hidden when it is asked to, until another search", async () => {
    const { el, model } = await show({ snapshot: finished(rows()), query: "south" });
    button(el, "2 hidden").click();
    expect(seen(el)).toHaveLength(5);
    expect(gaps(el)).toEqual(["1 hidden"]);
    expect(document.activeElement?.textContent).toContain("One");
    model.set("query", "south ");
    expect(seen(el)).toHaveLength(2);
  });

  it("never hides what waits for the reader", async () => {
    const asked = record("interrupt", { status: "pending", namespace: ["a:1"], value: "Go on?" });
    const all = [ai("One"), ai("Two", { namespace: ["a:1"] }), asked, ai("South", { order: 99 })];
    const box = done("a", { status: "interrupted" });
    const { el, model } = await show({ snapshot: finished(all, [box]), query: "south" });
    expect(seen(el)).toEqual([asked.id, all[3]?.id]);
    expect([count(el), gaps(el)]).toEqual(["1 match", ["1 hidden", "1 hidden"]]);
    model.receive(patch(1, { add: [record("interrupt", { status: "pending" })] }));
    model.receive(patch(2, { set: [[asked.seq, { status: "answered" }]] }));
    await soon();
    expect(seen(el)).toEqual(["interrupt:6", all[3]?.id]);
  });

  it("shows a hidden row that the reader goes to by a key", async () => {
    const bad = tool("b", { status: "failed", namespace: ["a:1"] });
    const all = [ai("One", { namespace: ["a:1"] }), bad, ai("South", { order: 99 })];
    const { el } = await show({ snapshot: finished(all, [done("a")]), query: "south" });
    expect(seen(el)).toEqual([all[2]?.id]);
    const area = el.querySelector('[role="log"]');
    area?.dispatchEvent(new KeyboardEvent("keydown", { key: "n", bubbles: true }));
    await soon();
    expect(seen(el)).toEqual([bad.id, all[2]?.id]);
    expect(document.activeElement?.closest<HTMLElement>(".nst-row")?.dataset.id).toBe(bad.id);
  });

  it("hides the cards of artifacts that do not match", async () => {
    const made = ["South", "North"].map((title) => record("artifact", { title, kind: "text" }));
    const { el, model } = await show({ snapshot: finished(made), query: "south" });
    const cards = () =>
      [...el.querySelectorAll(".nst-art:not(.nst-hid)")].map((card) => card.getAttribute("aria-label"));
    expect(cards()).toEqual(["South"]);
    model.set("query", "");
    expect(cards()).toEqual(["South", "North"]);
  });

  it("gives everything back in the end", async () => {
    const { el, model } = await show({ snapshot: finished(rows()) });
    const before = el.querySelector(".nst-rootbody")?.outerHTML;
    model.set("query", "south");
    expect(gaps(el)).not.toEqual([]);
    model.set("query", "");
    expect(gaps(el)).toEqual([]);
    expect(el.querySelector(".nst-rootbody")?.outerHTML.replaceAll(' style=""', "")).toBe(before);
    expect(bar(el).hidden).toBe(true);
  });

  it("sets the trait once for each pause in typing", async () => {
    const { el, model } = await show({ snapshot: finished(rows()) });
    expect(bar(el).hidden).toBe(true);
    button(el, "Search run").click();
    expect(document.activeElement).toBe(field(el));
    for (const text of ["s", "so", "sou"]) type(el, text);
    expect(model.saved).toBe(0);
    await soon(250);
    expect([model.get("query"), model.saved, count(el)]).toEqual(["sou", 1, "3 matches"]);
  });

  it("goes to the next match and the one before, round and round", async () => {
    const all = rows();
    const { el } = await show({ snapshot: finished(all), query: "south" });
    for (const [key, shiftKey, wanted] of [
      ["Enter", false, "1 of 3"],
      ["F3", false, "2 of 3"],
      ["Enter", false, "3 of 3"],
      ["Enter", false, "1 of 3"],
      ["Enter", true, "3 of 3"],
      ["F3", true, "2 of 3"],
    ] as const) {
      press(el, key, { shiftKey });
      await soon(0);
      expect(count(el)).toBe(wanted);
    }
    expect(at(el)).toBe(all[3]?.id);
    button(el, "Next match").click();
    await soon(0);
    expect(at(el)).toBe(all[4]?.id);
  });

  it("searches at once for what was typed when Enter is pressed", async () => {
    const { el, model } = await show({ snapshot: finished(rows()) });
    button(el, "Search run").click();
    type(el, "two");
    press(el, "Enter");
    await soon(0);
    expect([model.get("query"), count(el), model.saved]).toEqual(["two", "1 of 1", 1]);
  });

  it("ends with Escape, and asks nothing of rows any more", async () => {
    const { el, model } = await show({
      snapshot: finished(rows()),
      query: "south",
      filters: { type: ["ai"] },
    });
    field(el).focus();
    press(el, "Escape");
    expect([model.get("query"), model.get("filters"), bar(el).hidden]).toEqual(["", {}, true]);
    expect(document.activeElement).toBe(button(el, "Search run"));
  });

  it("has chips for types and for what failed", async () => {
    const all = [user("Hi"), tool("a"), tool("b", { status: "failed" }), ai("Bye")];
    const { el, model } = await show({ snapshot: finished(all), query: "" });
    button(el, "Search run").click();
    button(bar(el), "Tools").click();
    expect(model.get("filters")).toEqual({ type: ["tool_call"] });
    expect(seen(el)).toEqual([all[1]?.id, all[2]?.id]);
    button(bar(el), "Failed").click();
    expect(seen(el)).toEqual([all[2]?.id]);
    expect(button(bar(el), "Failed").getAttribute("aria-pressed")).toBe("true");
    button(bar(el), "Tools").click();
    button(bar(el), "Messages").click();
    expect(model.get("filters")).toEqual({ status: ["failed"], type: ["user", "ai"] });
    expect(count(el)).toBe("No matches");
    button(bar(el), "Clear").click();
    expect(model.get("filters")).toEqual({});
    expect(bar(el).hidden).toBe(false);
  });

  it("names a time range without an end as one", async () => {
    const all = [ai("A", { ended_at: T0 + 1 }), ai("B", { started_at: T0 + 3, ended_at: T0 + 4 })];
    const { el } = await show({ snapshot: finished(all), time_range: [T0 + 2, 1e11] });
    expect(button(bar(el), "Remove time range 2.0 s – end")).toBeDefined();
    expect(seen(el)).toEqual([all[1]?.id]);
  });

  it("has a chip for each agent, a time range and filters of Python", async () => {
    const all = [ai("A", { speaker: "ann" }), ai("B", { speaker: "bob" }), tool("c", { speaker: "bob" })];
    const { el, model } = await show({
      snapshot: finished(all),
      time_range: [T0 + 0.5, T0 + 2],
      filters: { name: ["c"] },
    });
    expect(button(bar(el), "Remove time range 0.5 s – 2.0 s")).toBeDefined();
    button(bar(el), "Remove filter name: c").click();
    button(bar(el), "Remove time range 0.5 s – 2.0 s").click();
    expect([model.get("time_range"), model.get("filters")]).toEqual([null, {}]);
    button(bar(el), "Agent").click();
    const agents = bar(el).querySelector('[aria-label="Agents"]') as HTMLElement;
    expect([...agents.children].map((each) => each.textContent)).toEqual(["ann", "bob", "team"]);
    (agents.children[1] as HTMLElement).click();
    expect(model.get("filters")).toEqual({ speaker: ["bob"] });
    expect(seen(el)).toEqual([all[1]?.id, all[2]?.id]);
    expect(button(bar(el), "Agent: bob")).toBeDefined();
  });

  it.each([{ filters: [1, 2] }, { filters: null }, { query: 7 }, { time_range: "x" }])(
    "takes %j for nothing",
    async (traits) => {
      const { el } = await show({ snapshot: finished(rows()), ...traits });
      expect(bar(el).hidden).toBe(true);
    },
  );

  it("shows names from outside without what turns them round", async () => {
    const { el } = await show({ snapshot: finished(rows()), filters: { "na\u202eme": ["<b>x"] } });
    expect(button(bar(el), "Remove filter naU+202Eme: <b>x")).toBeDefined();
    expect(bar(el).querySelector("b")).toBeNull();
  });

  it("filters every display, and outlives a redraw", async () => {
    const { el, model, display } = await show({ snapshot: finished(rows()) });
    const other = display();
    await drawn();
    model.set("query", "south");
    expect(gaps(el)).toEqual(gaps(other.el));
    model.set("mode", "log");
    expect(seen(el)).toHaveLength(3);
    other.end.abort();
  });
});

describe("boxes", () => {
  const inside = (content: string) => ai(content, { namespace: ["a:1"], speaker: "a" });

  it("say what is inside while they are closed, and open on the way to it", async () => {
    const box = done("a");
    const all = [
      ai("before"),
      inside("word one"),
      inside("no"),
      inside("word two"),
      ai("word three", { order: 99 }),
    ];
    const { el } = await show({ snapshot: finished(all, [box]), collapse: "all", query: "word" });
    const article = el.querySelector("article") as HTMLElement;
    expect(article.querySelector(".nst-inside")?.textContent).toBe("2 matches inside, press → to open");
    press(el, "Enter");
    await soon();
    expect(article.querySelector('[aria-expanded="true"]')).not.toBeNull();
    expect(article.querySelector(".nst-inside")).toBeNull();
    expect([at(el), count(el)]).toEqual([all[1]?.id, "1 of 3"]);
    expect(gaps(article)).toEqual(["1 hidden"]);
  });

  it("count as hidden when nothing inside matches", async () => {
    const { el } = await show({
      snapshot: finished(
        [inside("no"), ai("nor this", { order: 99 }), ai("word", { order: 99 })],
        [done("a")],
      ),
      query: "word",
    });
    expect(gaps(el)).toEqual(["2 hidden"]);
    button(el, "2 hidden").click();
    expect(gaps(el)).toEqual(["1 hidden"]);
    expect(el.querySelector("article")?.classList.contains("nst-hid")).toBe(false);
  });

  it("count as the entries that they hide, also in boxes inside them and in their calls", async () => {
    const call = tool("ask_a", { id: "call" });
    const inner = namespace(["a:1", "b:1"], { status: "completed" });
    const rows = [call, inside("no"), inside("no"), ai("no", { namespace: ["a:1", "b:1"] })];
    const { el } = await show({
      snapshot: finished([...rows, ai("word", { order: 99 })], [done("a", { spawned_by: "call" }), inner]),
      query: "word",
    });
    expect([gaps(el), line(el)?.slice(0, 19)]).toEqual([["4 hidden"], "1 of 5 entries. Hid"]);
  });

  it("have one gap with what is hidden right below them", async () => {
    const all = [inside("word"), inside("no"), ai("nor this", { order: 98 }), ai("no", { order: 99 })];
    const { el } = await show({ snapshot: finished(all, [done("a")]), collapse: "none", query: "word" });
    expect(gaps(el)).toEqual(["3 hidden"]);
    button(el, "3 hidden").click();
    expect(seen(el)).toEqual(all.map(({ id }) => id));
  });

  it("that are closed keep their gaps to themselves", async () => {
    const all = [inside("word"), inside("no"), ai("nor this", { order: 98 })];
    const { el } = await show({ snapshot: finished(all, [done("a")]), collapse: "all", query: "word" });
    expect(gaps(el)).toEqual(["1 hidden", "1 hidden"]);
  });

  it("are found by the call that opened them", async () => {
    const call = tool("ask_a", { id: "call", args: { text: "word" } });
    const box = done("a", { spawned_by: "call" });
    const { el } = await show({ snapshot: finished([call, inside("no")], [box]), query: "word" });
    press(el, "Enter");
    await soon();
    expect([at(el), count(el)]).toEqual(["call", "1 of 1"]);
  });

  it("that ran in parallel stand in their group", async () => {
    const boxes = ["a", "b"].map((label) => done(label, { started_at: T0, ended_at: T0 + 9 }));
    const said = (key: string, text: string) => ai(text, { namespace: [`${key}:1`] });
    const { el } = await show({
      snapshot: finished([said("a", "no"), said("b", "word")], boxes),
      query: "word",
    });
    const group = el.querySelector(".nst-par") as HTMLElement;
    expect(group.classList.contains("nst-hid")).toBe(false);
    expect(gaps(group)).toEqual(["1 hidden"]);
    expect(el.querySelector('article[data-namespace="b:1"]')?.closest(".nst-hid")).toBeNull();
  });

  it("and folds open on the way to a call", async () => {
    const calls = Array.from({ length: 12 }, (_, n) => tool("draw", { args: { n: `call ${n}` } }));
    const { el } = await show({ snapshot: finished(calls), query: "call 11" });
    expect(el.querySelector(".nst-fold")?.textContent).toContain("1 match inside");
    press(el, "Enter");
    await soon();
    expect([at(el), count(el)]).toEqual([calls[11]?.id, "1 of 1"]);
    expect(seen(el)).toEqual([calls[11]?.id]);
    expect(gaps(el)).toEqual(["11 hidden"]);
  });
});

describe("the key for what failed", () => {
  it("goes by what stands on the screen, not by what came first, and round", async () => {
    const bad = (label: string) => tool(label, { id: label, status: "failed", namespace: [`${label}:1`] });
    const boxes = [done("low"), done("high")];
    const all = [bad("high"), bad("low"), ai("End", { order: 99 })];
    const { el } = await show({ snapshot: finished(all, boxes) });
    const area = el.querySelector<HTMLElement>('[role="log"]');
    area?.focus();
    const gone = [];
    for (const key of ["n", "n", "n", "N", "N"]) {
      document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      await soon(0);
      gone.push(document.activeElement?.closest<HTMLElement>(".nst-row")?.dataset.id);
    }
    expect(gone).toEqual(["low", "high", "low", "high", "low"]);
  });
});

describe("a run that goes on", () => {
  it("is filtered as it comes", async () => {
    const { el, model } = await show({ query: "word" });
    const said = ai("wor", { status: "streaming" });
    model.receive(patch(1, { add: [said, ai("no")] }));
    await soon(300);
    expect([seen(el), gaps(el)]).toEqual([[], ["2 hidden"]]);
    model.receive(patch(2, { append: [[said.seq, "d"]] }));
    await soon(300);
    expect([seen(el), gaps(el), count(el)]).toEqual([[said.id], ["1 hidden"], "1 match"]);
    model.receive(patch(3, { drop: { "": [said.seq] } }));
    await soon(300);
    expect(count(el)).toBe("No matches");
  });
});

describe("a long run", () => {
  const all = () => Array.from({ length: 10_000 }, (_, n) => ai(`row ${n}`));

  it("with all rows in the page finds the first of them", async () => {
    const rows = all();
    const { el, model } = await show({ snapshot: finished(rows), query: "row 99" });
    expect(count(el)).toBe("111 matches");
    expect(questions(model)).toEqual([]);
    press(el, "Enter");
    await vi.waitFor(() => expect(at(el)).toBe(rows[99]?.id), 15_000);
    expect(count(el)).toBe("1 of 111");
  });

  it("draws what is hidden behind a box that runs", async () => {
    const busy = namespace(["b:1"]);
    const rows = all().slice(0, 4000);
    const state = snapshot({ live_chat: rows }, [busy]);
    const { el } = await show({ snapshot: state, query: "row 99" });
    expect(el.querySelector('[data-namespace="b:1"]')).not.toBeNull();
    press(el, "Enter");
    await vi.waitFor(() => expect(at(el)).toBe(rows[99]?.id), 15_000);
  });

  const part = (rows: Record[]) =>
    snapshot({
      ...{ run: running({ status: "completed" }), chat_history: rows.slice(-500) },
      ...{ floor: rows.at(-500)?.seq ?? 0, earlier: { "": rows.length - 500 } },
    });

  /** Answers as the kernel does. */
  const serve = (model: FakeModel, rows: Record[], wanted: (row: Record) => boolean) => {
    const send = model.send.bind(model);
    model.send = (message) => {
      send(message);
      if (message.type === "ask") {
        const found = rows.filter(wanted).map(({ seq }) => seq);
        const told = { entries: rows.length, matches: found.length, found: [["", found.length, found]] };
        model.receive({ type: "answer", ask: message.ask, ...told });
      } else if (message.type === "rows") {
        const { namespace, before } = message;
        const older = rows.filter(({ seq }) => seq < (before as number));
        const records = older.slice(-(message.limit as number));
        const told = { namespace, before, records, earlier: older.length - records.length };
        setTimeout(() => model.receive({ type: "rows", epoch: "e1", n: 0, ...told }));
      }
    };
  };

  it("finds rows that only the kernel has, and fetches them", async () => {
    const rows = all().slice(0, 4000);
    const made = await show({ snapshot: part(rows) });
    const { el, model } = made;
    serve(model, rows, ({ content }) => content === "row 7" || content === "row 3999");
    model.set("query", "row 7");
    await soon(0);
    expect(questions(model).at(-1)).toMatchObject({
      question: "find",
      query: "row 7",
      filters: {},
      time_range: null,
    });
    expect(line(el)).toContain("of 4,000 entries");
    press(el, "Enter");
    await vi.waitFor(() => expect(at(el)).toBe(rows[7]?.id), 20_000);
    expect(count(el)).toMatch(/^1 of /);
  });

  it("without a kernel says that it knows a part", async () => {
    const rows = all().slice(0, 1000);
    const { el, model } = await show({ snapshot: part(rows), query: "row 99" });
    expect(questions(model)).toHaveLength(1);
    expect(line(el)).toBe(
      "10 of 500 entries that are in the page. Hidden entries stay in place, so order is unchanged.",
    );
  });
});
