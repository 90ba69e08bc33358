import { arrange, type BoxItem, type Item, isDrawn } from "../arrange.ts";
import { attribute, h, on, place, setText, show } from "../dom.ts";
import { icon } from "../icons.ts";
import { label, many } from "../wording.ts";
import { Box } from "./box.ts";
import { makeRow } from "./row.ts";
import type { Stage } from "./stage.ts";
import { resultOf } from "./tool.ts";

const CHUNK = 100;
/** As far back can a new child change how earlier ones are grouped. */
const BACK = 10;

/** Keeps the elements of a list in order, in chunks that the browser can skip when unseen. */
export class List {
  #chunks: HTMLElement[] = [];

  constructor(readonly el: HTMLElement) {}

  /** From position `from` on, exactly these elements. */
  set(from: number, elements: Element[]) {
    const wanted = new Set(elements);
    elements.forEach((element, i) => {
      const at = from + i;
      const chunk = this.#chunk(Math.floor(at / CHUNK));
      let there = chunk.children[at % CHUNK];
      while (there && there !== element && !wanted.has(there)) {
        there.remove();
        there = chunk.children[at % CHUNK];
      }
      if (there !== element) place(chunk, element, there ?? null);
    });
    const end = from + elements.length;
    const last = Math.max(0, Math.ceil(end / CHUNK) - 1);
    for (let i = this.#chunks.length - 1; i > last; i--) this.#chunks.pop()?.remove();
    for (let i = Math.floor(from / CHUNK); i <= last; i++) {
      const chunk = this.#chunks[i];
      const size = Math.min(CHUNK, end - i * CHUNK);
      while (chunk && chunk.children.length > size) chunk.lastElementChild?.remove();
      chunk?.classList.toggle("nst-full", size === CHUNK && i < last);
    }
  }

  #chunk(index: number): HTMLElement {
    let chunk = this.#chunks[index];
    if (!chunk) {
      chunk = this.#chunks[index] = h("div", "nst-chunk");
      this.el.append(chunk);
    }
    return chunk;
  }
}

/** Rows and boxes of one namespace, or all rows in the log. */
export class Body {
  #items: Item[] = [];
  #list: List;
  #groups = new Map<string, Group>();
  #folds = new Map<string, Fold>();

  constructor(
    readonly el: HTMLElement,
    readonly key: string,
    readonly stage: Stage,
  ) {
    this.#list = new List(el);
  }

  /** Arranges anew from a child on. */
  sync(from: number) {
    const { store, collapse } = this.stage;
    let kept = this.#items.length;
    while (kept > 0 && (this.#items[kept - 1] as Item).start >= from) kept--;
    kept = Math.max(0, kept - BACK);
    const start = kept === 0 ? 0 : (this.#items[kept] as Item).start;
    const fresh = arrange(store, this.key, start, collapse !== "none");
    this.#items.splice(kept, this.#items.length, ...fresh);
    this.#list.set(
      kept,
      fresh.map((item) => this.#element(item)),
    );
    fresh.forEach((item, i) => {
      if (item.kind === "row")
        this.stage.rows.get(item.seq)?.el.classList.toggle("nst-told", this.#isTold(item, fresh[i + 1]));
    });
  }

  /** The card right behind a failed call says why. */
  #isTold(item: Item, next: Item | undefined): boolean {
    const { records } = this.stage.store;
    const call = item.kind === "row" ? records.get(item.seq) : undefined;
    const error = next?.kind === "row" ? records.get(next.seq) : undefined;
    if (call?.type !== "tool_call" || call.status !== "failed" || error?.type !== "error") return false;
    return resultOf(call).includes(error.message || error.content);
  }

  #element(item: Item): Element {
    const { stage } = this;
    if (item.kind === "row") return rowElement(item.seq, stage);
    if (item.kind === "box") return boxElement(item, stage);
    if (item.kind === "fold") {
      const fold = keep(this.#folds, item.id, () => new Fold(stage));
      stand(fold.el, stage.rows.get(item.seqs[0] as number)?.el);
      fold.set(item.seqs);
      return fold.el;
    }
    const group = keep(this.#groups, item.id, () => new Group(stage));
    stand(group.el, stage.boxes.get((item.boxes[0] as BoxItem).key)?.el);
    group.set(item.boxes);
    return group.el;
  }
}

/** Every row of the run in the order of its appearance, without boxes. */
export class LogBody {
  #list: List;

  constructor(
    readonly el: HTMLElement,
    readonly stage: Stage,
  ) {
    this.#list = new List(el);
  }

  /** Shows what was added or became visible, the lowest `seq` first. */
  sync(fromSeq: number) {
    const { store } = this.stage;
    const drawn = store.seqs.filter((seq) => {
      const record = store.records.get(seq);
      return record !== undefined && isDrawn(record);
    });
    let from = drawn.length;
    while (from > 0 && (drawn[from - 1] as number) >= fromSeq) from--;
    this.#list.set(
      from,
      drawn.slice(from).map((seq) => rowElement(seq, this.stage)),
    );
  }
}

function keep<T>(map: Map<string, T>, id: string, make: () => T): T {
  let value = map.get(id);
  if (!value) map.set(id, (value = make()));
  return value;
}

/** Puts a new frame where its first element stands, which can then move in without a gap. */
function stand(frame: Element, first: Element | undefined) {
  if (!frame.isConnected && first?.isConnected) first.before(frame);
}

function rowElement(seq: number, stage: Stage): Element {
  let row = stage.rows.get(seq);
  const record = stage.store.records.get(seq);
  if (!record) return h("div");
  if (!row) stage.rows.set(seq, (row = makeRow(record, stage)));
  return row.el;
}

function boxElement(item: BoxItem, stage: Stage): Element {
  const box = keep(stage.boxes, item.key, () => new Box(item.key, stage));
  box.setCall(item.call);
  return box.el;
}

/** Siblings that ran at the same time. */
class Group {
  readonly el = h("div", { class: "nst-par", role: "group" });
  #caption = h("span");
  #columns = h("div", "nst-cols");
  #boxes: Box[] = [];
  /** Those that stand side by side; undefined until they are laid out. */
  #pair: Box[] | null | undefined;

  constructor(readonly stage: Stage) {
    const head = h("div", { class: "nst-cap", "aria-hidden": "true" }, icon("parallel"), this.#caption);
    this.el.append(head, this.#columns);
    stage.waiting.add(() => this.#lay());
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
class Fold {
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
