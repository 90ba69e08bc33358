import { attribute, h, on, show } from "../dom.ts";
import { spoken } from "../wording.ts";
import { Scale } from "./scale.ts";
import { bars, type Lane, type Lanes } from "./spans.ts";

const HEIGHT = 33;
const LINE = 3.4;
const GAP = 5;
/** With more lanes, only when each was alive. */
const DETAILED = 30;
/** A run is too short, or too simple, for an overview. */
const SECONDS = 3;
const LANES = 3;

/** The whole run on one line's height; opens the timeline. */
export class Strip {
  #lines = h("span", { "aria-hidden": "true" });
  #now = h("i", "nst-tlnow");
  readonly el = h("button", { class: "nst-strip" }, this.#lines, this.#now);

  constructor(open: () => void, signal: AbortSignal) {
    show(this.el, false);
    on(this.el, "click", signal, open);
  }

  /** Whether a run of so many lanes and seconds has one. */
  static isFor(lanes: number, seconds: number): boolean {
    return lanes >= LANES && seconds >= SECONDS;
  }

  update(lanes: Lanes, running: boolean, hue: (lane: Lane) => string) {
    const scale = new Scale(lanes, lanes.gaps);
    const count = lanes.lanes.length;
    const track = this.el.clientWidth || 900;
    const apart = Math.min(GAP, (HEIGHT - 2) / count);
    const line = Math.min(LINE, Math.max(apart * 0.7, 1));
    const first = (HEIGHT - apart * (count - 1) - line) / 2;
    const made: HTMLElement[] = [];
    lanes.lanes.forEach((lane, i) => {
      const put = (look: string, x: number, width: number) => {
        const el = h("i", look);
        const { style } = el;
        style.insetInlineStart = `${((x / track) * 100).toFixed(2)}%`;
        style.inlineSize = `${((width / track) * 100).toFixed(2)}%`;
        style.insetBlockStart = `${(first + i * apart).toFixed(1)}px`;
        style.blockSize = `${line.toFixed(1)}px`;
        style.setProperty("--c", hue(lane));
        made.push(el);
      };
      for (const { start, end } of lane.alive) {
        const x = scale.x(start) * track;
        put("nst-tls", x, Math.max(scale.x(end) * track - x, 2));
      }
      if (count <= DETAILED)
        for (const { kind, x, width } of bars(lane.spans, scale, track, 2)) put(`nst-in-${kind}`, x, width);
    });
    this.#lines.replaceChildren(...made);
    this.el.classList.toggle("nst-live", running);
    show(this.#now, running);
    attribute(this.el, "aria-label", `Run overview, ${spoken(lanes.lanes[0]?.duration ?? 0)}`);
    attribute(this.el, "title", "Open the timeline");
  }
}
