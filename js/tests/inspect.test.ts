import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dollars, lines } from "../src/inspect/metrics.ts";
import { jsonTree } from "../src/inspect/tree.ts";
import type { Fields } from "../src/protocol.ts";
import {
  ai,
  drawn,
  namespace,
  patch,
  restart,
  running,
  snapshot,
  stand,
  T0,
  tool,
  user,
} from "./builders.ts";

const over = () => running({ status: "completed", ended_at: T0 + 60 });
const signal = new AbortController().signal;

beforeEach(restart);
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

function shown(...rows: ReturnType<typeof tool>[]) {
  return stand({ snapshot: snapshot({ run: over(), chat_history: rows }) });
}

/** Lets the part that explores come, and answers what the page asks. */
async function explored(made: ReturnType<typeof stand>, answers: { [question: string]: Fields } = {}) {
  const send = made.model.send.bind(made.model);
  made.model.send = (content) => {
    send(content);
    const fields = content.type === "ask" ? answers[String(content.question)] : undefined;
    if (fields) queueMicrotask(() => made.model.receive({ ...fields, type: "answer", ask: content.ask }));
  };
  await drawn();
  return made;
}

const row = (el: Element, id: string) => el.querySelector<HTMLElement>(`[data-id="${id}"]`);
const inspector = (el: Element) => el.querySelector<HTMLElement>("[aria-label=Inspector]") as HTMLElement;
const tab = (el: Element, name: string) =>
  [...el.querySelectorAll<HTMLElement>("[role=tab]")].find((each) => each.textContent === name);
const panel = (el: Element) => el.querySelector("[role=tabpanel]")?.textContent ?? "";
const hover = (el: Element) => el.dispatchEvent(new Event("pointerover", { bubbles: true }));

describe("the selection", () => {
  it("is the row that was clicked, in every display of the view", async () => {
    const made = await explored(shown(tool("add", { id: "c1" }), tool("sub", { id: "c2" })));
    const other = made.display();
    await drawn();
    row(made.el, "c1")?.querySelector("button")?.click();
    expect(made.model.traits.selection).toBe("c1");
    for (const el of [made.el, other.el]) {
      expect(row(el, "c1")?.getAttribute("aria-current")).toBe("true");
      expect(inspector(el).hidden).toBe(true);
    }
    row(made.el, "c2")?.querySelector("button")?.click();
    expect(row(made.el, "c1")?.hasAttribute("aria-current")).toBe(false);
    expect(made.model.saved).toBe(2);
  });

  it("leaves alone who uses a control in a row", async () => {
    const made = await explored(shown(tool("add", { id: "c1", args: { a: 1 } })));
    row(made.el, "c1")?.querySelector<HTMLElement>("[aria-label='Copy arguments']")?.click();
    expect(made.model.traits.selection).toBeUndefined();
  });

  it("shows in the inspector what Python sets", async () => {
    const made = await explored(shown(tool("add", { id: "c1", args: { a: 1 } })));
    made.model.set("selection", "c1");
    expect(inspector(made.el).hidden).toBe(false);
    expect(panel(made.el)).toContain('"a": 1');
    made.model.set("selection", null);
    expect(inspector(made.el).hidden).toBe(true);
    expect(row(made.el, "c1")?.hasAttribute("aria-current")).toBe(false);
  });

  it("opens the boxes in which the record stands", async () => {
    const box = namespace(["a:1"], { status: "completed" });
    const made = stand({
      collapse: "all",
      snapshot: snapshot({ run: over(), chat_history: [tool("add", { id: "c1", namespace: ["a:1"] })] }, [
        box,
      ]),
    });
    await explored(made);
    made.model.set("selection", "c1");
    await drawn();
    const article = made.el.querySelector("article");
    expect(article?.querySelector("[aria-expanded]")?.getAttribute("aria-expanded")).toBe("true");
    expect(row(made.el, "c1")?.classList).toContain("nst-selected");
  });

  it("unfolds the calls among which it is", async () => {
    const calls = Array.from({ length: 12 }, (_, i) => tool("add", { id: `c${i}`, ended_at: T0 + 99 }));
    const made = await explored(shown(...calls));
    expect(made.el.querySelector<HTMLElement>(".nst-folded")?.hidden).toBe(true);
    made.model.set("selection", "c5");
    await drawn();
    expect(made.el.querySelector<HTMLElement>(".nst-folded")?.hidden).toBe(false);
  });

  it("stays where it is when everything is drawn anew", async () => {
    const made = await explored(shown(tool("add", { id: "c1" })));
    made.model.set("selection", "c1");
    made.model.set("mode", "log");
    expect(row(made.el, "c1")?.getAttribute("aria-current")).toBe("true");
  });

  it("fetches the row that only the kernel has", async () => {
    const old = ai("Long ago.", { id: "old" });
    const made = stand({
      snapshot: snapshot({ run: over(), chat_history: [ai("Now.")], floor: 2, earlier: { "": 1 } }),
    });
    await explored(made, { inspect: { record: old } });
    const send = made.model.send.bind(made.model);
    made.model.send = (content) => {
      send(content);
      if (content.type === "rows")
        queueMicrotask(() =>
          made.model.receive({
            type: "rows",
            epoch: "e1",
            n: 0,
            namespace: content.namespace,
            before: content.before,
            records: [old],
            earlier: 0,
          }),
        );
    };
    made.model.set("selection", "old");
    await vi.waitFor(() => expect(row(made.el, "old")?.classList).toContain("nst-selected"), 3000);
  });
});

describe("the inspector", () => {
  it("opens by the button of the row that is pointed at", async () => {
    const made = await explored(shown(tool("add", { id: "c1", args: { a: 1 }, content: "3" })));
    hover(row(made.el, "c1") as Element);
    const button = made.el.querySelector<HTMLElement>("[aria-label='Inspect add']");
    button?.click();
    expect(inspector(made.el).hidden).toBe(false);
    expect([...made.el.querySelectorAll("[role=tab]")].map((each) => each.textContent)).toEqual([
      "Call",
      "Result",
      "Raw",
    ]);
    expect(document.activeElement).toBe(tab(made.el, "Call"));
  });

  it("has one such button, however many rows were pointed at", async () => {
    const made = await explored(shown(tool("add", { id: "c1" }), user("Hello", { id: "u" })));
    hover(row(made.el, "c1") as Element);
    hover(row(made.el, "u") as Element);
    expect(made.el.querySelectorAll(".nst-inspect")).toHaveLength(1);
    expect(row(made.el, "u")?.querySelector(".nst-inspect")).not.toBeNull();
  });

  it("gives the focus back when Escape closes it", async () => {
    const made = await explored(shown(tool("add", { id: "c1" })));
    const line = row(made.el, "c1")?.querySelector("button") as HTMLElement;
    line.focus();
    const button = made.el.querySelector<HTMLElement>(".nst-inspect");
    button?.focus();
    button?.click();
    inspector(made.el).dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(inspector(made.el).hidden).toBe(true);
    expect(row(made.el, "c1")?.contains(document.activeElement)).toBe(true);
  });

  it("moves between its tabs by arrows", async () => {
    const made = await explored(shown(tool("add", { id: "c1", content: "three" })));
    made.model.set("selection", "c1");
    const key = (name: string) =>
      made.el
        .querySelector("[aria-selected=true]")
        ?.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
    key("ArrowRight");
    expect(panel(made.el)).toContain("three");
    key("End");
    expect(panel(made.el)).toContain('"tool_call"');
    key("ArrowRight");
    expect(made.el.querySelector("[aria-selected=true]")?.textContent).toBe("Call");
  });

  it("shows what the kernel adds: the state's changes, the events", async () => {
    const diff = {
      step: 2,
      at: T0,
      wrote: [{ node: "tools", keys: ["rows"] }],
      changes: [
        { key: "rows", op: "items", at: 1, was: 1, is: 3, new: ["x", "y"] },
        { key: "topic", op: "changed", before: "sun", after: "wind" },
      ],
    };
    const events = [{ type: "tasks", ns: [], at: T0 + 3, data: { name: "tools", result: {} } }];
    const made = await explored(shown(tool("add", { id: "c1" })), { inspect: { diff, events } });
    made.model.set("selection", "c1");
    await drawn();
    tab(made.el, "State diff")?.click();
    for (const text of ["Step 2", "tools", "rows", "+2 items", '"sun"', '"wind"'])
      expect(panel(made.el)).toContain(text);
    tab(made.el, "Raw")?.click();
    expect(panel(made.el)).toContain("1 event");
    expect(panel(made.el)).toContain("end of tools");
  });

  it("counts what went from a list apart from what stayed, and names what was written in vain", async () => {
    const diff = {
      step: 2,
      at: T0,
      wrote: [{ node: "trim", keys: ["messages", "topic"] }],
      changes: [{ key: "messages", op: "items", at: 0, was: 4, is: 3, same: 3, gone: ["one"] }],
    };
    const made = await explored(shown(tool("add", { id: "c1" })), { inspect: { diff } });
    made.model.set("selection", "c1");
    await drawn();
    tab(made.el, "State diff")?.click();
    expect(panel(made.el)).toContain("messages−1 item");
    expect(panel(made.el)).not.toContain("more");
    expect(panel(made.el)).toContain("topicwritten, no change seen");
  });

  it("says of a step that wrote nothing that nothing changed", async () => {
    const diff = { step: 3, at: T0, wrote: [{ node: "look", keys: [] }], changes: [] };
    const made = await explored(shown(tool("add", { id: "c1" })), { inspect: { diff } });
    made.model.set("selection", "c1");
    await drawn();
    tab(made.el, "State diff")?.click();
    expect(panel(made.el)).toContain("Step 3 · written by look, no change seen");
  });

  it("follows a record that goes on", async () => {
    const made = stand({ snapshot: snapshot({ live_chat: [ai("One", { id: "m", status: "streaming" })] }) });
    await explored(made);
    made.model.set("selection", "m");
    made.model.receive(patch(1, { append: [[1, " two"]] }));
    await vi.waitFor(() => expect(panel(made.el)).toContain("One two"), 2000);
  });

  it("shows a box that no call opened, without touching the selection", async () => {
    const box = namespace(["a:1"], { status: "completed", ended_at: T0 + 9, usage: { input_tokens: 7 } });
    const made = await explored(stand({ snapshot: snapshot({ run: over() }, [box]) }));
    hover(made.el.querySelector("article .nst-boxline") as Element);
    made.el.querySelector<HTMLElement>("[aria-label='Inspect a']")?.click();
    expect(tab(made.el, "Usage")).toBeDefined();
    expect(panel(made.el)).toContain("Tokens in7");
    expect(made.model.traits.selection).toBeUndefined();
  });

  it("shows what the kernel adds each time it opens", async () => {
    const events = [{ type: "tasks", ns: [], at: T0 + 3, data: {} }];
    const made = await explored(shown(tool("add", { id: "c1" })), { inspect: { events } });
    for (const id of ["c1", null, "c1"]) {
      made.model.set("selection", id);
      await drawn();
    }
    tab(made.el, "Raw")?.click();
    expect(panel(made.el)).toContain("1 event");
  });

  it("writes no minus where an event came with its record", async () => {
    const c1 = tool("add", { id: "c1" });
    const events = [{ type: "tasks", ns: [], at: c1.started_at - 0.004, data: {} }];
    const made = await explored(shown(c1), { inspect: { events } });
    made.model.set("selection", "c1");
    await drawn();
    tab(made.el, "Raw")?.click();
    expect(panel(made.el)).toContain("+0.00 s");
  });

  it("says that the kernel does not keep what is selected, and nothing of what was before", async () => {
    const c1 = tool("add", { id: "c1", ended_at: T0 + 9 });
    const made = await explored(shown(c1), { inspect: {} });
    made.model.set("selection", "c1");
    made.model.set("selection", "who");
    expect(panel(made.el)).toBe("");
    await drawn();
    expect(panel(made.el)).toBe("This entry is no longer kept.");
    expect(inspector(made.el).querySelector(".nst-insphead")?.textContent).toBe("who");
    expect(inspector(made.el).dataset.status).toBeUndefined();
  });

  it("says that nobody answers when nobody does", async () => {
    const made = await explored(shown(tool("add", { id: "c1" })));
    made.model.emit("comm:close");
    made.model.set("selection", "who");
    await drawn();
    expect(panel(made.el)).toContain("the kernel does not answer");
  });
});

describe("a JSON tree", () => {
  const open = (el: Element) => {
    for (const node of el.querySelectorAll("details:not([open])")) {
      (node as HTMLDetailsElement).open = true;
      node.dispatchEvent(new Event("toggle"));
    }
  };

  it("writes small values as JSON", () => {
    const value = { a: "x", b: [1, true, null], c: {} };
    expect(jsonTree(value, signal).textContent).toBe(JSON.stringify(value, null, 2).replace("{}", "{}"));
  });

  it("fills a node when it is opened", () => {
    const el = jsonTree({ rows: Array.from({ length: 100 }, (_, i) => i) }, signal);
    expect(el.querySelectorAll("*").length).toBeLessThan(20);
    expect(el.textContent).toContain("[100 items]");
    open(el);
    expect(el.querySelectorAll(".nst-leaf")).toHaveLength(100);
  });

  it("opens what is short at the top of what is long", () => {
    const el = jsonTree({ where: { region: "South" }, text: "x".repeat(900) }, signal);
    expect(el.querySelector("details[open]")?.textContent).toContain('region: "South"');
  });

  it("puts a million items into slices of slices", () => {
    const el = jsonTree(
      Array.from({ length: 1_000_000 }, (_, i) => i),
      signal,
    );
    expect(el.querySelectorAll("details")).toHaveLength(100);
    expect(el.textContent).toContain("10000 … 19999");
    const [first] = el.querySelectorAll("details");
    open(first?.parentElement?.parentElement ?? el);
    expect(first?.querySelectorAll("details")).toHaveLength(100);
  });

  it("cuts long texts, and shows all of them when asked", () => {
    const text = "word ".repeat(240_000);
    const el = jsonTree({ text }, signal);
    expect(el.textContent?.length).toBeLessThan(400);
    const more = el.querySelector("button");
    expect(more?.textContent).toBe("Show all 1.2 MB");
    more?.click();
    expect(el.textContent).toContain(text);
  });

  it("shows characters that turn the reading direction", () => {
    expect(jsonTree({ "\u202ea": "\u202eb" }, signal).textContent).toContain("U+202E");
  });

  it("shows them in a result as well", async () => {
    const made = await explored(shown(tool("cat", { id: "c1", content: "a\u202eb" })));
    made.model.set("selection", "c1");
    tab(made.el, "Result")?.click();
    expect(panel(made.el)).toContain("aU+202Eb");
  });

  it("makes no element of what it shows", () => {
    const el = jsonTree({ "<img src=x>": "<script>alert(1)</script>" }, signal);
    expect(el.querySelector("img, script")).toBeNull();
  });
});

describe("usage", () => {
  const usage = {
    input_tokens: 100,
    output_tokens: 50,
    total_tokens: 150,
    tools: 2,
    wall_seconds: 3,
    cost: 0.0032,
  };
  const told = (fields: Fields = {}) => ({ usage: { ...usage, ...fields }, namespaces: { "": usage } });

  it("stands in the header: an estimate is marked, a cost only where there are prices", async () => {
    const made = await explored(shown(user("Hi")), { usage: told({ estimated: true }) });
    await vi.waitFor(() => expect(made.el.querySelector(".nst-stats")?.textContent).toContain("≈150 tokens"));
    expect(made.el.querySelector(".nst-stats")?.textContent).toContain("$0.0032");
    const without = await explored(shown(user("Hi")), { usage: told({ cost: undefined }) });
    await drawn();
    expect(without.el.querySelector(".nst-stats")?.textContent).not.toContain("$");
    expect(without.el.querySelector(".nst-stats")?.textContent).not.toContain("≈");
  });

  it("is a table by agent, without columns of which nothing is known", async () => {
    const made = await explored(shown(user("Hi")), { usage: told() });
    const item = [...made.el.querySelectorAll<HTMLElement>("[role=menuitem]")];
    made.el.querySelector<HTMLElement>("[aria-label='More actions']")?.click();
    item.find((each) => each.textContent === "Usage by agent")?.click();
    await drawn();
    const heads = [...made.el.querySelectorAll(".nst-usage thead th")].map((each) => each.textContent);
    expect(heads).toEqual(["Agent", "Tokens in", "Tokens out", "Tools", "Wall", "Cost"]);
    expect(made.el.querySelector(".nst-usage tfoot")?.textContent).toContain("In all100502");
  });

  it("is asked for once a second at most while a run goes on", async () => {
    const made = stand({ snapshot: snapshot({ live_chat: [user("Hi")] }) });
    await explored(made, { usage: told() });
    made.el.querySelector<HTMLElement>("[aria-label='More actions']")?.click();
    [...made.el.querySelectorAll<HTMLElement>("[role=menuitem]")]
      .find((each) => each.textContent === "Usage by agent")
      ?.click();
    for (let n = 1; n < 20; n++) {
      made.model.receive(patch(n, { run: running() }));
      await drawn();
    }
    expect(made.model.sent.filter((message) => message.question === "usage")).toHaveLength(1);
  });

  it("says nothing of what is not known", () => {
    expect(lines({})).toEqual([]);
    expect(lines({ input_tokens: 0, tools: 0 })).toEqual([]);
    expect(lines({ input_tokens: 1200, estimated: true })).toEqual([["Tokens in", "≈1,200"]]);
  });

  it("writes costs with the figures that say something", () => {
    expect([0, 1.2, 0.04, 0.00421, 12].map(dollars)).toEqual([
      "$0.00",
      "$1.20",
      "$0.040",
      "$0.0042",
      "$12.00",
    ]);
  });
});
