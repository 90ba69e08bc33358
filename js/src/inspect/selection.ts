import { attribute, on, rect } from "../dom.ts";
import { keyOf } from "../tree.ts";
import type { Display } from "../views/run.ts";

/** Steps after which a row that cannot be shown is given up; how long one may take. */
const TRIES = 400;
const PAUSE = 50;
const PATIENCE = 100;

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
    const el = id === null ? null : this.element(id);
    if (el === this.#marked && (el === null || el.classList.contains("nst-selected"))) return;
    if (this.#marked) outline(this.#marked, false);
    this.#marked = el;
    if (el) outline(el, true);
  }

  /** The row of a record, or the head of the box that it opened. */
  element(id: string): HTMLElement | null {
    const { store, stage } = this.display;
    for (const key of store.tree.boxesOf(id) ?? []) {
      const head = stage.boxes.get(key)?.el.firstElementChild as HTMLElement | undefined;
      if (head?.isConnected && head.dataset.id === id) return head;
    }
    const record = store.byId(id);
    const el = record && stage.rows.get(record.seq)?.el;
    return el?.isConnected ? el : null;
  }

  /** Brings a record into sight, in the widget's own area: opens its boxes, fetches its row. */
  async reveal(id: string): Promise<void> {
    const { store, comm, signal, follow } = this.display;
    const number = ++this.#reveals;
    let namespace = store.byId(id)?.namespace;
    if (!namespace) {
      const told = await comm.ask({ question: "inspect", id });
      namespace = (told?.record as { namespace?: string[] } | undefined)?.namespace;
    }
    if (!namespace) return;
    follow.stop();
    const key = keyOf(namespace);
    let waited = 0;
    for (let i = 0; i < TRIES && waited < PATIENCE; i++) {
      if (signal.aborted || number !== this.#reveals) return;
      const body = this.#open(key);
      if (this.element(id)) break;
      const before = store.records.size + this.display.stage.rows.size;
      const more = body?.querySelector<HTMLButtonElement>(":scope > .nst-earlier");
      if (!more || more.hidden || more.disabled) break;
      if (waited === 0) more.click();
      await new Promise((done) => setTimeout(done, PAUSE));
      waited = before === store.records.size + this.display.stage.rows.size ? waited + 1 : 0;
    }
    this.mark();
    const el = this.element(id);
    if (el) this.#scrollTo(el);
  }

  /** Opens the boxes on the way to a namespace; the body in which to go on looking. */
  #open(key: string): Element | null {
    const { stage, reader, area } = this.display;
    let body = area.querySelector(".nst-rootbody");
    if (stage.mode === "log") return body;
    for (const { key: at } of stage.path(key)) {
      reader.boxes.set(at, true);
      const box = stage.boxes.get(at);
      if (!box?.el.isConnected) break;
      box.update();
      body = box.body.el;
    }
    return body;
  }

  #scrollTo(el: HTMLElement) {
    const { area } = this.display;
    const folded = el.closest<HTMLElement>(".nst-folded");
    if (folded?.hidden) (folded.previousElementSibling as HTMLElement | null)?.click();
    const box = rect(el);
    if (box.height === 0) return;
    const { top, bottom, height } = rect(area);
    if (box.top < top + 30 || box.bottom > bottom) area.scrollTop += box.top - top - height / 3;
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
