import { isDrawn } from "../arrange.ts";
import { ended } from "../dom.ts";
import { inOrder } from "../order.ts";
import type { Changes } from "../store.ts";
import { keyOf } from "../tree.ts";
import type { Display } from "../views/run.ts";
import { isActive, Matcher, type Wanted } from "./match.ts";

/** Between two questions to the kernel while a run goes on. */
const ASKED_EVERY = 2000;

/** Which rows match: those of the page, and those that only the kernel has. */
export class Hits {
  /** `seq` -> namespace of every row that matches. */
  readonly known = new Map<number, string>();
  matcher: Matcher = new Matcher({ query: "", filters: {}, time_range: null });
  /** What the kernel counts, when it has rows that the page has not. */
  #told: { entries: number; matches: number } | null = null;
  #inside: Map<string, number> | null = null;
  #order: number[] | null = null;
  #texts = new Map<number, string>();
  #asking = false;
  #askAgain: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly display: Display,
    /** The kernel has told of more. */
    readonly renewed: () => void,
  ) {
    ended(display.signal, () => clearTimeout(this.#askAgain));
  }

  get active(): boolean {
    return isActive(this.matcher.wanted);
  }

  /** Whether the page alone knows too little. */
  get #isPart(): boolean {
    return this.display.store.earlier(null) > 0;
  }

  /** `anew`: the records are others than before. */
  search(wanted: Wanted, anew = false) {
    if (anew) this.#texts.clear();
    this.matcher = new Matcher(wanted, this.#texts);
    this.known.clear();
    this.#told = null;
    clearTimeout(this.#askAgain);
    this.#askAgain = undefined;
    if (this.active) for (const seq of this.display.store.records.keys()) this.#look(seq);
    this.#changed();
    void this.#ask();
  }

  changed(changes: Changes) {
    for (const seq of changes.records) this.#texts.delete(seq);
    for (const gone of changes.dropped) if (typeof gone === "number") this.known.delete(gone);
    if (!this.active) return;
    for (const seq of changes.records) this.#look(seq);
    this.#changed();
    if (this.#isPart && (changes.added.size || !this.#told)) void this.#ask();
  }

  matches(seq: number | undefined): boolean {
    return seq !== undefined && this.known.has(seq);
  }

  /** Matches in a box and in all boxes inside it. */
  inside(key: string): number {
    if (!this.#inside) {
      this.#inside = new Map();
      const own = new Map<string, number>();
      for (const at of this.known.values()) own.set(at, (own.get(at) ?? 0) + 1);
      const { namespaces } = this.display.store;
      for (const [at, count] of own)
        for (let box: string | null = at; box !== null; box = namespaces.get(box)?.parent ?? null)
          this.#inside.set(box, (this.#inside.get(box) ?? 0) + count);
    }
    return this.#inside.get(key) ?? 0;
  }

  get count(): number {
    return this.#isPart && this.#told ? Math.max(this.#told.matches, this.known.size) : this.known.size;
  }

  /** Number of all rows; `whole` is false when the kernel has more and does not say how many. */
  entries(): { count: number; whole: boolean } {
    if (this.#isPart && this.#told) return { count: this.#told.entries, whole: true };
    let count = 0;
    for (const record of this.display.store.records.values()) if (isDrawn(record)) count++;
    return { count, whole: !this.#isPart };
  }

  /** All matches as they stand one below the other. */
  get order(): number[] {
    this.#order ??= inOrder(this.display, this.known);
    return this.#order;
  }

  #look(seq: number) {
    const record = this.display.store.records.get(seq);
    if (!record) return;
    if (this.matcher.matches(record)) this.known.set(seq, keyOf(record.namespace));
    else this.known.delete(seq);
  }

  #changed() {
    this.#inside = this.#order = null;
  }

  /** Asks which rows match that are not in the page; once at a time, and not too often. */
  async #ask() {
    if (!this.active || !this.#isPart || this.#asking || this.#askAgain !== undefined) return;
    const { store, comm, signal } = this.display;
    const { matcher } = this;
    if (store.connection === "lost") return;
    this.#asking = true;
    const answer = await comm.ask({ question: "find", ...matcher.wanted });
    this.#asking = false;
    if (signal.aborted) return;
    if (matcher.wanted !== this.matcher.wanted) return void this.#ask();
    this.#askAgain = setTimeout(() => {
      this.#askAgain = undefined;
      if (store.run.status === "running") void this.#ask();
    }, ASKED_EVERY);
    if (!answer || !Array.isArray(answer.found)) return;
    this.#told = { entries: Number(answer.entries), matches: Number(answer.matches) };
    const listed = answer.found as [string, number, number[]][];
    const told = new Map(listed.flatMap(([key, , seqs]) => seqs.map((seq) => [seq, key] as const)));
    for (const seq of this.known.keys())
      if (!store.records.has(seq) && !told.has(seq)) this.known.delete(seq);
    for (const [seq, key] of told) if (!store.records.has(seq)) this.known.set(seq, key);
    this.#changed();
    this.renewed();
  }
}
