import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Record } from "../src/protocol.ts";
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

const ids = (el: ParentNode) =>
  [...el.querySelectorAll("[data-id]")].map((row) => row.getAttribute("data-id"));
const box = (el: ParentNode, key: string) =>
  el.querySelector(`article[data-namespace="${key}"]`) as HTMLElement;
const row = (el: ParentNode, id: string) => el.querySelector(`[data-id="${id}"]`) as HTMLElement;
const expanded = (el: Element) => el.querySelector("button[aria-expanded]")?.getAttribute("aria-expanded");

describe("a run is drawn as nested boxes", () => {
  it("with the namespace, label and status of each, inside one another", () => {
    const outer = namespace(["team:1"]);
    const inner = namespace(["team:1", "stats:2"]);
    const said = ai("Deep **inside**", { namespace: inner.namespace });
    const { el } = show({ snapshot: snapshot({ live_chat: [said] }, [outer, inner]) });
    const root = el.querySelector("section.nestling") as HTMLElement;
    expect(root.getAttribute("role")).toBe("region");
    expect(root.getAttribute("data-namespace")).toBe("");
    expect(root.dataset).toMatchObject({ label: "team", status: "running" });
    expect(root.getAttribute("aria-label")).toBe("Agent run team, running");
    const nested = box(box(el, "team:1"), "team:1|stats:2");
    expect(nested.dataset).toMatchObject({ label: "stats", status: "running" });
    expect(nested.querySelector("h4 button")?.getAttribute("aria-expanded")).toBe("true");
    expect(row(nested, said.id).dataset).toMatchObject({
      type: "ai",
      status: "completed",
      namespace: "team:1|stats:2",
    });
    expect(row(nested, said.id).querySelector("[data-part=content]")?.textContent).toBe("Deep inside");
  });

  it("rows and boxes by (order, seq), however they arrive", async () => {
    const { model, el } = show();
    const late = ai("late", { order: 9, id: "late" });
    const b = namespace(["b:1"], { order: 5 });
    const early = ai("early", { order: 2, id: "early" });
    const a = namespace(["a:1"], { order: 3 });
    model.receive(patch(1, { namespaces: { "b:1": { ...b } }, add: [late] }));
    await drawn();
    model.receive(patch(2, { namespaces: { "a:1": { ...a } }, add: [early] }));
    await drawn();
    const order = [...el.querySelectorAll("[data-id], article")].map(
      (e) => e.getAttribute("data-id") ?? e.getAttribute("data-label"),
    );
    expect(order).toEqual(["early", "a", "b", "late"]);
  });

  it("a box stands right behind its call and its header takes over the call's row", async () => {
    const call = tool("ask_expert", { id: "call_1", status: "executing" });
    const after = ai("after");
    const called = namespace(["tools:1"], { label: "expert", spawned_by: "call_1" });
    const { model, el } = show({ snapshot: snapshot({ live_chat: [call, after] }) });
    expect(row(el, "call_1").classList).toContain("nst-tool");
    model.receive(patch(1, { namespaces: { "tools:1": { ...called } } }));
    await drawn();
    expect(el.querySelectorAll('[data-id="call_1"]')).toHaveLength(1);
    const head = row(box(el, "tools:1"), "call_1");
    expect(head.dataset).toMatchObject({ type: "tool_call", status: "executing" });
    expect(head.getAttribute("data-namespace")).toBe("");
    expect(ids(el)).toEqual(["call_1", after.id]);
    model.receive(patch(2, { set: [[call.seq, { status: "failed", error: "no answer" }]] }));
    await drawn();
    expect(head.dataset.status).toBe("failed");
    expect(head.textContent).toContain("no answer");
  });

  it("shows the result of its call as Markdown", () => {
    const call = tool("ask", { id: "c", content: "It is **done**." });
    const called = namespace(["t:1"], { spawned_by: "c", status: "completed" });
    const { el } = show({ snapshot: snapshot({ live_chat: [call] }, [called]) });
    const head = row(el, "c");
    expect(head.querySelector("[data-part=content]")?.textContent).toBe("It is **done**.");
    (head.querySelector('[aria-label="Call of ask"]') as HTMLElement).click();
    expect(head.querySelector("[data-part=content] strong")?.textContent).toBe("done");
  });

  it("a call that opened several boxes is taken over by the first", () => {
    const call = tool("fan_out", { id: "c" });
    const two = namespace(["t:1", "2"], { parent: "", label: "w 2", spawned_by: "c", order: 8 });
    const one = namespace(["t:1"], { label: "w", spawned_by: "c", order: 7 });
    const { el } = show({ snapshot: snapshot({ live_chat: [call, ai("end")] }, [two, one]) });
    expect([...el.querySelectorAll("article")].map((e) => e.dataset.label)).toEqual(["w", "w 2"]);
    expect(row(box(el, "t:1"), "c")).not.toBeNull();
    expect(row(box(el, "t:1|2"), "c")).toBeNull();
  });

  it("an AI message that only calls tools draws nothing, until it says something", async () => {
    const silent = ai("", { status: "streaming", id: "m" });
    const { model, el } = show({ snapshot: snapshot({ live_chat: [silent, tool("t")] }) });
    expect(row(el, "m")).toBeNull();
    model.receive(patch(1, { append: [[silent.seq, "Oh"]] }));
    await drawn();
    expect(ids(el)[0]).toBe("m");
    expect(row(el, "m").textContent).toContain("Oh");
  });

  it("siblings that overlap stand in a group that says how many", async () => {
    const a = namespace(["a:1"], { started_at: T0, order: 1 });
    const b = namespace(["b:1"], { started_at: T0 + 1, order: 2 });
    const c = namespace(["c:1"], { started_at: T0 + 9, ended_at: T0 + 10, order: 3, status: "completed" });
    const { model, el } = show({ snapshot: snapshot({}, [a, b]) });
    const group = () => el.querySelector("[role=group].nst-par") as HTMLElement;
    expect(group().getAttribute("aria-label")).toBe("2 agents in parallel");
    expect(group().querySelector(".nst-two")?.children).toHaveLength(2);
    const end = { status: "completed", ended_at: T0 + 5 };
    model.receive(patch(1, { namespaces: { "a:1": end, "b:1": end } }));
    model.receive(patch(2, { namespaces: { "c:1": { ...c } } }));
    await drawn();
    expect(group().getAttribute("aria-label")).toBe("2 agents ran in parallel");
    expect(group().contains(box(el, "c:1"))).toBe(false);
  });

  it("two stand side by side only if they are neighbours, and until one of them has closed", async () => {
    vi.useFakeTimers();
    const boxes = ["a:1", "b:1", "c:1"].map((key) => namespace([key], { started_at: T0 }));
    const { model, el } = show({ snapshot: snapshot({}, boxes) });
    const sides = () => [...el.querySelectorAll<HTMLElement>(".nst-side")].map((e) => e.dataset.label);
    const end = { status: "completed", ended_at: T0 + 5 };
    expect(sides()).toEqual([]);
    model.receive(patch(1, { namespaces: { "b:1": end } }));
    vi.advanceTimersByTime(2000);
    expect(sides()).toEqual([]);
    model.receive(patch(2, { namespaces: { "d:1": { ...namespace(["d:1"], { started_at: T0 }) } } }));
    model.receive(patch(3, { namespaces: { "a:1": end } }));
    vi.advanceTimersByTime(2000);
    expect(sides()).toEqual(["c", "d"]);
    model.receive(patch(4, { namespaces: { "c:1": end } }));
    vi.advanceTimersByTime(500);
    expect(sides()).toEqual(["c", "d"]);
    vi.advanceTimersByTime(1000);
    expect(sides()).toEqual([]);
  });

  it("many calls of one tool fold, and unfold on a click", () => {
    const calls = Array.from({ length: 12 }, () => tool("render_chart", { content: "ok" }));
    const { el } = show({ snapshot: snapshot({ live_chat: calls }) });
    const fold = el.querySelector(".nst-fold") as HTMLElement;
    expect(fold.textContent).toContain("render_chart×12");
    expect(ids(fold)).toHaveLength(12);
    fold.querySelector("button")?.click();
    expect((fold.querySelector(".nst-folded") as HTMLElement).hidden).toBe(false);
  });

  it("folding while they come in gives the same as afterwards", async () => {
    const calls = Array.from({ length: 12 }, () => tool("render_chart", { status: "executing" }));
    const { model, el } = show();
    let n = 0;
    for (const call of calls) {
      model.receive(patch(++n, { add: [call] }));
      await drawn();
      model.receive(patch(++n, { set: [[call.seq, { status: "completed", content: "ok" }]] }));
      await drawn();
    }
    expect(el.querySelector(".nst-fold .nst-args")?.textContent).toBe("×12");
    expect(ids(el)).toEqual(calls.map((c) => c.id));
  });
});

describe("the clock of a run that goes on after an interrupt", () => {
  it("goes on as well", () => {
    const run = running({ status: "completed", active_before: 61, ended_at: T0 + 4 });
    const { el } = stand({ snapshot: snapshot({ run }) });
    expect(el.querySelector("header")?.textContent).toContain("1:05");
  });
});

describe("collapse", () => {
  const done = () => namespace(["a:1"], { status: "completed", ended_at: T0 + 5 });
  const inside = (fields: Partial<Record> = {}) =>
    ai("First sentence. Second.", { namespace: ["a:1"], ...fields });

  it("auto: finished boxes are closed and say what they said", () => {
    const { el } = show({ snapshot: snapshot({ live_chat: [inside()] }, [done()]) });
    expect(expanded(box(el, "a:1"))).toBe("false");
    expect(box(el, "a:1").querySelector(".nst-sum")?.textContent).toBe("First sentence.");
  });

  it("auto: a box closes a second after its end", async () => {
    vi.useFakeTimers();
    const { model, el } = show({ snapshot: snapshot({ live_chat: [inside()] }, [namespace(["a:1"])]) });
    model.receive(patch(1, { namespaces: { "a:1": { status: "completed", ended_at: T0 + 9 } } }));
    vi.advanceTimersByTime(300);
    expect(expanded(box(el, "a:1"))).toBe("true");
    vi.advanceTimersByTime(1000);
    expect(expanded(box(el, "a:1"))).toBe("false");
  });

  it("auto: a box that the reader touched, or has the focus in, stays open", () => {
    vi.useFakeTimers();
    const { model, el } = show({
      snapshot: snapshot({ live_chat: [inside()] }, [namespace(["a:1"]), namespace(["b:1"])]),
    });
    const button = box(el, "a:1").querySelector("button") as HTMLButtonElement;
    button.click();
    button.click();
    box(el, "b:1").querySelector("button")?.focus();
    const end = { status: "completed", ended_at: T0 + 9 };
    model.receive(patch(1, { namespaces: { "a:1": end, "b:1": end } }));
    vi.advanceTimersByTime(5000);
    expect(expanded(box(el, "a:1"))).toBe("true");
    expect(expanded(box(el, "b:1"))).toBe("true");
  });

  it("auto: failed and waiting boxes and those around them are open", () => {
    const outer = namespace(["a:1"], { status: "completed" });
    const bad = namespace(["a:1", "b:2"], { status: "failed" });
    const other = namespace(["c:1"], { status: "completed", counts: { trouble: 1 } });
    const asks = record("interrupt", { namespace: ["c:1"], status: "pending", value: "May I?" });
    const { el } = show({ snapshot: snapshot({ live_chat: [asks] }, [outer, bad, other]) });
    expect(["a:1", "a:1|b:2", "c:1"].map((key) => expanded(box(el, key)))).toEqual(["true", "true", "true"]);
  });

  it("none: every box is open; all: every box is closed", () => {
    const state = () => snapshot({ live_chat: [inside()] }, [done(), namespace(["b:1"])]);
    const none = show({ collapse: "none", snapshot: state() });
    expect([...none.el.querySelectorAll("article")].map(expanded)).toEqual(["true", "true"]);
    const all = show({ collapse: "all", snapshot: state() });
    expect([...all.el.querySelectorAll("article")].map(expanded)).toEqual(["false", "false"]);
  });

  it("setting it means every box, also those that the reader opened or closed", () => {
    const { model, el } = show({
      snapshot: snapshot({ live_chat: [inside()] }, [done(), namespace(["b:1"])]),
    });
    for (const article of el.querySelectorAll("article")) article.querySelector("button")?.click();
    const all = () => [...el.querySelectorAll("article")].map(expanded);
    expect(all()).toEqual(["true", "false"]);
    model.set("collapse", "none");
    expect(all()).toEqual(["true", "true"]);
    model.set("collapse", "all");
    expect(all()).toEqual(["false", "false"]);
  });

  it("a cancelled box says why", () => {
    const bad = namespace(["a:1"], { status: "failed", label: "prices", started_at: T0, ended_at: T0 + 9 });
    const cut = namespace(["b:1"], { status: "cancelled", started_at: T0, ended_at: T0 + 9 });
    const later = namespace(["c:1"], { status: "cancelled", started_at: T0 + 60, ended_at: T0 + 61 });
    const { el } = show({ snapshot: snapshot({}, [bad, cut, later]) });
    expect(box(el, "b:1").textContent).toContain("Cancelled when prices failed.");
    expect(box(el, "c:1").textContent).toContain("Stopped.");
  });
});

describe("rows", () => {
  it("a call goes from calling to its result in one row", async () => {
    const call = tool("search", { args: undefined, args_text: "", status: "calling", id: "c" });
    const { model, el } = show({ snapshot: snapshot({ live_chat: [call] }) });
    model.receive(patch(1, { append: [[call.seq, '{"q": "chi', "args_text"]] }));
    await drawn();
    expect(row(el, "c").textContent).toMatch(/search.*q="chi.*calling…/);
    model.receive(patch(2, { set: [[call.seq, { args_text: null, args: { q: "chips" } }]] }));
    await drawn();
    expect(row(el, "c").textContent).toMatch(/q="chips".*queued/);
    model.receive(patch(3, { set: [[call.seq, { status: "executing", started_at: T0 + 49 }]] }));
    await drawn();
    expect(row(el, "c").textContent).toContain("executing");
    const end = { status: "completed", content: "11 stories\nmore", ended_at: T0 + 50.2 };
    model.receive(patch(4, { set: [[call.seq, end]] }));
    await drawn();
    expect(row(el, "c").textContent).toContain("1.2 s");
    expect(row(el, "c").querySelector("[data-part=content]")?.textContent).toBe("11 stories\nmore");
  });

  it("a call opens on a click to its arguments and its result, with the rest on demand", () => {
    const long = "x".repeat(1_200_000);
    const call = tool("read", { id: "c", args: { path: "a.txt" }, content: long });
    const { el } = show({ snapshot: snapshot({ live_chat: [call] }) });
    const made = row(el, "c");
    made.querySelector("button")?.click();
    expect(made.querySelector(".nst-json")?.textContent).toBe('{\n  "path": "a.txt"\n}');
    const content = made.querySelector("[data-part=content]") as HTMLElement;
    expect(content.textContent).toHaveLength(20_000);
    const more = [...made.querySelectorAll("button")].find((b) => b.textContent === "Show all 1.2 MB");
    more?.click();
    expect(content.textContent).toHaveLength(1_200_000);
  });

  it("an error shows its type, its innermost frame and the way to the others", () => {
    const traceback = `Traceback (most recent call last):
  File "/a/outer.py", line 3, in run
    step()
  File "/a/quotes.py", line 88, in fetch
    for venue in venues:

        get(url,
        ~~~^^^^^
TimeoutError: late
`;
    const error = record("error", {
      error_type: "TimeoutError",
      message: "late",
      content: "TimeoutError: late",
      traceback,
    });
    const { el } = show({ snapshot: snapshot({ live_chat: [error], run: running({ status: "failed" }) }) });
    const card = row(el, error.id);
    expect(card.querySelector("[data-part=content]")?.textContent).toBe("TimeoutError late");
    expect(card.textContent).toContain("quotes.py:88, in fetch");
    expect(card.querySelector("pre:not(.nst-frames)")?.textContent).toBe(
      [
        "quotes.py:88, in fetch",
        "      86   for venue in venues:",
        "      87   ",
        "  →   88       get(url,",
      ].join("\n"),
    );
    expect(card.querySelector("pre:not(.nst-frames) u")?.textContent).toBe("  →   88       get(url,");
    expect(card.textContent).toContain("1 more frame");
    expect(el.textContent).toContain("view.error is the exception");
  });

  it("what a model said inside a tool stands behind the call, before the next one", () => {
    const call = tool("think", { id: "c", order: 1 });
    const next = tool("look", { order: 1 });
    const said = ai("A thought", { order: 2, created_by: "c" });
    const { el } = show({ snapshot: snapshot({ live_chat: [call, next, said] }) });
    expect(ids(el)).toEqual([call.id, said.id, next.id]);
    expect(row(el, said.id).classList).toContain("nst-intool");
  });

  it("an answered interrupt says what was decided", () => {
    const actions = [
      { name: "refund", args: { order: "A", amount: 24.9 }, allowed: [] },
      { name: "mail", args: {}, allowed: [] },
    ];
    const edited = { type: "edit", edited_action: { name: "refund", args: { order: "A", amount: 19.9 } } };
    const decided = { actions, status: "answered" };
    const first = record("interrupt", {
      ...decided,
      answer: { decisions: [edited, { type: "reject", message: "no" }] },
    });
    const second = record("interrupt", { ...decided, actions: [actions[1]], answer: { type: "approve" } });
    const third = record("interrupt", { status: "answered", value: "Sure?", answer: "yes" });
    const { el } = show({ snapshot: snapshot({ live_chat: [first, second, third] }) });
    expect(row(el, first.id).textContent).toContain(
      "Approved with 1 edit: amount 24.9 → 19.9 · Rejected: no",
    );
    expect(row(el, second.id).textContent).toContain("Approved");
    expect(row(el, third.id).textContent).toContain("yes");
  });

  it("each pending interrupt says its place among those that wait", () => {
    const actions = [{ name: "refund", args: {}, allowed: [] }];
    const answered = record("interrupt", { actions, status: "answered", answer: {} });
    const [late, early] = [2, 1].map((order) =>
      record("interrupt", { actions, status: "pending", order: 10 + order }),
    ) as [Record, Record];
    const free = record("interrupt", { status: "pending", value: "Sure?" });
    const { el } = show({ snapshot: snapshot({ live_chat: [answered, late, early, free] }) });
    expect(row(el, early.id).textContent).toContain("view.pending[1].approve()");
    expect(row(el, late.id).textContent).toContain("view.pending[2].approve()");
    expect(row(el, free.id).textContent).toContain("view.resume(…)");
  });

  it("a failed call says nothing that the error card right behind it says", async () => {
    const other = tool("read", { status: "failed", content: "No such file", id: "other" });
    const bad = tool("fetch", { status: "failed", error: "TimeoutError('late')", id: "bad" });
    const { model, el } = show({ snapshot: snapshot({ live_chat: [other, bad] }) });
    const told = () => ["other", "bad"].filter((id) => row(el, id).classList.contains("nst-told"));
    expect(told()).toEqual([]);
    model.receive(patch(1, { add: [record("error", { message: "late", content: "TimeoutError: late" })] }));
    await drawn();
    expect(told()).toEqual(["bad"]);
  });

  it("a pending interrupt asks, and says how to answer from a cell", () => {
    const asks = record("interrupt", {
      status: "pending",
      actions: [{ name: "refund", args: { amount: 24.9 }, allowed: ["approve"] }],
    });
    const { el } = show({ snapshot: snapshot({ live_chat: [asks] }) });
    expect(row(el, asks.id).textContent).toMatch(
      /Approve refund\?.*amount24\.9.*view\.pending\[0\]\.approve\(\)/,
    );
  });

  it("artifacts stand where they came to be, and as cards behind the last row", async () => {
    const png = record("artifact", {
      title: "Suite",
      kind: "figure",
      mime: { "image/png": ["AAAA", "BBBB"] },
    });
    const md = record("artifact", { title: "Report", mime: { "text/markdown": "# Hi" } });
    const { el } = show({ snapshot: snapshot({ live_chat: [png, md, ai("end")] }) });
    await drawn();
    expect(ids(el).slice(0, 2)).toEqual([png.id, md.id]);
    expect(el.textContent).toContain("2 artifacts: Suite, Report");
    expect(el.querySelectorAll(".nst-art img")).toHaveLength(2);
    expect(el.querySelector(".nst-art h1")?.textContent).toBe("Hi");
  });

  it("steps, custom data and system lines are quiet", () => {
    const rows = [
      record("update", { speaker: "retrieve", content: "documents" }),
      record("update", { speaker: "check" }),
      record("custom", { data: { progress: 3 } }),
      record("system", { content: "Older entries are left out." }),
    ];
    const { el } = show({ snapshot: snapshot({ live_chat: rows }) });
    expect(rows.map((r) => row(el, r.id).textContent)).toEqual([
      "· retrieve: documents",
      "· check",
      '· {"progress":3}',
      "· Older entries are left out.",
    ]);
  });

  it("thinking is open while it goes on and closes a second later", () => {
    vi.useFakeTimers();
    const said = ai("", { status: "streaming", reasoning: "Hm", id: "m" });
    const { model, el } = show({ snapshot: snapshot({ live_chat: [said] }) });
    expect(row(el, "m").textContent).toContain("Thinking…");
    expect(expanded(row(el, "m"))).toBe("true");
    model.receive(patch(1, { append: [[said.seq, "So"]] }));
    vi.advanceTimersByTime(1500);
    expect(row(el, "m").textContent).toMatch(/Thought for \d+ s/);
    expect(expanded(row(el, "m"))).toBe("false");
  });
});

describe("the log", () => {
  const state = () => {
    restart();
    const inner = namespace(["a:1"], { label: "stats" });
    const one = ai("one");
    const call = tool("ask", { id: "call" });
    const called = namespace(["t:1"], { label: "expert", spawned_by: "call" });
    const rows = [one, call, ai("two", { namespace: ["a:1"], speaker: "stats" }), ai("three", { order: 1 })];
    return snapshot({ live_chat: rows }, [inner, called]);
  };

  it("has no boxes, every row in the order of appearance, each with its path", () => {
    const { el } = show({ mode: "log", snapshot: state() });
    expect(el.querySelector("article")).toBeNull();
    expect([...el.querySelectorAll<HTMLElement>("[data-id]")].map((e) => e.dataset.type)).toEqual([
      ...["ai", "tool_call", "ai", "ai"],
    ]);
    expect([...el.querySelectorAll(".nst-path")].map((e) => e.textContent)).toContain("stats");
  });

  it("can be switched to and back, and keeps growing", async () => {
    const { model, el } = show({ snapshot: state() });
    const before = el.querySelector(".nst-rootbody")?.cloneNode(true) as Element;
    model.set("mode", "log");
    model.receive(patch(1, { add: [ai("four", { id: "four" })] }));
    await drawn();
    expect(ids(el).at(-1)).toBe("four");
    model.set("mode", "nested");
    expect(ids(el)).toEqual([...ids(before), "four"]);
  });
});

describe("the header", () => {
  it("counts what is known and hides what is not", () => {
    const counts = { tools: 2, failed: 1 };
    const inner = namespace(["n:1"], { counts, usage: { total_tokens: 1234 } });
    const { el } = show({ snapshot: snapshot({}, [inner]) });
    const text = el.querySelector(".nst-stats")?.textContent;
    expect(text).toContain("1,234 tokens");
    expect(text).toContain("2 tools 1 failed");
    expect(text).toContain("1 agent");
    const plain = show();
    expect(plain.el.querySelectorAll(".nst-stats > span:not([hidden])")).toHaveLength(1);
  });

  it("counts what the kernel has dropped as well", () => {
    const root = namespace([], { counts: { tools: 3, tokens: 200, agents: 2 }, usage: { total_tokens: 10 } });
    const inner = namespace(["n:1"], { counts: { tools: 1 }, usage: { total_tokens: 5 } });
    const { el } = show({ snapshot: snapshot({}, [root, inner]) });
    const text = el.querySelector(".nst-stats")?.textContent;
    for (const said of ["215 tokens", "4 tools", "3 agents"]) expect(text).toContain(said);
  });

  it("offers Stop only while it runs, and says so when the kernel does not answer", () => {
    vi.useFakeTimers();
    const { model, el } = show();
    const stop = [...el.querySelectorAll("button")].find(
      (b) => b.textContent === "Stop",
    ) as HTMLButtonElement;
    stop.click();
    expect(model.sent.at(-1)).toEqual({ type: "stop" });
    vi.advanceTimersByTime(1600);
    expect(stop.disabled).toBe(true);
    expect(el.textContent).toContain("The kernel is busy. Use the notebook's interrupt button (■).");
    model.receive(patch(1, { run: running({ status: "cancelled" }) }));
    vi.advanceTimersByTime(300);
    expect(stop.hidden).toBe(true);
    expect(el.textContent).not.toContain("The kernel is busy. Use the notebook's interrupt button (■).x");
  });

  it("says that the kernel is gone: clocks stop, Stop goes, what is shown stays", () => {
    vi.useFakeTimers();
    const said = ai("Half an ans", { status: "streaming" });
    const { model, el } = show({ snapshot: snapshot({ live_chat: [said] }, [namespace(["n:1"])]) });
    const root = el.firstElementChild as HTMLElement;
    const stop = [...el.querySelectorAll("button")].find((b) => b.textContent === "Stop");
    expect(root.dataset.connection).toBe(undefined);
    model.comm_live = false;
    model.emit("comm_live_update");
    vi.advanceTimersByTime(300);
    expect(root.dataset.connection).toBe("lost");
    expect(root.getAttribute("aria-label")).toBe("Agent run team, kernel gone. showing saved history");
    expect(root.querySelector("[aria-live=polite]")?.textContent).toBe("Kernel gone. Showing saved history");
    const pill = el.querySelector(".nst-pill") as HTMLElement;
    expect(pill.textContent).toBe("Kernel gone. Showing saved history");
    expect(pill.querySelector(".nst-spin")).toBe(null);
    expect(stop?.hidden).toBe(true);
    expect(row(el, said.id).textContent).toContain("Half an ans");
    const clocks = () => [...el.querySelectorAll(".nst-num")].map((clock) => clock.textContent);
    const then = clocks();
    vi.advanceTimersByTime(10_000);
    expect(clocks()).toEqual(then);
    model.receive(patch(1, { append: [[said.seq, "wer"]] }));
    vi.advanceTimersByTime(2000);
    expect(root.dataset.connection).toBe(undefined);
    expect(pill.textContent).toBe("Running");
    expect(stop?.hidden).toBe(false);
    expect(clocks()).not.toEqual(then);
  });

  it("without a kernel nothing looks as if it went on", () => {
    vi.useFakeTimers();
    const thinks = ai("", { status: "streaming", reasoning: "Hm" });
    const works = tool("search", { status: "executing", namespace: ["n:1"] });
    const writes = tool("read", { status: "calling", args: undefined, args_text: "" });
    const boxes = [namespace(["n:1"]), namespace(["m:1"])];
    const { model, el } = show({ snapshot: snapshot({ live_chat: [thinks, works, writes] }, boxes) });
    const live = /Thinking|executing|calling|running|Working/;
    box(el, "m:1").querySelector("button")?.click();
    const log = el.querySelector(".nst-log") as HTMLElement;
    const icons = () => log.querySelectorAll("[data-icon=running], [data-icon=ring], .nst-spin").length;
    expect(log.textContent).toMatch(live);
    const before = log.textContent;
    const then = icons();
    model.comm_live = false;
    model.emit("comm_live_update");
    vi.advanceTimersByTime(300);
    expect(log.textContent).not.toMatch(live);
    expect(icons()).toBe(0);
    model.receive(patch(1, { run: running() }));
    vi.advanceTimersByTime(300);
    expect(icons()).toBe(then);
    expect(log.textContent?.replace(/[\d.:]+/g, "")).toBe(before?.replace(/[\d.:]+/g, ""));
  });

  it("says when part of the display failed, and when nothing has run", () => {
    const { el } = show({ snapshot: snapshot({ run: running({ problems: 1 }) }) });
    expect(el.textContent).toContain("1 display problem");
    const idle = show({ snapshot: null });
    expect(idle.el.textContent).toContain("Ready. Run it with view.invoke(…)");
  });

  it("has a menu with every action under its name", async () => {
    const { model, el } = show({ snapshot: snapshot({}, [namespace(["n:1"])]) });
    await drawn();
    const more = el.querySelector('button[aria-label="More actions"]') as HTMLButtonElement;
    more.click();
    const item = (name: string) =>
      [...el.querySelectorAll<HTMLElement>("[role^=menuitem]")].find((i) => i.textContent === name);
    item("Collapse all")?.click();
    expect(expanded(box(el, "n:1"))).toBe("false");
    item("Log view")?.click();
    expect(model.get("mode")).toBe("log");
    expect(model.saved).toBe(1);
    item("Dark")?.click();
    expect((el.firstElementChild as HTMLElement).dataset.theme).toBe("dark");
  });
});

describe("a display", () => {
  it("shows the same after a live run as from its last snapshot", async () => {
    const live = show();
    const { model } = live;
    const outer = namespace(["a:1"], { started_at: T0 });
    const inner = namespace(["a:1", "b:2"], { spawned_by: "call" });
    const first = user("Go");
    const call = tool("ask", {
      id: "call",
      namespace: ["a:1"],
      status: "calling",
      args: undefined,
      args_text: "",
    });
    const said = ai("", { namespace: ["a:1", "b:2"], status: "streaming" });
    const steps = [
      { add: [first] },
      { namespaces: { "a:1": { ...outer } }, add: [call] },
      { append: [[call.seq, '{"x": 1}', "args_text"]] as never },
      { set: [[call.seq, { args: { x: 1 }, args_text: null, status: "executing" }]] as never },
      { namespaces: { "a:1|b:2": { ...inner } }, add: [said] },
      ...["Here ", "**are**", " two:\n\n", "- a\n", "\n- b\n", "\n[x]: https://x.example"].map((t) => ({
        append: [[said.seq, t]] as never,
      })),
      { set: [[said.seq, { status: "completed", usage: { total_tokens: 7 } }]] as never },
      { namespaces: { "a:1|b:2": { status: "completed", ended_at: T0 + 20 } } },
      { set: [[call.seq, { status: "completed", content: "done", ended_at: T0 + 21 }]] as never },
      { namespaces: { "a:1": { status: "completed", ended_at: T0 + 22 }, "": { status: "completed" } } },
      { run: running({ status: "completed", ended_at: T0 + 23 }) },
    ];
    for (const [i, step] of steps.entries()) {
      model.receive(patch(i + 1, structuredClone(step) as never));
      await drawn();
    }
    const store = structuredClone({
      rows: [
        first,
        {
          ...call,
          args: { x: 1 },
          args_text: undefined,
          status: "completed",
          content: "done",
          ended_at: T0 + 21,
        },
      ],
    });
    const text = "Here **are** two:\n\n- a\n\n- b\n\n[x]: https://x.example";
    const after = show({
      snapshot: snapshot(
        {
          run: running({ status: "completed", ended_at: T0 + 23 }),
          chat_history: [
            ...store.rows,
            { ...said, content: text, status: "completed", usage: { total_tokens: 7 } },
          ],
        },
        [
          { ...outer, status: "completed", ended_at: T0 + 22 },
          { ...inner, status: "completed", ended_at: T0 + 20 },
        ],
      ),
    });
    for (const { model: m } of [live, after]) {
      m.set("collapse", "none");
    }
    const same = (el: HTMLElement) => {
      const copy = el.querySelector(".nst-log")?.cloneNode(true) as HTMLElement;
      for (const e of copy.querySelectorAll("[id], [aria-controls]")) {
        e.removeAttribute("id");
        e.removeAttribute("aria-controls");
      }
      return copy.innerHTML;
    };
    await drawn();
    expect(same(live.el)).toBe(same(after.el));
  });

  it("agrees with the others of its model; closing one leaves them", async () => {
    const { model, el, end, display } = show({ snapshot: snapshot({ live_chat: [ai("a", { id: "m" })] }) });
    const second = display();
    model.receive(patch(1, { append: [[1, "b"]] }));
    await drawn();
    expect(row(el, "m").textContent).toContain("ab");
    expect(row(second.el, "m").textContent).toContain("ab");
    end.abort();
    model.receive(patch(2, { append: [[1, "c"]] }));
    await drawn();
    expect(el.children).toHaveLength(0);
    expect(row(second.el, "m").textContent).toContain("abc");
    second.end.abort();
  });

  it("leaves no listener, no timer and no element behind", () => {
    vi.useFakeTimers();
    const { model, room, end, display, el } = show({
      static_key: "abc",
      snapshot: snapshot({}, [namespace(["n:1"])]),
    });
    const alone = model.listeners.length;
    const others = [display(), display(), display()];
    expect(document.head.querySelectorAll("style[data-nestling]")).toHaveLength(1);
    for (const other of others) other.end.abort();
    expect(model.listeners).toHaveLength(alone);
    end.abort();
    room.abort();
    expect(model.listeners).toHaveLength(0);
    expect(el.children).toHaveLength(0);
    expect(document.head.querySelectorAll("style[data-nestling]")).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps plain keys to itself and lets shortcuts with Ctrl, Cmd or Alt pass", () => {
    const { el } = show({ snapshot: snapshot({ live_chat: [tool("t")] }) });
    const heard: string[] = [];
    const hear = (event: KeyboardEvent) => heard.push(event.key);
    document.body.addEventListener("keydown", hear);
    for (const target of el.querySelectorAll("button, [tabindex]")) {
      for (const key of ["b", "d", "ArrowDown", "Enter"])
        target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      target.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", shiftKey: true, bubbles: true }));
    }
    expect(heard).toEqual([]);
    el.querySelector("button")?.dispatchEvent(
      new KeyboardEvent("keydown", { key: "s", ctrlKey: true, bubbles: true }),
    );
    expect(heard).toEqual(["s"]);
    document.body.removeEventListener("keydown", hear);
  });

  it("hides the static outputs of its run, by a harmless key only", () => {
    const { model } = show({ static_key: "k-1" });
    expect(document.head.textContent).toContain(".nestling-static-k-1");
    model.set("static_key", "k-1 k-2");
    expect(document.head.querySelectorAll("style[data-nestling]")).toHaveLength(2);
    model.set("static_key", "} body{display:none}");
    expect(document.head.textContent).not.toContain("nestling-static");
  });

  it("announces milestones, never tokens", async () => {
    const said = ai("", { status: "streaming" });
    const { model, el } = show({
      snapshot: snapshot({ live_chat: [said], run: running({ status: "idle" }) }),
    });
    const polite = el.querySelector("[aria-live=polite]") as HTMLElement;
    model.receive(patch(1, { run: running(), append: [[said.seq, "Token"]] }));
    await drawn();
    expect(polite.textContent).toBe("Run started");
    model.receive(
      patch(2, { run: running({ status: "failed" }), add: [record("error", { error_type: "KeyError" })] }),
    );
    await drawn();
    expect(el.querySelector("[aria-live=assertive]")?.textContent).toBe("Run failed: KeyError");
  });

  it("announces finished messages of the root, nested ones only if asked, three seconds apart", () => {
    vi.useFakeTimers();
    const { model, el } = show({ snapshot: snapshot({}, [namespace(["n:1"])]) });
    const polite = el.querySelector("[aria-live=polite]") as HTMLElement;
    const say = (n: number, content: string, fields = {}) => {
      model.receive(patch(n, { add: [ai(content, fields)] }));
      vi.advanceTimersByTime(300);
    };
    say(1, "One");
    expect(polite.textContent).toBe("team: One");
    say(2, "Hidden", { namespace: ["n:1"] });
    say(3, "Two");
    expect(polite.textContent).toBe("team: One");
    vi.advanceTimersByTime(3000);
    expect(polite.textContent).toBe("team: Two");
    vi.advanceTimersByTime(3000);
    model.set("announce", "all");
    say(4, "Nested", { namespace: ["n:1"], speaker: "n" });
    expect(polite.textContent).toBe("n: Nested");
  });

  it("asks for more of a long conversation on a click", () => {
    const rows = Array.from({ length: 2000 }, () => ai("x"));
    const { model, el } = show({ snapshot: snapshot({ live_chat: rows, floor: 1, earlier: { "": 1500 } }) });
    const button = [...el.querySelectorAll("button")].find((b) => b.textContent === "Show 1,500 earlier");
    button?.click();
    expect(model.sent.at(-1)).toMatchObject({ type: "rows", limit: 500 });
    expect(ids(el)).toHaveLength(2000);
  });

  it("draws one more row among 450 without touching the others", async () => {
    const rows = Array.from({ length: 450 }, (_, i) => tool(`t${i}`));
    const { model, el } = show({ snapshot: snapshot({ live_chat: rows }) });
    const changed: MutationRecord[] = [];
    const observer = new MutationObserver((list) => changed.push(...list));
    observer.observe(el.querySelector(".nst-rootbody") as Element, { childList: true, subtree: true });
    model.receive(patch(1, { add: [tool("new")] }));
    await drawn();
    observer.disconnect();
    const moved = changed.filter((m) => (m.target as Element).classList?.contains("nst-chunk"));
    expect(moved.length).toBeLessThan(3);
    expect(ids(el)).toHaveLength(451);
  });
});
