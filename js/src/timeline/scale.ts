import { clock } from "../wording.ts";
import type { Gap } from "./gaps.ts";
import type { Stretch } from "./spans.ts";

/** A gap is drawn no wider than this share of all the time in which something ran. */
const IDLE = 0.04;
const WAITING = 0.12;
const SHORTEST = 1;
/** Pixels from one tick to the next, at least. */
const APART = 72;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];

export interface Tick {
  /** From 0 to 1. */
  x: number;
  text: string;
}

/**
 * Time to place in the track and back. Long gaps are drawn short; a window of the time fills
 * the track.
 */
export class Scale {
  /** Gaps that are drawn shorter than they are. */
  readonly cuts: Stretch[] = [];
  readonly start: number;
  readonly end: number;
  /** Where the slope changes: time, and how far along it is. */
  #knots: [time: number, along: number][];
  #from: number;
  #length: number;

  constructor(
    whole: Stretch,
    gaps: Gap[] = [],
    /** What fills the track; null: everything. */
    readonly window: Stretch | null = null,
  ) {
    const end = Math.max(whole.end, whole.start + 0.001);
    const ran = gaps.reduce((sum, gap) => sum - (gap.end - gap.start), end - whole.start);
    let along = 0;
    let at = whole.start;
    this.#knots = [[at, 0]];
    for (const gap of gaps) {
      const length = Math.max(ran, SHORTEST) * (gap.waiting ? WAITING : IDLE);
      if (gap.end - gap.start <= Math.max(length, SHORTEST)) continue;
      along += gap.start - at;
      this.#knots.push([gap.start, along], [gap.end, along + length]);
      along += length;
      at = gap.end;
      this.cuts.push({ start: gap.start, end: gap.end });
    }
    this.#knots.push([end, along + end - at]);
    this.start = window?.start ?? whole.start;
    this.end = window?.end ?? end;
    this.#from = this.#along(this.start);
    this.#length = Math.max(this.#along(this.end) - this.#from, 1e-6);
  }

  /** 0 at the start of the track, 1 at its end. */
  x(time: number): number {
    return (this.#along(time) - this.#from) / this.#length;
  }

  time(x: number): number {
    const along = this.#from + x * this.#length;
    const [[t0, a0], [t1, a1]] = this.#piece(([, a]) => along <= a);
    return t0 + (a1 > a0 ? ((along - a0) / (a1 - a0)) * (t1 - t0) : 0);
  }

  /** The window after one zooms in (below 1) or out about a place; null when all is seen again. */
  zoomed(factor: number, about: number, whole: Stretch): Stretch | null {
    const least = 0.01 / this.#length;
    const by = Math.max(factor, least);
    const start = this.time(about - about * by);
    const end = this.time(about + (1 - about) * by);
    if (start <= whole.start && end >= whole.end) return null;
    return { start: Math.max(start, whole.start), end: Math.min(end, whole.end) };
  }

  /** Round times since `zero`, so many as have room in `track` pixels. */
  ticks(zero: number, track: number): Tick[] {
    const step = stepFor((this.#length * APART) / Math.max(track, APART));
    const ticks: Tick[] = [];
    let before = Number.NEGATIVE_INFINITY;
    let next = Math.ceil((this.start - zero) / step - 1e-6) * step;
    const long = this.end - zero >= 60 && step >= 1;
    while (next <= this.end - zero + step * 1e-6) {
      const time = zero + next;
      const cut = this.cuts.find(({ start, end }) => time > start && time < end);
      if (cut) {
        next = Math.ceil((cut.end - zero) / step) * step;
        continue;
      }
      const x = this.x(time);
      if ((x - before) * track >= APART * 0.6) {
        const digits = step < 1 ? Math.ceil(-Math.log10(step) - 1e-9) : 0;
        const unit = ticks.length ? "" : " s";
        ticks.push({ x, text: long ? clock(next + 1e-6) : `${next.toFixed(digits)}${unit}` });
        before = x;
      }
      next = Math.round((next + step) / step) * step;
    }
    return ticks;
  }

  #along(time: number): number {
    const [[t0, a0], [t1, a1]] = this.#piece(([t]) => time <= t);
    return a0 + (t1 > t0 ? ((time - t0) / (t1 - t0)) * (a1 - a0) : 0);
  }

  #piece(ends: (knot: [number, number]) => boolean): [[number, number], [number, number]] {
    const knots = this.#knots;
    let i = 1;
    while (i < knots.length - 1 && !ends(knots[i] as [number, number])) i++;
    return [knots[i - 1] as [number, number], knots[i] as [number, number]];
  }
}

function stepFor(seconds: number): number {
  if (seconds <= 1) {
    const power = 10 ** Math.floor(Math.log10(Math.max(seconds, 1e-4)));
    return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= seconds - 1e-9) as number;
  }
  return STEPS.find((step) => step >= seconds) ?? Math.ceil(seconds / 86400) * 86400;
}
