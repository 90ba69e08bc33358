import { isDrawn } from "../arrange.ts";
import { ended } from "../dom.ts";
import { inOrder } from "../order.ts";
import type { Record } from "../protocol.ts";
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
  /** Entries in a box and in all boxes inside it, and those among them that wait for the reader. */
  #held: { drawn: Map<string, number>; waiting: Map<string, number> } | null = null;
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
    this.#inside ??= this.#sums(this.known.values());
    return this.#inside.get(key) ?? 0;
  }

  /** Entries that the page has of a box, also in boxes inside it. */
  held(key: string): number {
    return this.#all.drawn.get(key) ?? 0;
  }

  /** Whether something inside a box waits for the reader. */
  waitsIn(key: string): boolean {
    return this.#all.waiting.has(key);
  }

  /** A question to the reader, whatever is searched for, stays in sight. */
  waits(seq: number | undefined): boolean {
    const record = this.display.store.records.get(seq ?? -1);
    return record?.type === "interrupt" && record.status === "pending";
  }

  get #all() {
    if (!this.#held) {
      const drawn = [...this.display.store.records.values()].filter(isDrawn);
      const keys = (records: Record[]) => this.#sums(records.map(({ namespace }) => keyOf(namespace)));
      this.#held = { drawn: keys(drawn), waiting: keys(drawn.filter(({ seq }) => this.waits(seq))) };
    }
    return this.#held;
  }

  /** How often each namespace is named, or one inside it. */
  #sums(keys: Iterable<string>): Map<string, number> {
    const own = new Map<string, number>();
    for (const at of keys) own.set(at, (own.get(at) ?? 0) + 1);
    const sums = new Map<string, number>();
    const { namespaces } = this.display.store;
    for (const [at, count] of own)
      for (let box: string | null = at; box !== null; box = namespaces.get(box)?.parent ?? null)
        sums.set(box, (sums.get(box) ?? 0) + count);
    return sums;
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
    this.#inside = this.#held = this.#order = null;
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
