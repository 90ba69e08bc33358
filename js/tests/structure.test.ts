import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Store } from "../src/store.ts";
import { type Graph, layout } from "../src/structure/layout.ts";
import { statesOf } from "../src/structure/lit.ts";
import {
  drawn,
  namespace,
  patch,
  record,
  restart,
  running,
  type Stand,
  snapshot,
  stand,
  tool,
} from "./builders.ts";

function graph(...edges: [string, string, boolean?][]): Graph {
  const ids = [...new Set(edges.flatMap((edge) => edge.slice(0, 2) as string[]))];
  return {
    nodes: ids.map((id) => ({ id, name: id.split(":").at(-1) as string })),
    edges: edges.map(([source, target, conditional = false]) => ({ source, target, conditional })),
  };
}

const AGENT = graph(
  ["__start__", "model"],
  ["model", "tools", true],
  ["tools", "model"],
  ["model", "__end__", true],
);

describe("the layout of a graph", () => {
  const column = (made: ReturnType<typeof layout>) =>
    Object.fromEntries(made.nodes.map(({ id, x }) => [id, x]));

  it("ranks nodes by the longest way from the start", () => {
    const at = column(layout(graph(["a", "b"], ["b", "c"], ["a", "c"], ["c", "d"])));
    expect([at.a, at.b, at.c, at.d]).toEqual([at.a, at.b, at.c, at.d].sort((x, y) => Number(x) - Number(y)));
    expect(new Set(Object.values(at)).size).toBe(4);
  });

  it("opens a circle where it closes", () => {
    const made = layout(AGENT);
    expect(made.lines.filter((line) => line.back).map(({ source, target }) => [source, target])).toEqual([
      ["tools", "model"],
    ]);
    const at = column(made);
    expect(at.tools).toBe(at.__end__);
  });

  it("lets no nodes overlap, and stays inside its size", () => {
    const fan = graph(
      ...[..."bcdefgh"].flatMap((id): [string, string][] => [
        ["a", id],
        [id, "z"],
      ]),
      ["z", "a"],
      ["b", "b"],
    );
    const { nodes, width, height, lines } = layout(fan);
    for (const one of nodes)
      for (const other of nodes)
        if (one !== other) {
          const apart =
            one.x + one.width <= other.x || other.x + other.width <= one.x || Math.abs(one.y - other.y) >= 24;
          expect(apart).toBe(true);
        }
    expect(Math.max(...nodes.map((node) => node.x + node.width))).toBeLessThanOrEqual(width);
    expect(Math.max(...nodes.map((node) => node.y + 24))).toBeLessThanOrEqual(height);
    expect(lines.length).toBe(fan.edges.length);
    for (const { path } of lines) expect(path).not.toContain("NaN");
  });

  it("takes graphs of one node, without a start, and edges to nowhere", () => {
    expect(layout(graph(["a", "b"], ["b", "a"])).nodes.length).toBe(2);
    const alone = {
      nodes: [{ id: "a", name: "a" }],
      edges: [{ source: "a", target: "x", conditional: false }],
    };
    expect(layout(alone)).toMatchObject({ lines: [], nodes: [{ id: "a" }] });
    expect(layout({ nodes: [], edges: [] }).nodes).toEqual([]);
  });
});

describe("the strip", () => {
  beforeEach(restart);
  afterEach(() => document.body.replaceChildren());

  const choose = (el: HTMLElement, name: string) => {
    (el.querySelector("[aria-label='More actions']") as HTMLElement).click();
    const items = [...el.querySelectorAll<HTMLElement>("[role=menuitem]")];
    (items.find((item) => item.textContent === name) as HTMLElement).click();
  };
  const answer = ({ model }: Stand, fields: object) => {
    const asked = model.sent.find((command) => command.question === "structure");
    model.receive({ type: "answer", ask: asked?.ask, ...fields });
  };
  const strip = (el: HTMLElement) => el.querySelector(".nst-structure") as HTMLElement;

  it("is off, and asks for nothing, until it is shown", async () => {
    const made = stand();
    await drawn();
    await drawn();
    expect(strip(made.el).hidden).toBe(true);
    expect(made.model.sent.some((command) => command.type === "ask")).toBe(false);
    choose(made.el, "Show structure");
    expect(strip(made.el).hidden).toBe(false);
    choose(made.el, "Hide structure");
    expect(strip(made.el).hidden).toBe(true);
  });

  it("says in words and shapes which nodes run and which are done", async () => {
    const team = graph(
      ["__start__", "plan"],
      ["plan", "agent:model"],
      ["agent:model", "agent:tools", true],
      ["agent:tools", "agent:model"],
    );
    const call = tool("look", { namespace: ["agent:7f"], status: "executing" });
    const rows = [record("update", { speaker: "plan" }), call];
    const made = stand({ snapshot: snapshot({ live_chat: rows }, [namespace(["agent:7f"])]) });
    await drawn();
    await drawn();
    choose(made.el, "Show structure");
    answer(made, team);
    await drawn();
    const picture = () => strip(made.el).querySelector("svg[role=img]")?.getAttribute("aria-label");
    expect(picture()).toBe(
      "Graph of 4 nodes: start, plan (completed), agent › model, agent › tools (running)",
    );
    expect(strip(made.el).querySelectorAll("[data-icon=check]").length).toBe(1);
    made.model.receive(
      patch(1, {
        set: [[call.seq, { status: "completed" }]],
        namespaces: { "agent:7f": { status: "completed" } },
        run: running({ status: "completed" }),
      }),
    );
    await drawn();
    expect(picture()).toContain("tools (completed)");
  });

  it("lights a node that has nothing to show yet, as the kernel says", async () => {
    const made = stand();
    await drawn();
    await drawn();
    choose(made.el, "Show structure");
    answer(made, graph(["__start__", "fetch"], ["fetch", "write"]));
    await drawn();
    const asked = made.model.sent.find((command) => command.question === "running");
    made.model.receive({ type: "answer", ask: asked?.ask, running: ["fetch"] });
    await drawn();
    const picture = () => strip(made.el).querySelector("svg[role=img]")?.getAttribute("aria-label");
    expect(picture()).toBe("Graph of 3 nodes: start, fetch (running), write");
    made.model.receive(patch(1, { run: running({ status: "completed" }) }));
    await drawn();
    expect(picture()).toBe("Graph of 3 nodes: start, fetch, write");
  });

  it("marks no node failed for an error that its tool answered with, only for one raised", async () => {
    const store = new Store();
    store.reset(snapshot({ live_chat: [tool("look", { status: "failed" })] }));
    expect(statesOf(AGENT, store).get("tools")).toBe("completed");
    const raised = [tool("look", { status: "failed" }), record("error", { speaker: "graph" })];
    store.reset(snapshot({ epoch: "e2", live_chat: raised }));
    expect(statesOf(AGENT, store).get("tools")).toBe("failed");
  });

  it("says why when there is none", async () => {
    const made = stand();
    await drawn();
    await drawn();
    choose(made.el, "Show structure");
    answer(made, { reason: "This view has no graph." });
    await drawn();
    expect(strip(made.el).textContent).toBe("This view has no graph.");
  });
});
