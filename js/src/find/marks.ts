import { ended, rect } from "../dom.ts";
import { fold } from "./match.ts";

const MOST = 500;

/** Marks a text inside rows, without touching what is drawn there. */
export class Marks {
  #needle = "";
  #rows = new Map<Element, Range[]>();
  #now: Element | null = null;
  /** Only what is in sight has marks. */
  #seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries)
      if (isIntersecting) this.#mark(target);
      else this.#unmark(target);
  });
  #watched = new Set<Element>();

  constructor(signal: AbortSignal) {
    ended(signal, () => this.clear());
  }

  search(query: string) {
    this.clear();
    this.#needle = fold(query);
  }

  /** From now on these rows have marks. */
  watch(rows: Set<Element>) {
    if (!this.#needle) return;
    for (const el of this.#watched)
      if (!rows.has(el)) {
        this.#seen.unobserve(el);
        this.#unmark(el);
      }
    for (const el of rows) if (!this.#watched.has(el)) this.#seen.observe(el);
    this.#watched = rows;
  }

  /** A row was drawn again. */
  redraw(el: Element) {
    if (this.#rows.has(el)) this.#mark(el);
  }

  /** The row that the reader went to. */
  set now(el: Element | null) {
    const before = this.#now;
    this.#now = el;
    if (before) this.redraw(before);
    if (el && this.#needle) this.#mark(el);
  }

  /** Whether the text is to be seen in a row, or need not be. */
  isSeen(el: Element): boolean {
    return !this.#needle || this.#find(el).some(isSeen);
  }

  clear() {
    this.#seen.disconnect();
    for (const el of [...this.#rows.keys()]) this.#unmark(el);
    this.#watched = new Set();
    this.#now = null;
  }

  #mark(el: Element) {
    this.#unmark(el);
    const ranges = this.#find(el);
    this.#rows.set(el, ranges);
    const mine = highlight(el === this.#now ? "nst-found-now" : "nst-found");
    for (const range of ranges) mine?.add(range);
  }

  #unmark(el: Element) {
    for (const range of this.#rows.get(el) ?? [])
      for (const name of ["nst-found", "nst-found-now"]) highlight(name)?.delete(range);
    this.#rows.delete(el);
  }

  /** Where the text stands, also across elements. */
  #find(el: Element): Range[] {
    const walker = document.createTreeWalker(el, NodeFilter.SHOW_TEXT);
    const nodes: { node: Text; start: number }[] = [];
    let text = "";
    for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
      if (node.parentElement?.closest(".nst-gap")) continue;
      nodes.push({ node, start: text.length });
      text += node.data;
    }
    const ranges: Range[] = [];
    let at = 0;
    const point = (offset: number, end: boolean) => {
      while ((nodes[at + 1]?.start ?? Number.POSITIVE_INFINITY) < offset + (end ? 0 : 1)) at++;
      return nodes[at] as { node: Text; start: number };
    };
    for (const [start, end] of places(text, this.#needle)) {
      const range = document.createRange();
      const from = point(start, false);
      range.setStart(from.node, start - from.start);
      const to = point(end, true);
      range.setEnd(to.node, end - to.start);
      ranges.push(range);
    }
    return ranges;
  }
}

/** Where a folded text stands in another: its first character and the one behind its last. */
export function places(text: string, needle: string): [number, number][] {
  const folded = fold(text);
  const found: number[] = [];
  for (let at = 0; found.length < MOST; at += needle.length) {
    at = folded.indexOf(needle, at);
    if (at < 0) break;
    found.push(at);
  }
  if (folded.length === text.length) return found.map((at) => [at, at + needle.length]);
  // Some letters are folded to several: these stand for the one letter.
  const letters: [number, number][] = [];
  let end = 0;
  for (const letter of text) {
    const start = end;
    end += letter.length;
    for (let left = fold(letter).length; left > 0; left--) letters.push([start, end]);
  }
  return found.map((at) => [letters[at]?.[0] ?? 0, letters[at + needle.length - 1]?.[1] ?? end]);
}

/** Not hidden, and not behind the edge of what cuts its text off. */
function isSeen(range: Range): boolean {
  const el = range.startContainer.parentElement;
  if (!el || el.closest("[hidden]")) return false;
  const box = rect(el.closest(".nst-args, .nst-result, .nst-row") ?? el);
  const { right, bottom, width } = range.getBoundingClientRect();
  return width === 0 || (right <= box.right + 1 && bottom <= box.bottom + 1);
}

/** The page's own of all displays: each adds and deletes its ranges. */
function highlight(name: string): Highlight | undefined {
  if (typeof Highlight === "undefined" || !CSS.highlights) return undefined;
  let found = CSS.highlights.get(name);
  if (!found) CSS.highlights.set(name, (found = new Highlight()));
  return found;
}
