import { artifactCard } from "../artifacts/card.ts";
import { h, setText, show } from "../dom.ts";
import type { Feature } from "../explore.ts";
import type { Record } from "../protocol.ts";
import type { Changes } from "../store.ts";
import { label, many } from "../wording.ts";
import type { Row } from "./row.ts";
import type { Display } from "./run.ts";

/** The artifacts of the run: a line behind its last row, and cards once it is over. */
export class Shelf implements Feature {
  #count = h("b");
  #titles = h("span");
  #grid = h("div", "nst-grid");
  readonly el = h("div", { class: "nst-arts", role: "group", "aria-label": "Artifacts" });
  #cards = new Map<number, Row>();

  constructor(readonly display: Display) {
    this.el.append(h("div", "nst-artscap", this.#count, this.#titles), this.#grid);
    show(this.el, false);
  }

  built() {
    this.#cards.clear();
    this.#grid.replaceChildren();
    this.display.log.append(this.el);
    this.update([...this.display.store.records.values()]);
  }

  drawn(changes: Changes) {
    const { records } = this.display.store;
    this.update([...changes.records].flatMap((seq) => records.get(seq) ?? []));
  }

  update(records: Record[]) {
    for (const record of records) {
      if (record.type !== "artifact") continue;
      const card = this.#cards.get(record.seq);
      if (card) card.update(record);
      else this.#add(record);
    }
    for (const [seq, { el }] of this.#cards)
      if (!this.display.store.records.has(seq)) {
        el.remove();
        this.#cards.delete(seq);
      }
    const { size } = this.#cards;
    show(this.el, size > 0);
    // Cards that stand below the text that grows would push it away.
    show(this.#grid, this.display.store.run.status !== "running");
    const made = Math.max(size, this.display.store.tally.of("").artifacts);
    const titles = [...this.#cards.keys()].map(
      (seq) => this.display.store.records.get(seq)?.title || "Untitled",
    );
    if (made > size) titles.unshift("…");
    setText(this.#count, size ? `${many(made, "artifact")}: ` : "");
    setText(this.#titles, label(titles.join(", ")));
  }

  #add(record: Record) {
    const card = artifactCard(record, this.display);
    this.#cards.set(record.seq, card);
    const sorted = new Map([...this.#cards].sort(([a], [b]) => this.#place(a) - this.#place(b) || a - b));
    this.#cards = sorted;
    const seqs = [...sorted.keys()];
    const following = seqs[seqs.indexOf(record.seq) + 1];
    const before = following === undefined ? null : (sorted.get(following)?.el ?? null);
    this.#grid.insertBefore(card.el, before);
  }

  /** In the order of the calls that made them, not of their ends. */
  #place(seq: number): number {
    const { store } = this.display;
    return store.byId(store.records.get(seq)?.created_by ?? "")?.seq ?? seq;
  }
}
