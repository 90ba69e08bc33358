import { type Content, ended, h, on } from "../dom.ts";
import { icon } from "../icons.ts";
import { bytes, number, revealed } from "../wording.ts";

/** A value of at most so many parts and characters is written out as it is. */
const PARTS = 60;
const CHARS = 2000;
/** Longer strings show their beginning. */
const HEAD = 300;
/** Children of one node: more are put into slices. */
const SLICE = 100;
/** Where there are so few at the top, those of them that hold as few are open. */
const FEW = 10;

type Entry = readonly [name: string | number, value: unknown];

/**
 * JSON as a person reads it: small values as they are written, large ones as nodes that are
 * filled when they are opened. Arrows open and close a node, as a click does.
 */
export function jsonTree(value: unknown, signal: AbortSignal): HTMLElement {
  const text = isSmall(value);
  const el = h("div", { class: "nst-tree", dir: "ltr" });
  if (text) {
    el.append(h("pre", null, ...written(value, "")));
    return el;
  }
  const fill = new WeakMap<Element, () => void>();
  const draw = (entries: Iterable<Entry>, count: number, isList: boolean) =>
    nodes(entries, count, isList, fill);
  if (isContainer(value)) el.append(...draw(entriesOf(value), sizeOf(value), Array.isArray(value)));
  else el.append(h("div", "nst-leaf", ...leaf(value)));
  if (isContainer(value) && sizeOf(value) <= FEW)
    [...entriesOf(value)].forEach(([, inner], i) => {
      const child = el.children[i] as HTMLDetailsElement;
      if (!isContainer(inner) || sizeOf(inner) > FEW || !fill.has(child)) return;
      fill.get(child)?.();
      fill.delete(child);
      child.open = true;
    });
  const opened = (event: Event) => {
    const node = event.target as HTMLDetailsElement;
    if (!node.open) return;
    fill.get(node)?.();
    fill.delete(node);
  };
  el.addEventListener("toggle", opened, { capture: true, signal });
  on(el, "keydown", signal, (event) => {
    const node = (event.target as Element).closest("summary")?.parentElement as HTMLDetailsElement | null;
    const open = { ArrowRight: true, ArrowLeft: false }[event.key];
    if (!node || open === undefined) return;
    event.preventDefault();
    if (node.open !== open) node.open = open;
    else if (!open)
      (node.parentElement?.closest("details")?.firstElementChild as HTMLElement | null)?.focus();
  });
  ended(signal, () => el.replaceChildren());
  return el;
}

function nodes(
  entries: Iterable<Entry>,
  count: number,
  isList: boolean,
  fill: WeakMap<Element, () => void>,
): HTMLElement[] {
  if (count > SLICE) return slices([...entries], fill, isList);
  return [...entries].map(([name, value]) => node(name, value, isList, fill));
}

/** `0 … 99`, `100 … 199`; of very many, slices of slices. */
function slices(entries: Entry[], fill: WeakMap<Element, () => void>, isList: boolean): HTMLElement[] {
  let step = SLICE;
  while (entries.length / step > SLICE) step *= SLICE;
  const made: HTMLElement[] = [];
  for (let at = 0; at < entries.length; at += step) {
    const part = entries.slice(at, at + step);
    const [first] = part[0] as Entry;
    const [last] = part.at(-1) as Entry;
    const title = h("span", "nst-mut", `${revealed(first)} … ${revealed(last)}`);
    made.push(branch([title], () => nodes(part, part.length, isList, fill), fill));
  }
  return made;
}

function node(
  name: string | number,
  value: unknown,
  isList: boolean,
  fill: WeakMap<Element, () => void>,
): HTMLElement {
  const key = h("span", isList ? "nst-mut" : "nst-jk", revealed(name));
  if (!isContainer(value) || sizeOf(value) === 0) return h("div", "nst-leaf", key, ": ", ...leaf(value));
  const inside = () => nodes(entriesOf(value), sizeOf(value), Array.isArray(value), fill);
  return branch([h("span", "nst-key", key, ":"), h("span", "nst-mut", gist(value))], inside, fill);
}

function branch(
  title: Content[],
  inside: () => HTMLElement[],
  fill: WeakMap<Element, () => void>,
): HTMLElement {
  const body = h("div", "nst-in");
  const el = h("details", "nst-branch", h("summary", null, icon("closed", "nst-chev"), ...title), body);
  fill.set(el, () => body.append(...inside()));
  return el;
}

/** A value without children; a long text shows its beginning, and the rest when asked. */
function leaf(value: unknown): Content[] {
  if (typeof value !== "string") return [scalar(value)];
  if (value.length <= HEAD) return [scalar(value)];
  const text = h("span", "nst-js", quoted(value.slice(0, HEAD)).slice(0, -1), "…");
  const more = h("button", "nst-chip", `Show all ${bytes(value.length)}`);
  more.addEventListener("click", () => {
    text.textContent = revealed(value);
    text.classList.add("nst-whole");
    text.tabIndex = -1;
    text.focus();
    more.remove();
  });
  return [text, " ", more];
}

function scalar(value: unknown): HTMLElement {
  if (typeof value === "string") return h("span", "nst-js", quoted(value));
  if (isContainer(value)) return h("span", null, Array.isArray(value) ? "[]" : "{}");
  return h("span", typeof value === "number" ? "nst-jn" : "nst-jb", String(value));
}

function quoted(text: string): string {
  return revealed(JSON.stringify(text));
}

/** How JSON is written, with two spaces. */
function written(value: unknown, indent: string): Content[] {
  if (!isContainer(value) || sizeOf(value) === 0) return [scalar(value)];
  const isList = Array.isArray(value);
  const parts: Content[] = [isList ? "[" : "{"];
  let first = true;
  for (const [name, inner] of entriesOf(value)) {
    parts.push(first ? "\n" : ",\n", `${indent}  `);
    if (!isList) parts.push(h("span", "nst-jk", quoted(String(name))), ": ");
    parts.push(...written(inner, `${indent}  `));
    first = false;
  }
  return [...parts, `\n${indent}`, isList ? "]" : "}"];
}

/** `12 items`, `region, x, y, …`. */
function gist(value: object): string {
  if (Array.isArray(value)) return `[${number(value.length)} ${value.length === 1 ? "item" : "items"}]`;
  const names = Object.keys(value);
  const shown = names.slice(0, 4).map((name) => revealed(name.slice(0, 30)));
  return `{${shown.join(", ")}${names.length > 4 ? `, … ${number(names.length)} in all` : ""}}`;
}

function isSmall(value: unknown): boolean {
  let parts = PARTS;
  let chars = CHARS;
  const fits = (inner: unknown): boolean => {
    if (--parts < 0) return false;
    if (typeof inner === "string") {
      chars -= inner.length;
      return inner.length <= HEAD && chars >= 0;
    }
    if (!isContainer(inner)) return true;
    if (sizeOf(inner) > parts) return false;
    return Object.values(inner).every(fits);
  };
  return fits(value);
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function sizeOf(value: object): number {
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function entriesOf(value: object): Iterable<Entry> {
  return Array.isArray(value) ? value.entries() : Object.entries(value);
}
