import { isDrawn } from "../arrange.ts";
import { AROUND, Earlier, WINDOW } from "./earlier.ts";
import { rowElement } from "./group.ts";
import { List } from "./list.ts";
import type { Stage } from "./stage.ts";

/** Every row of the run in the order of its appearance, without boxes. */
export class LogBody {
  #list: List;
  #earlier: Earlier;
  #seqs: number[] = [];
  /** Number of rows before the first that is drawn. */
  #skipped = 0;

  constructor(
    readonly el: HTMLElement,
    readonly stage: Stage,
  ) {
    this.#earlier = new Earlier(stage, null, (count) => this.#showMore(count));
    el.replaceChildren(this.#earlier.el);
    this.#list = new List(el);
    this.#draw(this.#drawn(0).slice(-WINDOW));
  }

  /** Rows before this `seq` are drawn on request only. */
  get first(): number {
    return this.#skipped ? (this.#seqs[0] ?? 0) : 0;
  }

  /** Shows what was added or became visible, the lowest `seq` first. */
  sync(fromSeq: number) {
    let from = this.#seqs.length;
    while (from > 0 && (this.#seqs[from - 1] as number) >= fromSeq) from--;
    this.#draw(this.#drawn(fromSeq), from);
  }

  update() {
    const { store } = this.stage;
    const floor = store.floorOf(null);
    const all = this.#drawn(0).length;
    this.#skipped = Math.max(0, all - this.#seqs.length);
    this.#earlier.update(this.#skipped, store.seqs.filter((seq) => seq < floor).length);
  }

  /** Draws from a row on that is in the store. */
  reach(seq: number) {
    if (seq >= (this.#seqs[0] ?? 0)) return;
    const all = this.#drawn(0);
    this.#draw(all.slice(Math.max(0, all.findIndex((each) => each >= seq) - AROUND)));
  }

  /** Gives up rows before `seq`. */
  trim(seq: number) {
    let count = 0;
    while ((this.#seqs[count] ?? seq) < seq) count++;
    for (const gone of this.#seqs.splice(0, count)) this.stage.removeRow(gone);
    this.#list.drop(count, this.#seqs.length);
    if (count) this.update();
  }

  remove(seqs: ReadonlySet<number | string>) {
    this.#draw(this.#seqs.filter((seq) => !seqs.has(seq)));
  }

  /** Every row from `seq` on that can be drawn. */
  #drawn(seq: number): number[] {
    const { store } = this.stage;
    const { seqs } = store;
    let from = seqs.length;
    while (from > 0 && (seqs[from - 1] as number) >= Math.max(seq, store.floorOf(null))) from--;
    return seqs.slice(from).filter((each) => {
      const record = store.records.get(each);
      return record !== undefined && isDrawn(record);
    });
  }

  #draw(seqs: number[], from = 0) {
    this.#seqs.splice(from, this.#seqs.length, ...seqs);
    this.#list.set(
      from,
      seqs.map((seq) => rowElement(seq, this.stage)),
    );
    if (from === 0) this.update();
  }

  #showMore(count: number) {
    this.update();
    if (!this.#skipped) return this.stage.comm.fetchEarlier(null);
    const all = this.#drawn(0);
    this.#draw(all.slice(Math.max(0, this.#skipped - count)));
  }
}
