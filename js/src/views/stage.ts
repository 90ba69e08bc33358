import type { Comm } from "../comm.ts";
import { ended } from "../dom.ts";
import type { Namespace, Record } from "../protocol.ts";
import type { Store } from "../store.ts";
import { keyOf } from "../tree.ts";
import type { Box } from "./box.ts";
import { WINDOW } from "./earlier.ts";
import type { Row } from "./row.ts";

/** What the reader opened and closed by hand; belongs to one display, outlives a redraw. */
export interface Reader {
  boxes: Map<string, boolean>;
  rows: Set<string>;
  /** Keeps an element in its place while more is drawn above it. */
  pin(element: Element): void;
  /** Following the end, so that changes above move nothing that is read. */
  following(): boolean;
  /** Lies (partly) above the end of what is seen. */
  isAbove(element: Element): boolean;
}

const HUES = 7;

/** One drawing: what all rows and boxes of a view share until everything is drawn anew. */
export class Stage {
  rows = new Map<number, Row>();
  boxes = new Map<string, Box>();
  /** What waits until the reader follows again, because it would move what is read. */
  waiting = new Set<() => void>();
  /** Draws in a row what a renderer made of its record, once that can be drawn. */
  dress: ((row: HTMLElement, record: Record) => void) | null = null;
  /** Spinners out of sight stand still: each one that moves costs something in every frame. */
  readonly seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) target.classList.toggle("nst-away", !isIntersecting);
  });
  /** Draws a namespace from a row or a box on, if it is open. */
  reach: (key: string, at: number | string) => void = () => {};
  #ticks = new Map<object, () => void>();
  #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(
    readonly store: Store,
    readonly comm: Comm,
    readonly mode: "nested" | "log",
    readonly collapse: "auto" | "all" | "none",
    readonly reader: Reader,
    readonly hues: Map<string, number>,
    readonly signal: AbortSignal,
  ) {
    const interval = setInterval(() => this.tick(), 1000);
    ended(signal, () => {
      clearInterval(interval);
      this.seen.disconnect();
      for (const timer of this.#timers) clearTimeout(timer);
    });
  }

  /** Whether what is not over goes on. */
  get live(): boolean {
    return this.store.connection === "live";
  }

  /** Runs once a second while `draw` is given: clocks of what is running. */
  ticking(owner: object, draw: (() => void) | null) {
    if (draw) this.#ticks.set(owner, draw);
    else this.#ticks.delete(owner);
  }

  tick() {
    for (const draw of this.#ticks.values()) draw();
  }

  /** So short that everything may be in the page, also what is closed. */
  get isShort(): boolean {
    return this.store.records.size + this.store.earlier(null) <= WINDOW;
  }

  removeRow(seq: number) {
    this.#ticks.delete(this.rows.get(seq) as Row);
    this.rows.delete(seq);
  }

  removeBox(key: string) {
    const box = this.boxes.get(key);
    if (!box) return;
    this.boxes.delete(key);
    this.ticking(box, null);
    this.seen.unobserve(box.el);
    box.body.clear();
  }

  settle() {
    for (const act of [...this.waiting]) act();
  }

  later(ms: number, act: () => void) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  /** The colour of an agent: one per label, in the order of their first appearance. */
  hue(label: string): string {
    let index = this.hues.get(label);
    if (index === undefined) {
      index = (this.hues.size % HUES) + 1;
      this.hues.set(label, index);
    }
    return `var(--nst-a${index})`;
  }

  hueOf(record: Record): string {
    const namespace = this.namespaceOf(record);
    return namespace?.parent != null ? this.hue(namespace.label) : "var(--nst-a0)";
  }

  namespaceOf(record: Record): Namespace | undefined {
    return this.store.namespaces.get(keyOf(record.namespace));
  }

  /** Labels from the outermost box to this one, the root left out. */
  path(key: string): Namespace[] {
    const path: Namespace[] = [];
    for (
      let at = this.store.namespaces.get(key);
      at && at.parent !== null;
      at = this.store.namespaces.get(at.parent)
    )
      path.unshift(at);
    return path;
  }
}
