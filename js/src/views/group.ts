import type { BoxItem } from "../arrange.ts";
import { attribute, h, on, place, setText, show } from "../dom.ts";
import { icon } from "../icons.ts";
import { label, many } from "../wording.ts";
import { Box } from "./box.ts";
import { List } from "./list.ts";
import { makeRow } from "./row.ts";
import type { Stage } from "./stage.ts";

export function rowElement(seq: number, stage: Stage): Element {
  let row = stage.rows.get(seq);
  const record = stage.store.records.get(seq);
  if (!record) return h("div");
  if (!row) stage.rows.set(seq, (row = makeRow(record, stage)));
  return row.el;
}

export function boxElement(item: BoxItem, stage: Stage): Element {
  let box = stage.boxes.get(item.key);
  if (!box) stage.boxes.set(item.key, (box = new Box(item.key, stage)));
  box.setCall(item.call);
  return box.el;
}

/** Siblings that ran at the same time. */
export class Group {
  readonly el = h("div", { class: "nst-par", role: "group" });
  #caption = h("span");
  #columns = h("div", "nst-cols");
  #boxes: Box[] = [];
  /** Those that stand side by side; undefined until they are laid out. */
  #pair: Box[] | null | undefined;

  /** Columns wait until the reader follows again, because they would move what is read. */
  #settle = () => this.#lay();

  constructor(readonly stage: Stage) {
    const head = h("div", { class: "nst-cap", "aria-hidden": "true" }, icon("parallel"), this.#caption);
    this.el.append(head, this.#columns);
    stage.waiting.add(this.#settle);
  }

  /** Its boxes may stand elsewhere by now, or will. */
  remove() {
    this.stage.waiting.delete(this.#settle);
    for (const box of this.#boxes) box.toggled = null;
  }

  set(items: BoxItem[]) {
    const { stage } = this;
    items.forEach((item, i) => {
      const element = boxElement(item, stage);
      const there = this.#columns.children[i];
      if (there !== element) place(this.#columns, element, there ?? null);
    });
    while (this.#columns.children.length > items.length) this.#columns.lastElementChild?.remove();
    this.#boxes = items.map((item) => stage.boxes.get(item.key) as Box);
    for (const box of this.#boxes) box.toggled = () => this.#lay();
    const agents = this.#boxes.every((box) => stage.store.namespaces.get(box.key)?.is_agent);
    const running = this.#boxes.some((box) => box.running);
    const caption = `${many(items.length, agents ? "agent" : "subgraph")} ${running ? "in" : "ran in"} parallel`;
    this.el.classList.toggle("nst-done", !running);
    setText(this.#caption, caption);
    attribute(this.el, "aria-label", caption);
    // Columns that come or go would take away what somebody reads.
    const same = this.#pair?.every((box) => this.#boxes.includes(box)) ?? this.#pair === null;
    if (stage.reader.following() || !same) this.#lay();
  }

  #lay() {
    const pair = this.#wanted();
    this.#pair = pair;
    this.#columns.classList.toggle("nst-two", pair !== null);
    for (const box of this.#boxes) box.el.classList.toggle("nst-side", pair?.includes(box) ?? false);
    const running = this.#boxes.filter((box) => box.running).length;
    this.#columns.classList.toggle("nst-compact", running > 2 && this.stage.collapse === "auto");
  }

  /** Two neighbours that run, nobody else being open; then until one of them has closed. */
  #wanted(): Box[] | null {
    const boxes = this.#boxes;
    const running = boxes.filter((box) => box.running);
    const old = this.#pair;
    if (
      old?.every((box) => box.open && boxes.includes(box)) &&
      old.some((box) => box.running || box.closing) &&
      running.every((box) => old.includes(box))
    )
      return old;
    const [one, two] = running;
    if (!one || !two || running.length > 2 || boxes.indexOf(two) !== boxes.indexOf(one) + 1) return null;
    return boxes.every((box) => box.open === box.running) ? [one, two] : null;
  }
}

/** Many calls of one tool in a row: `render_chart ×12`. */
export class Fold {
  #word = h("bdi", "nst-tn");
  #count = h("span", "nst-args");
  #body = h("div", "nst-folded");
  #list = new List(this.#body);
  #button = h(
    "button",
    { class: "nst-line", "aria-expanded": "false" },
    icon("closed", "nst-chev"),
    icon("check", "nst-ok"),
    this.#word,
    this.#count,
  );
  readonly el = h("div", "nst-fold", this.#button, this.#body);

  constructor(readonly stage: Stage) {
    show(this.#body, false);
    on(this.#button, "click", stage.signal, () => {
      show(this.#body, this.#body.hidden === true);
      attribute(this.#button, "aria-expanded", String(!this.#body.hidden));
    });
  }

  set(seqs: number[]) {
    const record = this.stage.store.records.get(seqs[0] as number);
    setText(this.#word, label(record?.name));
    setText(this.#count, `×${seqs.length}`);
    this.#list.set(
      0,
      seqs.map((seq) => rowElement(seq, this.stage)),
    );
  }
}
