import { ended, focusedBeside, on } from "../dom.ts";
import { elementOf } from "../reveal.ts";
import type { Display } from "../views/run.ts";
import { handle, isSeen, neighbour } from "./items.ts";

/** What had the focus was hidden or drawn anew: the nearest that stands has it then, not the page. */
export class Refocus {
  #last: HTMLElement | null = null;

  constructor(readonly display: Display) {
    const { root, signal } = display;
    on(root, "focusin", signal, (event) => {
      this.#last = event.target as HTMLElement;
    });
    on(root, "focusout", signal, () =>
      queueMicrotask(() => {
        // The reader has left what is still there.
        if (!this.#isLost) this.#last = this.#active;
      }),
    );
    const hidden = new MutationObserver(() => this.update());
    hidden.observe(root, { subtree: true, attributeFilter: ["hidden", "class"] });
    ended(signal, () => hidden.disconnect());
  }

  update() {
    const active = this.#active;
    if (this.#isLost && (!active || active === document.body || active === this.#last))
      this.#nearest().focus({ preventScroll: true });
  }

  get #active(): HTMLElement | null {
    return focusedBeside(this.display.root);
  }

  get #isLost(): boolean {
    return this.#last !== null && !(this.#last.isConnected && isSeen(this.#last));
  }

  #nearest(): HTMLElement {
    const { area, log, stage, store } = this.display;
    const dataOf = (part: string) => this.#last?.closest<HTMLElement>(part)?.dataset ?? {};
    const row = elementOf(this.display, store.byId(dataOf("[data-id]").id ?? "")?.seq);
    const boxes = stage.path(dataOf("[data-namespace]").namespace ?? "");
    const drawn = [...boxes.map(({ key }) => stage.boxes.get(key)?.el), row];
    const at = drawn.findLast((el) => el?.isConnected);
    if (!at) return area;
    const item = at.matches(".nst-row") ? at : (at.querySelector<HTMLElement>(".nst-boxline") as HTMLElement);
    if (isSeen(item)) return handle(item);
    const gap = at.closest(".nst-hid")?.querySelector<HTMLElement>(":scope > .nst-gap");
    const near = gap ?? neighbour(log, item, -1);
    return near ? handle(near) : area;
  }
}
