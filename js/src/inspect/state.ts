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
  /** How many of those from `at` on are in both. */
  same?: number;
}

const SAME = ", no change seen";

/** Key by key, what was and what is. */
export function statePage(diff: Diff | undefined): Page | null {
  if (!diff || !(diff.changes.length || diff.wrote.length)) return null;
  return {
    name: "State diff",
    of: [JSON.stringify(diff)],
    draw: (signal) => [
      stepLine(diff),
      ...diff.changes.map((change) => changed(change, signal)),
      ...unchanged(diff).map((key) => named(key, `written${SAME}`)),
    ],
    json: () => diff,
  };
}

function stepLine(diff: Diff): HTMLElement {
  const { step, wrote, changes } = diff;
  const line = h("div", "nst-step", step ? `Step ${step}` : "Input");
  const nodes = new Map<string, number>();
  for (const { node } of wrote) nodes.set(node, (nodes.get(node) ?? 0) + 1);
  if (nodes.size) line.append(" · written by ");
  [...nodes].forEach(([node, times], i) => {
    line.append(i ? ", " : "", h("code", null, label(node)), times > 1 ? ` ×${times}` : "");
  });
  if (!changes.length && !unchanged(diff).length) line.append(SAME);
  return line;
}

/** Keys that were written, in which nothing else than before was seen. */
function unchanged({ wrote, changes }: Diff): string[] {
  const keys = new Set(wrote.flatMap((each) => each.keys));
  for (const { key } of changes) keys.delete(key);
  return [...keys];
}

function named(key: string, word: string, ...sides: Content[]): HTMLElement {
  const name = h("code", null, label(key) || "value");
  return h("section", "nst-change", caption("", name, h("span", "nst-mut", word)), ...sides);
}

function changed(change: Change, signal: AbortSignal): HTMLElement {
  const { key, op, before, after, at = 0, gone = [], was = 0, is = 0, same = 0 } = change;
  const fresh = change.new ?? [];
  const sides: Content[] = [];
  let word: string = op;
  if (op === "items") {
    const less = was - at - same;
    const more = is - at - same;
    word = [more && `+${many(more, "item")}`, less && `−${many(less, "item")}`].filter(Boolean).join(", ");
    sides.push(...gone.map((item) => side("−", "removed", item, signal)));
    if (less > gone.length) sides.push(rest(less - gone.length));
    sides.push(...fresh.map((item) => side("+", "added", item, signal)));
    if (more > fresh.length) sides.push(rest(more - fresh.length));
  } else {
    if (op !== "added") sides.push(side("−", "before", before, signal));
    if (op !== "removed") sides.push(side("+", "after", after, signal));
  }
  return named(key, word, ...sides);
}

function side(mark: "+" | "−", word: string, value: unknown, signal: AbortSignal): HTMLElement {
  const sign = h("span", { class: "nst-sign", "aria-hidden": "true" }, mark);
  const tone = mark === "+" ? "nst-plus" : "nst-minus";
  return h("div", `nst-delta ${tone}`, sign, h("span", "nst-vh", `${word}: `), jsonTree(value, signal));
}

function rest(count: number): HTMLElement {
  return h("div", "nst-mut nst-rest", `and ${many(count, "item")} more`);
}
