import { copyText } from "../copy.ts";
import { focusedBeside, on, rect } from "../dom.ts";
import type { Feature } from "../explore.ts";
import { inOrder } from "../order.ts";
import type { Record } from "../protocol.ts";
import { goTo, reveal } from "../reveal.ts";
import { keyOf } from "../tree.ts";
import type { Display } from "../views/run.ts";
import { json } from "../wording.ts";
import { controls, handle, itemAround, items, neighbour } from "./items.ts";
import { Refocus } from "./refocus.ts";
import { openShortcuts } from "./shortcuts.ts";

/** What keys open and close. */
export interface Panels {
  readonly timeline: { toggle(): void };
  readonly search: {
    readonly bar: { readonly el: HTMLElement };
    open(): void;
    close(): void;
    step(by: 1 | -1): void;
    uncover(el: HTMLElement): void;
  };
  readonly inspector: {
    readonly opened: boolean;
    open(id: string): void;
    openBox(key: string): void;
    toggle(): void;
    close(): void;
  };
}

const ATTENTION = new Set(["failed", "pending", "interrupted"]);

/**
 * The log is one stop of the Tab key. Inside it the arrow keys go from row to row; Tab goes
 * through what stands in the row, then out. Letters are shortcuts unless `view.keys` is off.
 */
export class Keys implements Feature {
  #current: HTMLElement | null = null;
  /** From here the browser's own Tab leaves the log. */
  #end = document.createElement("span");
  #refocus: Refocus;

  constructor(
    readonly display: Display,
    readonly panels: Panels,
  ) {
    const { root, area, signal } = display;
    this.#end.tabIndex = -1;
    this.#end.setAttribute("aria-hidden", "true");
    on(root, "keydown", signal, (event) => this.#pressed(event));
    on(area, "focusin", signal, (event) => {
      const item = itemAround(event.target as Element);
      if (item) this.#current = item.matches(".nst-boxhead") ? item.querySelector(".nst-boxline") : item;
    });
    this.#refocus = new Refocus(display);
  }

  /** The list of shortcuts, for a menu. */
  help() {
    openShortcuts(this.display);
  }

  built() {
    this.#current = null;
    this.display.area.append(this.#end);
    this.#refocus.update();
  }

  drawn() {
    this.#refocus.update();
  }

  #pressed(event: KeyboardEvent) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target.matches("input, textarea, select, [role^=menuitem], [role=tab]") || target.closest("dialog"))
      return;
    const inLog = this.display.area.contains(target);
    const letters = this.display.model.get("keys") !== false;
    const act =
      this.#anywhere(event) ??
      (letters ? this.#letter(event.key) : undefined) ??
      (inLog ? this.#inLog(event, target) : undefined);
    if (!act) return;
    act();
    event.preventDefault();
  }

  #anywhere({ key, shiftKey }: KeyboardEvent): (() => void) | undefined {
    if (key === "Escape") return () => this.#leave();
    if (key === "F3") return () => this.panels.search.step(shiftKey ? -1 : 1);
    return undefined;
  }

  #letter(key: string): (() => void) | undefined {
    const { follow } = this.display;
    const acts: { [key: string]: () => void } = {
      "/": () => this.panels.search.open(),
      t: () => this.panels.timeline.toggle(),
      f: () => (follow.on ? follow.stop() : follow.start()),
      i: () => this.#inspect(),
      n: () => void this.#attention(1),
      N: () => void this.#attention(-1),
      c: () => void this.#copy(),
      "?": () => this.help(),
      "*": () => this.#expand(),
    };
    return Object.hasOwn(acts, key) ? acts[key] : undefined;
  }

  #inLog(event: KeyboardEvent, target: HTMLElement): (() => void) | undefined {
    const { log } = this.display;
    const { key, shiftKey } = event;
    if (key === "Tab") {
      this.#tab(target, shiftKey);
      return undefined; // the browser goes on from there
    }
    const current = this.#item();
    switch (key) {
      case "ArrowDown":
        return () => this.focus(current ? neighbour(log, current, 1) : this.#first());
      case "ArrowUp":
        return () => this.focus(current ? neighbour(log, current, -1) : this.#first());
      case "Home":
        return () => this.focus(items(log)[0]);
      case "End":
        return () => this.focus(items(log).at(-1));
      case "ArrowRight":
        return () => this.#open(current);
      case "ArrowLeft":
        return () => this.#close(current);
      case " ":
        return () => this.#inspect();
      default:
        return undefined;
    }
  }

  /** All about the row or box that has the focus; closes it when it is open. */
  #inspect() {
    const { inspector } = this.panels;
    const item = this.#item();
    const id = item?.closest<HTMLElement>("[data-id]")?.dataset.id;
    const key = item?.closest<HTMLElement>("article[data-namespace]")?.dataset.namespace;
    if (inspector.opened || !item) inspector.toggle();
    else if (id !== undefined) inspector.open(id);
    else if (key) inspector.openBox(key);
  }

  /** Moves the focus to an item, and the area to where it is seen. */
  focus(item: HTMLElement | null | undefined) {
    if (item) goTo(this.display, item);
  }

  /** The item that has the focus, if it is still there. */
  #item(): HTMLElement | null {
    return this.#current?.isConnected ? this.#current : null;
  }

  /** The record of the row that has the focus. */
  #record(): Record | undefined {
    return this.display.store.byId(this.#item()?.closest<HTMLElement>("[data-id]")?.dataset.id ?? "");
  }

  /** The first item that is in sight. */
  #first(): HTMLElement | undefined {
    const { area, log } = this.display;
    const { top } = rect(area);
    return items(log).find((item) => rect(item).bottom > top + 4);
  }

  #boxOf(item: HTMLElement): HTMLElement | null {
    return item.closest<HTMLElement>("article[data-namespace]");
  }

  #open(item: HTMLElement | null) {
    if (!item) return this.focus(this.#first());
    if (item.getAttribute("aria-expanded") === "false") return item.click();
    if (item.matches(".nst-boxline, .nst-fold > *")) return this.focus(neighbour(this.display.log, item, 1));
    const button = handle(item);
    if (button.getAttribute("aria-expanded") === "false") button.click();
  }

  #close(item: HTMLElement | null) {
    if (!item) return;
    const button = handle(item);
    if (button.getAttribute("aria-expanded") === "true") return button.click();
    const box = this.#boxOf(item);
    const around = item.matches(".nst-boxline") ? box?.parentElement : item;
    this.focus(around?.closest("article[data-namespace]")?.querySelector<HTMLElement>(".nst-boxline"));
  }

  /** Opens the boxes beside the one that has the focus. */
  #expand() {
    const { stage, reader, store } = this.display;
    const item = this.#item();
    const key = item ? (this.#boxOf(item)?.dataset.namespace ?? "") : "";
    const parent = store.namespaces.get(key)?.parent ?? "";
    for (const box of store.namespaces.values())
      if (box.parent === parent && box.key) {
        reader.boxes.set(box.key, true);
        stage.boxes.get(box.key)?.update();
      }
  }

  /** To the next row below or above that failed or waits, also in a closed box. */
  async #attention(step: 1 | -1) {
    const { store } = this.display;
    const rows = new Map<number, string>();
    for (const { seq, namespace, type, status } of store.records.values())
      if (ATTENTION.has(type === "error" ? "failed" : status)) rows.set(seq, keyOf(namespace));
    if (!rows.size) return;
    const here = this.#record();
    if (here) rows.set(here.seq, keyOf(here.namespace));
    const order = inOrder(this.display, rows);
    const at = order.indexOf(here?.seq ?? -1);
    const seq = order.at(at < 0 && step < 0 ? -1 : (at + step) % order.length) as number;
    const el = await reveal(this.display, rows.get(seq) ?? "", seq);
    if (!el) return;
    this.panels.search.uncover(el);
    goTo(this.display, el);
  }

  async #copy() {
    const record = this.#record();
    if (!record) return;
    const call = record.type === "tool_call" ? `${record.name}(${json(record.args ?? {})})\n` : "";
    if (await copyText(call + record.content)) this.display.announce("Copied");
  }

  /** Through the controls of the current item, then out of the log. */
  #tab(target: HTMLElement, back: boolean) {
    const { area } = this.display;
    const item = this.#item();
    const own = item ? controls(item.closest<HTMLElement>(".nst-boxhead") ?? item) : [];
    const at = own.indexOf(target);
    if (back && at > 0) return;
    if (!back && target !== area && at + 1 < own.length) return;
    (back ? area : this.#end).focus({ preventScroll: true });
  }

  /** Closes the inspector, or the search; without them goes back to the cell. */
  #leave() {
    const { root } = this.display;
    const { inspector, search } = this.panels;
    if (inspector.opened) return inspector.close();
    if (!search.bar.el.hidden) return search.close();
    const around = root.parentElement?.closest<HTMLElement>("[tabindex]");
    if (around) around.focus({ preventScroll: true });
    else focusedBeside(root)?.blur();
  }
}
