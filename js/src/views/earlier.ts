import { h, on, setText, show } from "../dom.ts";
import { number } from "../wording.ts";
import type { Stage } from "./stage.ts";

/** So many rows and boxes of a body are drawn at first, and left when there are too many. */
export const WINDOW = 2000;
/** So many more when the reader asks. */
const MORE = 500;
/** Rows before one that is looked for. */
export const AROUND = 20;

/** Stands above a body whose beginning is not drawn, and draws more of it. */
export class Earlier {
  readonly el = h("button", "nst-chip nst-earlier");

  constructor(
    readonly stage: Stage,
    /** Whose rows the kernel is asked for; null: those of all. */
    readonly key: string | null,
    more: (count: number) => void,
  ) {
    on(this.el, "click", stage.signal, () => {
      const first = this.el.nextElementSibling?.firstElementChild;
      if (first) stage.reader.pin(first);
      more(MORE);
    });
  }

  /**
   * `skipped`: rows and boxes that are in the page, but not drawn; `hidden`: those between
   * which there are others that only the kernel has.
   */
  update(skipped: number, hidden = 0) {
    const { store, live } = this.stage;
    const count = skipped + hidden + store.earlier(this.key);
    show(this.el, count > 0);
    this.el.disabled = !live && skipped === 0;
    setText(this.el, `Show ${number(count)} earlier`);
  }
}
