import { arrange, type BoxItem, drawnIn, goesOn, goingOn, type Item, partsOf } from "../arrange.ts";
import type { Store } from "../store.ts";
import type { Place } from "../tree.ts";
import { AROUND, Earlier, WINDOW } from "./earlier.ts";
import { boxElement, Fold, Group, rowElement } from "./group.ts";
import { List } from "./list.ts";
import type { Stage } from "./stage.ts";
import { resultOf } from "./tool.ts";

/** As far back can a new child change how earlier ones are grouped. */
const BACK = 10;
/** With fewer rows an opened box asks for those that only the kernel has. */
const FEW = 20;

/**
 * Rows and boxes of one namespace. In a long run they are in the page while it is open only,
 * and no more of them than can be drawn in time: what goes on, the last ones, and what the
 * reader asked for.
 */
export class Body {
  /** What goes on before the first that is drawn of all others, or did until lately. */
  #ahead: Item[] = [];
  #front: List;
  #items: Item[] = [];
  #list: List;
  #earlier: Earlier;
  /** Around several of them. */
  #frames = new Map<string, Group | Fold>();
  #drawn = false;
  /** From this child on all are drawn; null: from the first. */
  #first: Place | null = null;

  constructor(
    readonly el: HTMLElement,
    readonly key: string,
    readonly stage: Stage,
  ) {
    this.#earlier = new Earlier(stage, key, (count) => this.#showMore(count));
    el.replaceChildren(this.#earlier.el);
    this.#front = new List(el, this.#earlier.el);
    this.#list = new List(el);
  }

  show(open: boolean) {
    const drawn = open || this.stage.isShort;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    if (drawn) {
      this.#startAt(this.stage.store.tree.count(this.key) - WINDOW);
      this.sync(0);
    } else this.clear();
  }

  clear() {
    this.#drawn = false;
    this.#forget([...this.#ahead.splice(0), ...this.#items.splice(0)]);
    this.#front.clear();
    this.#list.clear();
  }

  /** Arranges anew from a child on. */
  sync(from: number) {
    if (!this.#drawn) return;
    const { store, collapse } = this.stage;
    let kept = this.#items.length;
    while (kept > 0 && (this.#items[kept - 1] as Item).start >= from) kept--;
    kept = Math.max(0, kept - BACK);
    const first = this.#skipped;
    const start = kept === 0 ? first : (this.#items[kept] as Item).start;
    const fresh = arrange(store, this.key, start, collapse !== "none");
    const stale = this.#items.splice(kept, this.#items.length, ...fresh);
    if (from <= first) {
      stale.push(...this.#ahead);
      this.#ahead = goingOn(store, this.key, first, this.#ahead);
    }
    this.#forget(stale, from <= first ? [...this.#ahead, ...fresh] : fresh);
    // First where boxes may come from the front: that would take them out of the page.
    this.#list.set(kept, this.#elements(fresh));
    if (from <= first) this.#drawAhead();
    fresh.forEach((item, i) => {
      if (item.kind === "row")
        this.stage.rows.get(item.seq)?.el.classList.toggle("nst-told", this.#isTold(item, fresh[i + 1]));
    });
    this.update();
  }

  /** Says how much is not drawn. */
  update() {
    this.#earlier.update(this.#hidden);
  }

  /** Asks for rows when it is opened and has hardly any in the page. */
  ask() {
    if (this.#items.length < FEW) this.stage.comm.fetchEarlier(this.key);
  }

  /** Draws from a row or a box on that is in the store. */
  reach(wanted: number | string) {
    const { tree } = this.stage.store;
    const first = this.#skipped;
    for (let at = 0; at < first; at++) {
      const child = tree.child(this.key, at);
      if (!child || ("seq" in child ? child.seq : child.key) !== wanted) continue;
      this.#startAt(at - AROUND);
      return this.sync(0);
    }
  }

  /** Gives up what is older than `seq`; what goes on stays. */
  trim(seq: number) {
    const { store } = this.stage;
    const parts = partsOf(this.#items);
    let first: number | undefined;
    for (const item of parts) {
      if (item.kind === "box" && goesOn(store, item.key)) first ??= item.start;
      else if (newest(store, item) >= seq) {
        first ??= item.start;
        break;
      } else first = undefined;
    }
    if (!first || first === parts[0]?.start) return;
    const begin = first;
    const count = this.#items.findLastIndex(({ start }) => start <= begin);
    const ahead = this.#ahead;
    this.#startAt(begin);
    this.#ahead = goingOn(store, this.key, begin);
    this.#forget(ahead, [...this.#ahead, ...this.#items]);
    // Before the list would take them out of the page.
    this.#drawAhead();
    this.#list.drop(count, this.#items.length - count);
    this.sync(0);
  }

  /** Number of children before the first of those that are all drawn. */
  get #skipped(): number {
    return this.#first ? this.stage.store.tree.index(this.key, this.#first) : 0;
  }

  #startAt(index: number) {
    this.#first = index > 0 ? (this.stage.store.tree.place(this.key, index) ?? null) : null;
  }

  /** Of the children that were skipped, those that are not drawn: neither they nor their calls. */
  get #hidden(): number {
    const ahead = partsOf(this.#ahead) as BoxItem[];
    return ahead.reduce((rest, { call }) => rest - (call === null ? 1 : 2), this.#skipped);
  }

  #showMore(count: number) {
    const hidden = this.#hidden;
    this.#startAt(hidden ? this.#skipped - count : 0);
    this.sync(0);
    if (!hidden) this.stage.comm.fetchEarlier(this.key);
  }

  #drawAhead() {
    this.#front.set(0, this.#elements(this.#ahead));
  }

  /** Gives up what is drawn for `items`, but for what others are drawn with. */
  #forget(items: Item[], others: Item[] = []) {
    const { stage } = this;
    const ids = new Set(others.map(({ id }) => id));
    const kept = new Set(drawnIn(others));
    for (const handle of drawnIn(items)) {
      if (kept.has(handle)) continue;
      if (typeof handle === "number") stage.removeRow(handle);
      else stage.removeBox(handle);
    }
    for (const { id } of items) {
      if (ids.has(id)) continue;
      const frame = this.#frames.get(id);
      if (frame instanceof Group) frame.remove();
      this.#frames.delete(id);
    }
  }

  #elements(items: Item[]): Element[] {
    return items.map((item) => this.#element(item));
  }

  /** The card right behind a failed call says why. */
  #isTold(item: Item, next: Item | undefined): boolean {
    const { records } = this.stage.store;
    const call = item.kind === "row" ? records.get(item.seq) : undefined;
    const error = next?.kind === "row" ? records.get(next.seq) : undefined;
    if (call?.type !== "tool_call" || call.status !== "failed" || error?.type !== "error") return false;
    return resultOf(call).includes(error.message || error.content);
  }

  #element(item: Item): Element {
    const { stage } = this;
    if (item.kind === "row") return rowElement(item.seq, stage);
    if (item.kind === "box") return boxElement(item, stage);
    const isFold = item.kind === "fold";
    let frame = this.#frames.get(item.id);
    if (!frame) this.#frames.set(item.id, (frame = new (isFold ? Fold : Group)(stage)));
    const first = isFold ? stage.rows.get(item.seqs[0] as number) : stage.boxes.get(item.boxes[0]?.key ?? "");
    // A new one, where its first element stands, which can then move in without a gap.
    if (!frame.el.isConnected && first?.el.isConnected) first.el.before(frame.el);
    frame.set((isFold ? item.seqs : item.boxes) as never);
    return frame.el;
  }
}

/** The last `seq` in an item. */
function newest(store: Store, item: Item): number {
  const last = drawnIn([item]).at(-1) as number | string;
  return typeof last === "number" ? last : store.newest(last);
}
