import { attribute, h, setText } from "../dom.ts";
import { clock, duration, label } from "../wording.ts";
import type { Scale } from "./scale.ts";
import { bars, type Lane, type Span } from "./spans.ts";

const LOOKS = { model: "nst-tlk", tool: "nst-tlx", failed: "nst-tlx nst-tlf", wait: "nst-tlw" };
export const STATUS: { [status: string]: string } = { interrupted: "waiting for you", cancelled: "stopped" };

/** One agent or subgraph: its name, what it did when, how long it took. */
export class LaneRow {
  #name = h("bdi");
  readonly button = h("button", { class: "nst-tll", tabindex: -1 }, this.#name);
  readonly track = h("div", { class: "nst-tlt", "aria-hidden": "true" });
  #took = h("span", { class: "nst-tle nst-num", "aria-hidden": "true" });
  readonly el = h("div", "nst-tlrow", this.button, this.track, this.#took);
  #drawn: string[] = [];

  constructor(public lane: Lane) {}

  /** What there is to read. */
  say(lane: Lane, hue: string) {
    this.lane = lane;
    const name = label(lane.label);
    const took = (lane.status === "running" ? clock : duration)(lane.duration);
    const status = STATUS[lane.status] ?? lane.status;
    if (this.el.style.getPropertyValue("--c") !== hue) this.el.style.setProperty("--c", hue);
    const depth = String(Math.min(lane.depth, 6));
    if (this.button.style.getPropertyValue("--d") !== depth) this.button.style.setProperty("--d", depth);
    setText(this.#name, name);
    setText(this.#took, took);
    attribute(this.button, "aria-label", `${name}, ${status}, ${took}`);
    attribute(this.el, "data-status", lane.status);
  }

  /** What there is to see, in a track of so many pixels. */
  draw(scale: Scale, track: number, near: number, selected: Span | undefined) {
    const at = (x: number) => `${((x / track) * 100).toFixed(3)}%`;
    let count = 0;
    const put = (look: string, x: number, width: number) => {
      const drawn = `${look} ${x.toFixed(1)} ${width.toFixed(1)}`;
      const el = (this.track.children[count] ?? this.track.appendChild(h("i"))) as HTMLElement;
      if (this.#drawn[count] !== drawn) {
        el.className = look;
        el.style.insetInlineStart = at(x);
        el.style.inlineSize = at(width);
        this.#drawn[count] = drawn;
      }
      count++;
    };
    for (const { start, end } of this.lane.alive) {
      const from = Math.max(scale.x(start), 0) * track;
      const to = Math.min(scale.x(end), 1) * track;
      if (to >= 0 && from <= track) put("nst-tls", Math.min(from, track - 3), Math.max(to - from, 3));
    }
    for (const { kind, x, width } of bars(this.lane.spans, scale, track, near)) put(LOOKS[kind], x, width);
    if (selected)
      for (const { kind, x, width } of bars([selected], scale, track))
        put(`${LOOKS[kind]} nst-tlon`, x, width);
    this.#drop(count);
  }

  /** It is out of sight. */
  erase() {
    this.#drop(0);
  }

  #drop(count: number) {
    while (this.track.children.length > count) this.track.lastElementChild?.remove();
    this.#drawn.length = count;
  }
}
