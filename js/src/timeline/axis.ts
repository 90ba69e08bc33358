import { h, show } from "../dom.ts";
import type { Scale } from "./scale.ts";
import type { Stretch } from "./spans.ts";

/** What stands for all lanes: the axis, and lines and a range over the tracks. */
export class Axis {
  #ticks = h("div");
  readonly el = h("div", { class: "nst-tlax nst-num", "aria-hidden": "true" }, this.#ticks);
  /** Behind the lanes, and before them. */
  readonly under = h("div", { class: "nst-tlover", "aria-hidden": "true" });
  #now = h("i", "nst-tlnow");
  #range = h("i", "nst-tlsel");
  readonly over = h("div", { class: "nst-tlover", "aria-hidden": "true" }, this.#range, this.#now);

  /** Of the tracks, in pixels. */
  get width(): number {
    return this.over.clientWidth || 600;
  }

  /** `zero`: from where time is told; `now`: null when nothing goes on. */
  draw(scale: Scale, zero: number, now: number | null) {
    const ticks = scale.ticks(zero, this.width);
    this.#ticks.replaceChildren(
      ...ticks.map(({ x, text }) => {
        const tick = h("i", x < 0.04 ? "nst-tlfirst" : x > 0.96 ? "nst-tllast" : null, text);
        tick.style.insetInlineStart = percent(x);
        return tick;
      }),
    );
    const cuts = scale.cuts.filter(({ start, end }) => scale.x(end) > 0 && scale.x(start) < 1);
    this.under.replaceChildren(
      ...ticks.map(({ x }) => mark("nst-tltick", x, x)),
      ...cuts.map(({ start, end }) =>
        mark("nst-tlcut", Math.max(scale.x(start), 0), Math.min(scale.x(end), 1)),
      ),
    );
    const x = now === null ? -1 : scale.x(now);
    show(this.#now, x >= 0 && x <= 1.0001);
    this.#now.style.insetInlineStart = percent(Math.min(x, 1));
  }

  select(range: Stretch | null, scale: Scale) {
    const [from, to] = range ? [scale.x(range.start), scale.x(range.end)] : [2, 2];
    show(this.#range, to >= 0 && from <= 1);
    this.#range.style.insetInlineStart = percent(Math.max(from, 0));
    this.#range.style.inlineSize = percent(Math.min(to, 1) - Math.max(from, 0));
  }
}

function mark(look: string, from: number, to: number): HTMLElement {
  const el = h("i", look);
  el.style.insetInlineStart = percent(from);
  if (to > from) el.style.inlineSize = percent(to - from);
  return el;
}

function percent(x: number): string {
  return `${(x * 100).toFixed(3)}%`;
}
