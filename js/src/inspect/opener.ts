import { attribute, h, on } from "../dom.ts";
import { icon } from "../icons.ts";
import type { Display } from "../views/run.ts";
import { label } from "../wording.ts";
import { rowAt } from "./selection.ts";

/** In which a double click selects a word. */
const TEXT = "[data-part=content], pre, code, .nst-text";

/**
 * The Inspect button: one for all rows, in the row or box header that is pointed at or has the
 * focus. A double click beside the text does the same.
 */
export class Opener {
  #button = h("button", { class: "nst-inspect", title: "Inspect" }, icon("panel"));
  #row: HTMLElement | null = null;

  constructor(
    readonly display: Display,
    open: (id: string) => void,
    openBox: (key: string) => void,
  ) {
    const { log, signal } = display;
    const follow = (event: Event) => this.#move(event.target as Element);
    on(log, "pointerover", signal, follow);
    on(log, "focusin", signal, follow);
    on(log, "pointerleave", signal, () => {
      if (!this.#row?.matches(":focus-within")) this.#leave();
    });
    on(log, "dblclick", signal, (event) => {
      const target = event.target as Element;
      const id = target.closest(TEXT) ? null : rowAt(target);
      if (id !== null) open(id);
    });
    on(this.#button, "click", signal, (event) => {
      event.stopPropagation();
      const { id } = this.#row?.dataset ?? {};
      const key = this.#row?.closest<HTMLElement>("article")?.dataset.namespace;
      if (id !== undefined) open(id);
      else if (key !== undefined) openBox(key);
    });
  }

  #move(target: Element) {
    // Whoever has come to it by the keyboard does not lose it to the pointer.
    if (this.#button.contains(target) || this.#button.matches(":focus-visible")) return;
    const row = target.closest<HTMLElement>("[data-id], .nst-boxhead");
    if (row === this.#row && this.#button.isConnected) return;
    this.#leave();
    if (!row) return;
    this.#row = row;
    row.classList.add("nst-pointed");
    const { name, speaker } = this.display.store.byId(row.dataset.id ?? "") ?? {};
    const box = row.querySelector(".nst-n")?.textContent;
    attribute(this.#button, "aria-label", `Inspect ${label(name ?? box ?? speaker ?? "")}`.trim());
    // Behind the line of a row, so that the keyboard comes to it next.
    const line = row.querySelector(":scope > .nst-line, :scope > .nst-boxtop");
    if (line) line.after(this.#button);
    else row.append(this.#button);
  }

  #leave() {
    this.#row?.classList.remove("nst-pointed");
    this.#row = null;
    this.#button.remove();
  }
}
