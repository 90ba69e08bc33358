import { attribute, h, on, setText, show } from "../dom.ts";
import { icon } from "../icons.ts";
import { duration, label, number } from "../wording.ts";
import { STATUS } from "./lane.ts";
import type { Lane, Lanes } from "./spans.ts";
import { exactly } from "./tooltip.ts";

const COLUMNS: [name: string, value: (lane: Lane, zero: number) => number | string][] = [
  ["Agent", ({ label }) => label],
  ["Status", ({ status }) => STATUS[status] ?? status],
  ["Start", (lane, zero) => lane.start - zero],
  ["Duration", (lane) => lane.duration],
  ["Model", (lane) => lane.seconds.model],
  ["Tools", (lane) => lane.seconds.tool],
  ["Waiting", (lane) => lane.seconds.wait],
  ["Tokens", (lane) => lane.tokens],
];

/** The timeline in words and numbers. A press on a column's name sorts by it. */
export class Table {
  #rows = h("tbody");
  #heads = COLUMNS.map(([name]) => {
    const button = h("button", null, name);
    return { button, el: h("th", { scope: "col" }, button) };
  });
  #close = h("button", { class: "nst-ib", "aria-label": "Close table", title: "Close table" }, icon("cross"));
  #table = h(
    "table",
    null,
    h("caption", "nst-vh", "Timeline as table"),
    h("thead", null, h("tr", null, ...this.#heads.map(({ el }) => el))),
    this.#rows,
  );
  readonly el = h(
    "div",
    "nst-tltable",
    h(
      "div",
      { class: "nst-tlscroll nst-num", role: "region", "aria-label": "Timeline as table", tabindex: 0 },
      this.#table,
    ),
    this.#close,
  );
  /** Column and direction; null: as the lanes stand. */
  #sort: [column: number, down: boolean] | null = null;
  #lanes: Lanes | null = null;

  constructor(
    /** The reader closes it. */
    closed: () => void,
    signal: AbortSignal,
  ) {
    show(this.el, false);
    on(this.#close, "click", signal, closed);
    on(this.el, "keydown", signal, (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      closed();
    });
    this.#heads.forEach(({ button }, column) => {
      on(button, "click", signal, () => {
        const [by, down] = this.#sort ?? [-1, false];
        const first = column > 1;
        // Once more turns it round, then back to the order of the lanes.
        if (by !== column) this.#sort = [column, first];
        else this.#sort = down === first ? [column, !first] : null;
        if (this.#lanes) this.update(this.#lanes);
      });
    });
  }

  get shown(): boolean {
    return !this.el.hidden;
  }

  focus() {
    (this.el.firstElementChild as HTMLElement).focus();
  }

  update(lanes: Lanes) {
    this.#lanes = lanes;
    const rows = lanes.lanes.map((lane) => ({
      lane,
      values: COLUMNS.map(([, value]) => value(lane, lanes.start)),
    }));
    if (this.#sort) {
      const [column, down] = this.#sort;
      rows.sort((a, b) => compare(a.values[column], b.values[column]) * (down ? -1 : 1));
    }
    this.#heads.forEach(({ el }, column) => {
      const [by, down] = this.#sort ?? [-1];
      attribute(el, "aria-sort", by === column ? (down ? "descending" : "ascending") : null);
    });
    rows.forEach(({ lane, values }, i) => {
      const row = this.#rows.children[i] ?? this.#rows.appendChild(newRow());
      values.forEach((value, column) => {
        const cell = row.children[column] as HTMLElement;
        const depth = column || this.#sort ? "" : String(Math.min(lane.depth, 6));
        if (!column && cell.style.getPropertyValue("--d") !== depth) cell.style.setProperty("--d", depth);
        setText(cell, written(value, column));
        if (typeof value === "number" && column < 7) attribute(cell, "title", exactly(value));
      });
    });
    while (this.#rows.children.length > rows.length) this.#rows.lastElementChild?.remove();
  }
}

function newRow(): HTMLElement {
  return h("tr", null, ...COLUMNS.map((_, column) => (column ? h("td") : h("th", { scope: "row" }))));
}

function written(value: number | string, column: number): string {
  if (typeof value === "string") return label(value);
  if (value === 0 && column > 3) return "–";
  return column === 7 ? number(value) : duration(value);
}

function compare(a: number | string | undefined, b: number | string | undefined): number {
  if (typeof a === "string" && typeof b === "string") return a.localeCompare(b);
  return Number(a) - Number(b);
}
