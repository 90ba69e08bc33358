import { arrange, type BoxItem, type Item } from "../arrange.ts";
import type { Place } from "../tree.ts";
import { Earlier, WINDOW } from "./earlier.ts";
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
 * and no more of them than can be drawn in time: the last ones, and what the reader asked for.
 */
export class Body {
  #items: Item[] = [];
  #list: List;
  #earlier: Earlier;
  #groups = new Map<string, Group>();
  #folds = new Map<string, Fold>();
  #drawn = false;
  /** The first child that is drawn; null: the first of all. */
  #first: Place | null = null;

  constructor(
    readonly el: HTMLElement,
    readonly key: string,
    readonly stage: Stage,
  ) {
    this.#earlier = new Earlier(stage, key, (count) => this.#showMore(count));
    el.replaceChildren(this.#earlier.el);
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
    this.#forget(this.#items.splice(0));
    this.#list.clear();
  }

  /** Arranges anew from a child on. */
  sync(from: number) {
    if (!this.#drawn) return;
    const { store, collapse } = this.stage;
    let kept = this.#items.length;
    while (kept > 0 && (this.#items[kept - 1] as Item).start >= from) kept--;
    kept = Math.max(0, kept - BACK);
    const start = kept === 0 ? this.#skipped : (this.#items[kept] as Item).start;
    const fresh = arrange(store, this.key, start, collapse !== "none");
    this.#items.splice(kept, this.#items.length, ...fresh);
    this.#list.set(
      kept,
      fresh.map((item) => this.#element(item)),
    );
    fresh.forEach((item, i) => {
      if (item.kind === "row")
        this.stage.rows.get(item.seq)?.el.classList.toggle("nst-told", this.#isTold(item, fresh[i + 1]));
    });
    this.update();
  }

  /** Says how much is not drawn. */
  update() {
    this.#earlier.update(this.#skipped);
  }

  /** Asks for rows when it is opened and has hardly any in the page. */
  ask() {
    if (this.#items.length < FEW) this.stage.comm.fetchEarlier(this.key);
  }

  /** Gives up what ended before `seq`. */
  trim(seq: number) {
    let count = 0;
    while (count < this.#items.length && newest(this.stage, this.#items[count] as Item) < seq) count++;
    const next = this.#items[count];
    if (count === 0 || !next) return;
    this.#startAt(next.start);
    this.#list.drop(count);
    this.#forget(this.#items.splice(0, count));
    this.update();
  }

  get #skipped(): number {
    return this.#first ? this.stage.store.tree.index(this.key, this.#first) : 0;
  }

  #startAt(index: number) {
    this.#first = index > 0 ? (this.stage.store.tree.place(this.key, index) ?? null) : null;
  }

  #showMore(count: number) {
    const skipped = this.#skipped;
    this.#startAt(skipped - count);
    if (!skipped) return this.stage.comm.fetchEarlier(this.key);
    this.sync(0);
  }

  #forget(items: Item[]) {
    const { stage } = this;
    for (const item of items) {
      if (item.kind === "row") stage.rows.delete(item.seq);
      else if (item.kind === "fold") for (const seq of item.seqs) stage.rows.delete(seq);
      else for (const { key } of item.kind === "group" ? item.boxes : [item]) stage.removeBox(key);
      this.#groups.get(item.id)?.remove();
      this.#groups.delete(item.id);
      this.#folds.delete(item.id);
    }
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
    if (item.kind === "fold") {
      const fold = keep(this.#folds, item.id, () => new Fold(stage));
      stand(fold.el, stage.rows.get(item.seqs[0] as number)?.el);
      fold.set(item.seqs);
      return fold.el;
    }
    const group = keep(this.#groups, item.id, () => new Group(stage));
    stand(group.el, stage.boxes.get((item.boxes[0] as BoxItem).key)?.el);
    group.set(item.boxes);
    return group.el;
  }
}

/** The last `seq` in an item; none may be dropped while it goes on. */
function newest({ store }: Stage, item: Item): number {
  if (item.kind === "row") return item.seq;
  if (item.kind === "fold") return item.seqs.at(-1) as number;
  const boxes = item.kind === "group" ? item.boxes : [item];
  return Math.max(
    ...boxes.map(({ key }) => {
      const goesOn = store.namespaces.get(key)?.status === "running" || store.tally.of(key).trouble > 0;
      return goesOn ? Number.POSITIVE_INFINITY : store.newest(key);
    }),
  );
}

function keep<T>(map: Map<string, T>, id: string, make: () => T): T {
  let value = map.get(id);
  if (!value) map.set(id, (value = make()));
  return value;
}

/** Puts a new frame where its first element stands, which can then move in without a gap. */
function stand(frame: Element, first: Element | undefined) {
  if (!frame.isConnected && first?.isConnected) first.before(frame);
}
