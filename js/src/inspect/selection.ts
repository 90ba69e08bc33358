import { attribute, on } from "../dom.ts";
import type { Record } from "../protocol.ts";
import { bring, elementOf, reveal } from "../reveal.ts";
import { keyOf } from "../tree.ts";
import type { Display } from "../views/run.ts";

/** Models whose `selection` a page sets right now: to its displays it is no wish from Python. */
const choosing = new WeakSet<object>();

/** A control inside of a row that has its own use of a click. */
const CONTROLS = "button, a, input, textarea, select, label, summary, [contenteditable]";
/** The line of a row or box is the row itself. */
const LINES = ".nst-line, .nst-boxline";

/** The selected record, `view.selection`: outlined in every display of the view. */
export class Selection {
  #marked: HTMLElement | null = null;
  #reveals = 0;

  constructor(
    readonly display: Display,
    /** Told when another one is selected; `wished`: from Python, so it has to be seen. */
    readonly selected: (wished: boolean) => void,
  ) {
    const { model, log, signal } = display;
    const changed = () => {
      this.mark();
      selected(!choosing.has(model));
    };
    model.on("change:selection", changed);
    signal.addEventListener("abort", () => model.off("change:selection", changed), { once: true });
    on(log, "click", signal, (event) => {
      const id = rowAt(event.target as Element);
      if (id !== null && document.getSelection()?.isCollapsed !== false) this.choose(id);
    });
  }

  get id(): string | null {
    const id = this.display.model.get("selection");
    return typeof id === "string" ? id : null;
  }

  choose(id: string | null) {
    const { model } = this.display;
    if (id === this.id) return;
    choosing.add(model);
    this.display.choose("selection", id);
    choosing.delete(model);
  }

  /** Outlines the row of the selected record, wherever it is drawn now. */
  mark() {
    const id = this.id;
    const el = elementOf(this.display, this.display.store.byId(id ?? "")?.seq) ?? null;
    if (el === this.#marked && (el === null || el.classList.contains("nst-selected"))) return;
    if (this.#marked) outline(this.#marked, false);
    this.#marked = el;
    if (el) outline(el, true);
  }

  /** Brings a record into sight, in the widget's own area: opens its boxes, fetches its row. */
  async reveal(id: string): Promise<void> {
    const { display } = this;
    const { store, comm } = display;
    const number = ++this.#reveals;
    const record =
      store.byId(id) ?? ((await comm.ask({ question: "inspect", id }))?.record as Record | undefined);
    if (!record) return;
    const wanted = () => number === this.#reveals;
    const el = await reveal(display, keyOf(record.namespace), record.seq, wanted);
    if (!wanted()) return;
    this.mark();
    if (el) bring(display, el);
  }
}

/** The record of the row that was clicked, null where a control in it was. */
export function rowAt(target: Element): string | null {
  const row = target.closest<HTMLElement>("[data-id]");
  const control = target.closest(CONTROLS);
  if (!row || (control && row.contains(control) && !control.matches(LINES))) return null;
  return row.dataset.id ?? null;
}

function outline(el: HTMLElement, selected: boolean) {
  el.classList.toggle("nst-selected", selected);
  attribute(el, "aria-current", selected ? "true" : null);
}
