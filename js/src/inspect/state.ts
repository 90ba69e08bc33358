import { type Content, h } from "../dom.ts";
import { label, many } from "../wording.ts";
import { caption, type Page } from "./pages.ts";
import { jsonTree } from "./tree.ts";

/** What a step changed in the state of its graph, as `differences.py` tells it. */
export interface Diff {
  step: number;
  at: number;
  wrote: { node: string; keys: string[] }[];
  changes: Change[];
}

interface Change {
  key: string;
  op: "added" | "removed" | "changed" | "items";
  before?: unknown;
  after?: unknown;
  /** Of a list: from where on it is another, its items then and now, and how many there were. */
  at?: number;
  gone?: unknown[];
  new?: unknown[];
  was?: number;
  is?: number;
}

/** Key by key, what was and what is. */
export function statePage(diff: Diff | undefined): Page | null {
  if (!diff?.changes.length) return null;
  return {
    name: "State diff",
    of: [JSON.stringify(diff)],
    draw: (signal) => [stepLine(diff), ...diff.changes.map((change) => changed(change, signal))],
    json: () => diff,
  };
}

function stepLine({ step, wrote }: Diff): HTMLElement {
  const line = h("div", "nst-step", step ? `Step ${step}` : "Input");
  const nodes = new Map<string, number>();
  for (const { node } of wrote) nodes.set(node, (nodes.get(node) ?? 0) + 1);
  if (nodes.size) line.append(" · written by ");
  [...nodes].forEach(([node, times], i) => {
    line.append(i ? ", " : "", h("code", null, label(node)), times > 1 ? ` ×${times}` : "");
  });
  return line;
}

function changed(change: Change, signal: AbortSignal): HTMLElement {
  const { key, op, before, after, at = 0, gone = [], was = 0, is = 0 } = change;
  const fresh = change.new ?? [];
  const name = h("code", null, label(key) || "value");
  const sides: Content[] = [];
  let word: string = op;
  if (op === "items") {
    const less = was - at;
    const more = is - at;
    word = [more && `+${many(more, "item")}`, less && `−${many(less, "item")}`].filter(Boolean).join(", ");
    sides.push(...gone.map((item) => side("−", "removed", item, signal)));
    if (less > gone.length) sides.push(rest(less - gone.length));
    sides.push(...fresh.map((item) => side("+", "added", item, signal)));
    if (more > fresh.length) sides.push(rest(more - fresh.length));
  } else {
    if (op !== "added") sides.push(side("−", "before", before, signal));
    if (op !== "removed") sides.push(side("+", "after", after, signal));
  }
  return h("section", "nst-change", caption("", name, h("span", "nst-mut", word)), ...sides);
}

function side(mark: "+" | "−", word: string, value: unknown, signal: AbortSignal): HTMLElement {
  const sign = h("span", { class: "nst-sign", "aria-hidden": "true" }, mark);
  const tone = mark === "+" ? "nst-plus" : "nst-minus";
  return h("div", `nst-delta ${tone}`, sign, h("span", "nst-vh", `${word}: `), jsonTree(value, signal));
}

function rest(count: number): HTMLElement {
  return h("div", "nst-mut nst-rest", `and ${many(count, "item")} more`);
}
