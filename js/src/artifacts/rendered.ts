import { ended, h } from "../dom.ts";
import type { Feature } from "../explore.ts";
import type { Record } from "../protocol.ts";
import type { Display } from "../views/run.ts";
import { label } from "../wording.ts";
import { drawBundle } from "./mimebundle.ts";
import { scrolls } from "./scrolls.ts";

interface Drawn {
  mime: Record["mime"];
  slot: HTMLElement;
  end: AbortController;
}

/** What the user's renderers made of records stands in the place of their usual content. */
export class Rendered implements Feature {
  #drawn = new WeakMap<HTMLElement, Drawn>();

  constructor(readonly display: Display) {}

  built() {
    const { stage, store } = this.display;
    stage.dress = (row, record) => this.#dress(row, record);
    for (const [seq, row] of stage.rows) {
      const record = store.records.get(seq);
      if (record) this.#dress(row.el, record);
    }
    for (const box of stage.boxes.values()) box.updateCall();
  }

  drawn() {}

  #dress(row: HTMLElement, record: Record) {
    // The card of an artifact shows it.
    if (record.type === "artifact") return;
    const place = row.querySelector<HTMLElement>(":scope > .nst-call") ?? row;
    const before = this.#drawn.get(place);
    if (before?.mime === record.mime) return;
    before?.end.abort();
    before?.slot.remove();
    this.#drawn.delete(place);
    place.classList.remove("nst-dressed");
    if (!record.mime) return;
    const end = new AbortController();
    ended(this.display.stage.signal, () => end.abort());
    const named = label(record.name ?? record.speaker);
    const nodes = drawBundle(record.mime, named, this.display, end.signal);
    if (nodes.length === 0) return;
    const slot = h("div", { class: "nst-rendered", "data-part": "rendered" }, ...nodes);
    place.querySelector(":scope > [data-part=content]")?.after(slot);
    if (!slot.parentNode) place.append(slot);
    place.classList.add("nst-dressed");
    scrolls(slot, named, end.signal);
    this.#drawn.set(place, { mime: record.mime, slot, end });
  }
}
