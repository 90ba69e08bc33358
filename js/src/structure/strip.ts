import { ended, h, listen, setText, show } from "../dom.ts";
import type { Feature } from "../explore.ts";
import { type Icon, icon } from "../icons.ts";
import type { Display } from "../views/run.ts";
import { label } from "../wording.ts";
import { type Graph, HEIGHT, type Layout, layout, type Placed, shortName } from "./layout.ts";
import { type NodeState, statesOf } from "./lit.ts";

const NS = "http://www.w3.org/2000/svg";
/** So long until a kernel that was busy is asked again. */
const AGAIN = 3000;
/** Between two questions which nodes run. */
const EVERY = 500;

const LOOKS: { [state in NodeState]: [Icon, string, string] } = {
  running: ["running", "nst-run nst-pulse", "running"],
  interrupted: ["bars", "nst-wait", "waiting for you"],
  failed: ["cross", "nst-bad", "failed"],
  completed: ["check", "nst-ok", "completed"],
};

/** The graph itself above its run, with the nodes lit that run: `view.structure`. */
export class Structure implements Feature {
  readonly el = h("div", { class: "nst-structure", role: "group", "aria-label": "Structure" });
  #note = h("p", { class: "nst-mut", role: "status" });
  #room = h("div", {
    class: "nst-graph",
    tabindex: 0,
    role: "group",
    "aria-label": "Graph, scrolls sideways",
  });
  #graph: Graph | null = null;
  #picture: SVGSVGElement | null = null;
  #nodes = new Map<string, SVGGElement>();
  #names = new Map<string, string>();
  #asking = false;
  /** Nodes that run now, as the kernel says. */
  #running: string[] = [];
  #watching = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly display: Display) {
    this.el.append(this.#note, this.#room);
    show(this.#room, false);
    display.header.el.after(this.el);
    ended(display.signal, () => clearTimeout(this.#timer));
    listen(display.model, display.signal, [["change:structure", () => this.#show()]]);
    this.#show();
  }

  get shown(): boolean {
    return !this.el.hidden;
  }

  /** Shows or hides it, in all displays of the view. */
  toggle() {
    this.display.choose("structure", !this.shown);
  }

  #show() {
    show(this.el, this.display.model.get("structure") === true);
    clearTimeout(this.#timer);
    if (this.shown && !this.#graph) void this.#ask();
    this.#light();
  }

  built() {
    this.#light();
  }

  drawn() {
    this.#light();
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    if (!this.#note.textContent) setText(this.#note, "Asking for the graph…");
    const answer = await this.display.comm.ask({ question: "structure" });
    this.#asking = false;
    if (this.display.signal.aborted) return;
    const graph = answer && graphIn(answer);
    if (graph) {
      this.#graph = graph;
      this.#draw(graph);
      show(this.#note, false);
      this.#light();
    } else if (answer) setText(this.#note, label(answer.reason) || "There is no structure to show.");
    else {
      const lost = this.display.store.connection === "lost";
      setText(
        this.#note,
        lost
          ? "The kernel is gone: it alone knows the graph."
          : "The kernel is busy. The graph comes when it answers.",
      );
      if (!lost && this.shown) this.#timer = setTimeout(() => void this.#ask(), AGAIN);
    }
  }

  #draw(graph: Graph) {
    const made = layout({ ...graph, nodes: graph.nodes.map(named) });
    this.#picture = picture(made);
    for (const node of made.nodes) {
      const group = drawNode(node);
      this.#picture.append(group);
      this.#nodes.set(node.id, group);
      this.#names.set(node.id, shortName(node.name));
    }
    this.#room.replaceChildren(this.#picture);
    show(this.#room, true);
  }

  /** Asks which nodes run, as long as any can. */
  async #watch() {
    const { comm, signal, store } = this.display;
    if (this.#watching) return;
    this.#watching = true;
    while (this.shown && store.run.status === "running" && store.connection === "live" && !signal.aborted) {
      const told = await comm.ask({ question: "running" });
      this.#running = Array.isArray(told?.running) ? told.running.map(String) : [];
      this.#light();
      await new Promise((done) => setTimeout(done, EVERY));
    }
    this.#watching = false;
    this.#running = [];
  }

  #light() {
    if (!this.shown || !this.#graph || !this.#picture) return;
    void this.#watch();
    const states = statesOf(this.#graph, this.display.store, this.#running);
    const words: string[] = [];
    for (const [id, group] of this.#nodes) {
      const state = states.get(id);
      const name = this.#names.get(id) ?? "";
      words.push(state ? `${name} (${LOOKS[state][2]})` : name);
      if ((group.dataset.state ?? "") === (state ?? "")) continue;
      group.dataset.state = state ?? "";
      group.querySelector("svg")?.remove();
      if (!state) continue;
      const mark = icon(LOOKS[state][0], LOOKS[state][1]);
      for (const [side, value] of Object.entries({ x: 6, y: 6, width: 12, height: 12 }))
        mark.setAttribute(side, String(value));
      group.append(mark);
    }
    this.#picture.setAttribute("aria-label", `Graph of ${words.length} nodes: ${words.join(", ")}`);
  }
}

/** A graph in an answer; null for anything else. */
function graphIn(answer: { [name: string]: unknown }): Graph | null {
  const { nodes, edges } = answer as Partial<Graph>;
  return Array.isArray(nodes) && Array.isArray(edges) && nodes.length > 0 ? { nodes, edges } : null;
}

/** A node of a subgraph bears the name of that too. */
function named({ id, name }: Graph["nodes"][number]): Graph["nodes"][number] {
  const around = id.split(":").at(-2);
  const plain = label(name).replace(/^__(\w+?)__$/, "$1");
  return { id, name: around === undefined ? plain : `${label(around)} › ${plain}` };
}

function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: { [name: string]: string | number },
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

let ids = 0;

function picture({ width, height, lines }: Layout): SVGSVGElement {
  const arrow = `nst-arrow-${++ids}`;
  const element = svg("svg", {
    ...{ role: "img", width, height, viewBox: `0 0 ${width} ${height}`, direction: "ltr" },
  });
  const marker = svg("marker", {
    ...{ id: arrow, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
  });
  marker.append(svg("path", { d: "M0 0L8 4L0 8z", class: "nst-arrow" }));
  element.append(marker);
  for (const { path, conditional } of lines)
    element.append(
      svg("path", {
        d: path,
        class: conditional ? "nst-edge nst-conditional" : "nst-edge",
        "marker-end": `url(#${arrow})`,
      }),
    );
  return element;
}

function drawNode({ id, name, x, y, width }: Placed): SVGGElement {
  const group = svg("g", { class: "nst-node", "data-state": "", transform: `translate(${x} ${y})` });
  const full = svg("title", {});
  full.textContent = label(id.replaceAll(":", " › "));
  const text = svg("text", {
    x: width / 2,
    y: HEIGHT / 2,
    "text-anchor": "middle",
    "dominant-baseline": "central",
  });
  text.textContent = shortName(name);
  group.append(full, svg("rect", { width, height: HEIGHT, rx: 6 }), text);
  if (/^__(?:start|end)__$/.test(id.split(":").at(-1) ?? "")) group.classList.add("nst-terminal");
  return group;
}
