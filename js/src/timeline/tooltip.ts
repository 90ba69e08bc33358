import { h, rect, show } from "../dom.ts";
import type { Record } from "../protocol.ts";
import { label, number, timeOfDay } from "../wording.ts";
import { STATUS } from "./lane.ts";
import type { Lane, Span } from "./spans.ts";

let ids = 0;

/** A few lines beside what is pointed at or has the focus. */
export class Tooltip {
  readonly el = h("div", { class: "nst-tltip nst-num", role: "tooltip", id: `nst-tltip-${++ids}` });
  #floats = typeof this.el.showPopover === "function";

  constructor() {
    // The top layer: no edge cuts it off.
    if (this.#floats) this.el.popover = "manual";
    show(this.el, false);
  }

  get shown(): boolean {
    return !this.el.hidden;
  }

  /** Below `anchor`, around `x` (pixels of the page), or beside it. */
  open(lines: string[], anchor: Element, x: number | null = null) {
    const [title = "", ...rest] = lines;
    this.el.replaceChildren(h("b", null, title), ...rest.map((line) => h("div", null, line)));
    show(this.el, true);
    if (!this.#floats) return;
    if (!this.el.matches(":popover-open")) this.el.showPopover();
    const { top, bottom, left, right } = rect(anchor);
    const own = rect(this.el);
    const { clientWidth, clientHeight } = document.documentElement;
    const rtl = getComputedStyle(anchor).direction === "rtl";
    const beside = rtl ? left - own.width - 6 : right + 6;
    const below = x === null ? top : bottom + 4;
    const fits = below + own.height <= clientHeight;
    const at = x === null ? beside : x - own.width / 2;
    this.el.style.top = `${fits ? below : top - own.height - 4}px`;
    this.el.style.left = `${Math.max(4, Math.min(at, clientWidth - own.width - 4))}px`;
  }

  close() {
    if (!this.shown) return;
    if (this.#floats && this.el.matches(":popover-open")) this.el.hidePopover();
    show(this.el, false);
  }
}

/** `3.204 s`: no rounding that hides a difference. */
export function exactly(seconds: number): string {
  return `${Math.max(seconds, 0).toFixed(3)} s`;
}

function when(start: number, end: number, zero: number): string[] {
  const milliseconds = Math.round(start * 1000);
  return [
    `Starts at ${exactly(start - zero)}, takes ${exactly(end - start)}`,
    `${timeOfDay(Math.floor(milliseconds / 1000))}.${String(milliseconds % 1000).padStart(3, "0")}`,
  ];
}

/** What is said of a lane; `zero`: the start of the run. */
export function aboutLane(lane: Lane, zero: number): string[] {
  const status = STATUS[lane.status] ?? lane.status;
  const tokens = lane.tokens ? [`${number(lane.tokens)} tokens`] : [];
  return [`${label(lane.label)}, ${status}`, ...when(lane.start, lane.end, zero), ...tokens];
}

/** What is said of a span; without its record when only the kernel has that. */
export function aboutSpan(span: Span, record: Record | undefined, lane: Lane, zero: number): string[] {
  const names = { model: record?.model || "model", tool: record?.name || "tool", failed: "failed" };
  let title = span.kind === "wait" ? "Waiting for you" : label(names[span.kind]);
  if (span.kind === "failed" && record)
    title = `${label(record.name || record.error_type || record.type)}, failed`;
  const { input_tokens = 0, output_tokens = 0, total_tokens } = record?.usage ?? {};
  const tokens = total_tokens ?? input_tokens + output_tokens;
  return [
    `${title} · ${label(lane.label)}`,
    ...when(span.start, span.end, zero),
    ...(tokens ? [`${number(tokens)} tokens`] : []),
  ];
}
