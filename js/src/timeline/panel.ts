import { attribute, h, on, rect, setText, show } from "../dom.ts";
import { icon } from "../icons.ts";
import type { Store } from "../store.ts";
import { number } from "../wording.ts";
import { Axis } from "./axis.ts";
import { type Gestures, listenTo } from "./gestures.ts";
import { LaneRow } from "./lane.ts";
import { Scale } from "./scale.ts";
import { type Kind, type Lane, type Lanes, type Span, type Stretch, spanAt } from "./spans.ts";
import { aboutLane, aboutSpan, Tooltip } from "./tooltip.ts";

const ROW = 23;
/** Lanes and bars that are drawn at once. */
const LANES = 500;
const BARS = 3000;
/** The height of the lanes, when there is nothing to measure. */
const SEEN = 280;
const LEGEND = [
  ["nst-tlk", "model"],
  ["nst-tlx", "tool"],
  ["nst-tlx nst-tlf", "failed"],
  ["nst-tlw", "waiting for you"],
  ["nst-tls", "agent alive"],
] as const;

export interface PanelHooks {
  hue(lane: Lane): string;
  /** A span was pressed, or (null) what lies around them. */
  chosen(lane: Lane, span: Span | null): void;
  ranged(range: Stretch | null): void;
  /** Another part of the time is seen. */
  zoomed(): void;
}

export interface Shown {
  lanes: Lanes;
  now: number | null;
  range: Stretch | null;
  selected: number | null;
}

/** A lane per namespace, over the same time. */
export class Panel implements Gestures {
  /** What fills the tracks; null: the whole run. */
  window: Stretch | null = null;
  scale = new Scale({ start: 0, end: 1 });
  #axis = new Axis();
  #rows = new Map<string, LaneRow>();
  #order: LaneRow[] = [];
  #list = h("div", { role: "toolbar", "aria-label": "Agents", "aria-orientation": "vertical" });
  #body = h("div", "nst-tlbody", this.#axis.under, this.#list, this.#axis.over);
  #lanes = h("div", "nst-tllanes", this.#body);
  #none = h("div", "nst-mut", "Nothing has run yet.");
  #more = h("span");
  #reset = h("button", "nst-ib", icon("cross"));
  #part = h("span", "nst-num");
  #legend = h("div", "nst-tlleg");
  #tip = new Tooltip();
  #drag: Stretch | null = null;
  #shown: Shown = {
    lanes: { lanes: [], start: 0, end: 1, gaps: [] },
    now: null,
    range: null,
    selected: null,
  };
  #giveUp: () => boolean;
  readonly el = h(
    "div",
    // A press on what is drawn takes the keys from the notebook's cell.
    { class: "nst-tl", role: "group", "aria-label": "Timeline", tabindex: -1 },
    ...[this.#axis.el, this.#lanes, this.#none, this.#legend, this.#tip.el],
  );

  constructor(
    readonly store: Store,
    readonly hooks: PanelHooks,
    signal: AbortSignal,
  ) {
    for (const [look, word] of LEGEND)
      this.#legend.append(h("span", { "aria-hidden": "true" }, h("em", look), word));
    this.#legend.append(this.#more, h("span", "nst-sp"), h("span", null, this.#part, this.#reset));
    on(this.#reset, "click", signal, () => {
      this.reset();
      this.#order.find(({ button }) => button.tabIndex === 0)?.button.focus();
    });
    on(this.#list, "click", signal, (event) => {
      const row = this.#rowOf(event.target as Element);
      if (!row?.button.contains(event.target as Node)) return;
      this.left();
      this.hooks.chosen(row.lane, null);
    });
    on(this.#list, "focusin", signal, (event) => {
      const row = this.#rowOf(event.target as Element);
      if (!row) return;
      this.#rove(row);
      if (row.button.matches(":focus-visible")) this.#tellOf(row);
    });
    on(this.#list, "focusout", signal, () => this.left());
    on(this.el, "keydown", signal, (event) => this.#key(event));
    on(this.#lanes, "scroll", signal, () => this.draw(), { passive: true });
    this.#giveUp = listenTo(this.#body, this, signal).giveUp;
  }

  update(shown: Shown) {
    const { selected } = shown;
    const fresh = selected !== null && selected !== this.#shown.selected;
    this.#shown = shown;
    const { lanes } = shown.lanes;
    const seen = lanes.slice(0, LANES);
    const keys = new Set(seen.map(({ key }) => key));
    for (const [key, row] of this.#rows)
      if (!keys.has(key)) {
        row.el.remove();
        this.#rows.delete(key);
      }
    this.#order = seen.map((lane, i) => {
      let row = this.#rows.get(lane.key);
      if (!row) this.#rows.set(lane.key, (row = new LaneRow(lane)));
      const there = this.#list.children[i];
      if (there !== row.el) this.#list.insertBefore(row.el, there ?? null);
      row.say(lane, this.hooks.hue(lane));
      return row;
    });
    if (!this.#order.some(({ button }) => button.tabIndex === 0) && this.#order[0])
      this.#order[0].button.tabIndex = 0;
    show(this.#none, lanes.length === 0);
    show(this.#axis.el, lanes.length > 0);
    show(this.#legend, lanes.length > 0);
    show(this.#lanes, lanes.length > 0);
    const hidden = lanes.length - seen.length;
    setText(this.#more, hidden > 0 ? `${number(hidden)} more agents are not drawn` : "");
    if (fresh) this.#bringIn(lanes.findIndex(({ spans }) => spans.some(({ seq }) => seq === selected)));
    this.draw();
  }

  /** Scrolls the list, and only that, to a lane. */
  #bringIn(at: number) {
    const { scrollTop, clientHeight } = this.#lanes;
    const out = at * ROW < scrollTop || (at + 1) * ROW > scrollTop + clientHeight;
    if (at >= 0 && clientHeight && out) this.#lanes.scrollTop = at * ROW - clientHeight / 2;
  }

  /** Draws what is in sight. */
  draw() {
    const { lanes, range, selected, now } = this.#shown;
    const scale = new Scale(lanes, lanes.gaps, this.window);
    this.scale = scale;
    const track = this.#axis.width;
    const top = this.#lanes.scrollTop;
    const seen = this.#lanes.clientHeight || SEEN;
    this.#lanes.classList.toggle("nst-tlmany", this.#order.length * ROW > SEEN);
    // The axis stands over the tracks, also beside a scrollbar.
    this.el.style.setProperty("--sb", `${this.#lanes.offsetWidth - this.#lanes.clientWidth || 0}px`);
    const inSight = this.#order.filter((_, i) => (i + 2) * ROW > top && (i - 1) * ROW < top + seen);
    let spans = 0;
    for (const { lane } of inSight) spans += Math.min(lane.spans.length, track / 4);
    const near = 1 + Math.max(0, spans / BARS - 1) * 4;
    for (const row of this.#order)
      if (inSight.includes(row)) {
        const span = selected === null ? undefined : row.lane.spans.find(({ seq }) => seq === selected);
        row.draw(scale, track, near, span);
      } else row.erase();
    this.#axis.draw(scale, lanes.start, now);
    this.#drawRange(this.#drag ?? range);
  }

  #drawRange(range: Stretch | null) {
    this.#axis.select(range, this.scale);
    const zero = this.#shown.lanes.start;
    const part = range ?? this.window;
    const digits = part && part.end - part.start < 1 ? 3 : 1;
    const at = (time: number) => (time - zero).toFixed(digits);
    setText(this.#part, part ? `${at(part.start)} to ${at(part.end)} s` : "");
    show(this.#reset, part !== null);
    const name = range ? "Clear time range" : "Show the whole run";
    attribute(this.#reset, "aria-label", name);
    attribute(this.#reset, "title", name);
  }

  // --- what the reader does -----------------------------------------------------------------

  place({ clientX, target }: MouseEvent): number | null {
    const { left, width } = rect(this.#axis.over);
    const inTrack = (target as Element).closest?.(".nst-tlt") !== null || this.#drag !== null;
    if (!width || !inTrack) return null;
    const x = Math.min(Math.max((clientX - left) / width, 0), 1);
    return getComputedStyle(this.#axis.over).direction === "rtl" ? 1 - x : x;
  }

  pointed(event: PointerEvent) {
    const row = this.#rowOf(event.target as Element);
    if (!row || event.pointerType === "touch") return this.left();
    const x = this.place(event);
    const span = x === null ? undefined : this.#spanAt(row, x, event.clientY);
    const alive = x !== null && row.lane.alive.some((part) => within(this.scale.time(x), part));
    const zero = this.#shown.lanes.start;
    const { lane } = row;
    if (x !== null && !span && !alive) return this.left();
    if (x === null) return this.#tip.open(aboutLane(lane, zero), row.button);
    const lines = span ? aboutSpan(span, this.store.records.get(span.seq), lane, zero) : null;
    this.#tip.open(lines ?? aboutLane(lane, zero), row.el, event.clientX);
  }

  left() {
    this.#tip.close();
    for (const { button } of this.#order) button.removeAttribute("aria-describedby");
  }

  pressed(event: PointerEvent) {
    const row = this.#rowOf(event.target as Element);
    const x = this.place(event);
    if (row && x !== null) this.hooks.chosen(row.lane, this.#spanAt(row, x, event.clientY) ?? null);
  }

  dragging(from: number, to: number | null) {
    this.#drag = to === null ? null : this.#between(from, to);
    this.#drawRange(this.#drag ?? this.#shown.range);
  }

  dragged(from: number, to: number) {
    this.#drag = null;
    this.hooks.ranged(this.#between(from, to));
  }

  reset() {
    this.window = null;
    this.hooks.ranged(null);
    this.hooks.zoomed();
  }

  zoomed(factor: number, about: number) {
    this.window = this.scale.zoomed(factor, about, this.#shown.lanes);
    this.left();
    this.hooks.zoomed();
  }

  #between(from: number, to: number): Stretch {
    const [start, end] = [Math.min(from, to), Math.max(from, to)];
    return { start: this.scale.time(start), end: this.scale.time(end) };
  }

  /** Models stand in the upper half of a lane, tools in the lower. */
  #spanAt(row: LaneRow, x: number, y: number): Span | undefined {
    const time = this.scale.time(x);
    const reach = Math.abs(this.scale.time(x + 4 / this.#axis.width) - time);
    const { top, height } = rect(row.track);
    const upper = y < top + height / 2;
    const kinds: Kind[] = upper ? ["model", "wait"] : ["tool", "failed", "wait"];
    return spanAt(row.lane.spans, time, reach, kinds) ?? spanAt(row.lane.spans, time, reach);
  }

  #rowOf(target: Element): LaneRow | undefined {
    const el = target.closest?.(".nst-tlrow");
    return this.#order.find((row) => row.el === el);
  }

  #rove(row: LaneRow) {
    for (const { button } of this.#order) button.tabIndex = button === row.button ? 0 : -1;
  }

  #tellOf(row: LaneRow) {
    this.#tip.open(aboutLane(row.lane, this.#shown.lanes.start), row.button);
    row.button.setAttribute("aria-describedby", this.#tip.el.id);
  }

  #key(event: KeyboardEvent) {
    const row = this.#rowOf(event.target as Element);
    const at = row ? this.#order.indexOf(row) : -1;
    const { key } = event;
    const last = this.#order.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last }[key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Escape") {
      if (this.#giveUp()) this.#drag = null;
      else if (this.#tip.shown && !this.#shown.range) this.left();
      else if (this.#shown.range || this.window) this.reset();
      else return;
    } else if (!row) return;
    else if (to !== undefined) this.#order[Math.min(Math.max(to, 0), last)]?.button.focus();
    else if (key === "+" || key === "-") this.zoomed(key === "+" ? 0.7 : 1 / 0.7, 0.5);
    else if (key === "Enter" && event.shiftKey) this.hooks.ranged(row.lane);
    else if (this.window && (key === "ArrowLeft" || key === "ArrowRight"))
      this.#pan(key === "ArrowLeft" ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #pan(by: number) {
    const { lanes } = this.#shown;
    const { start, end } = this.window as Stretch;
    const step = Math.min(Math.max(((end - start) / 4) * by, lanes.start - start), lanes.end - end);
    this.window = { start: start + step, end: end + step };
    this.hooks.zoomed();
  }
}

function within(time: number, { start, end }: Stretch): boolean {
  return time >= start && time <= end;
}
