import type { Namespace, Record } from "../protocol.ts";
import type { Store } from "../store.ts";
import { keyOf } from "../tree.ts";
import { type Gap, gapsOf, without } from "./gaps.ts";
import type { Scale } from "./scale.ts";

export type Kind = "model" | "tool" | "failed" | "wait";

/** Seconds since the epoch. */
export interface Stretch {
  start: number;
  end: number;
}

export interface Span extends Stretch {
  kind: Kind;
  /** The record that it is, or the first of several. */
  seq: number;
}

export interface Lane {
  key: string;
  label: string;
  depth: number;
  status: Namespace["status"];
  start: number;
  end: number;
  /** Between its start and end, without what is cut out of the root. */
  duration: number;
  alive: Stretch[];
  /** In order of their start. */
  spans: Span[];
  tokens: number;
  seconds: { [kind in Exclude<Kind, "failed">]: number };
}

export interface Lanes extends Stretch {
  lanes: Lane[];
  /** Nothing ran: between two runs, or while a person was waited for. */
  gaps: Gap[];
}

/** What the kernel tells of rows that are not in the page. */
export interface Told {
  spans: { [key: string]: [Kind, number, number | null, number][] };
  seconds: { [key: string]: [model: number, tool: number, waiting: number] };
  /** The last `seq` that is in it. */
  upto: number;
  /** Seconds: how finely it was asked for. */
  asked: number;
}

/** What a record is on the timeline, as `spans.py` has it. */
export function spanOf(record: Record, now: number): Span | null {
  const { type, status, seq, started_at: start, ended_at } = record;
  if (type === "error" || status === "failed") return { kind: "failed", start, end: ended_at ?? start, seq };
  const end = Math.max(start, ended_at ?? now);
  if (type === "ai") return { kind: "model", start, end, seq };
  if (type === "interrupt") return { kind: "wait", start, end, seq };
  // A call that ran an agent is a lane of its own; one that was rejected never ran.
  const ran = type === "tool_call" && status !== "rejected" && !record.spawned?.length;
  return ran ? { kind: "tool", start, end, seq } : null;
}

/** The lanes of a run: those of the page's rows, and of older ones as the kernel told. */
export function lanesOf(store: Store, told: Told | null, now: number): Lanes {
  const spans = spansOf(store, told, now);
  const lanes: Lane[] = [];
  const open: [key: string, depth: number][] = [["", 0]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [key, depth] = next;
    const namespace = store.namespaces.get(key);
    if (!namespace) continue;
    lanes.push(laneOf(namespace, depth, spans.get(key) ?? [], told, store, now));
    const inside = store.tree.children(key).flatMap((child) => ("key" in child ? child.key : []));
    for (const inner of inside.reverse()) open.push([inner, depth + 1]);
  }
  const [root] = lanes;
  if (!root || (store.run.status === "idle" && store.records.size === 0 && lanes.length === 1))
    return { lanes: [], start: now, end: now, gaps: [] };
  for (const lane of lanes) waitStill(lane, lanes, now);
  const started = lanes.slice(1).map((lane) => lane.start);
  const first = store.records.get(store.seqs[0] as number);
  if (first) started.push(first.started_at);
  const start = least([root.start, ...started, ...lanes.flatMap(({ spans }) => spans[0]?.start ?? [])]);
  const end = most([root.end, ...lanes.flatMap(({ end, spans }) => [end, ...spans.map((span) => span.end)])]);
  const gaps = gapsOf(store, lanes, start, end);
  Object.assign(root, { start, alive: without({ start, end }, gaps) });
  root.duration = total(root.alive);
  for (const lane of lanes) {
    const waits = lane.spans.filter(({ kind }) => kind === "wait");
    if (waits.length === 0) continue;
    // A call that was asked about runs once it is answered.
    lane.spans = lane.spans.flatMap((span) =>
      span.kind === "tool" ? without(span, waits).map((part) => ({ ...span, ...part })) : span,
    );
  }
  return { lanes, start, end, gaps };
}

function spansOf(store: Store, told: Told | null, now: number): Map<string, Span[]> {
  const spans = new Map<string, Span[]>();
  const add = (key: string, span: Span) => {
    const there = spans.get(key);
    if (there) there.push(span);
    else spans.set(key, [span]);
  };
  for (const [key, list] of Object.entries(told?.spans ?? {}))
    for (const [kind, start, end, seq] of list)
      if (store.earlier(key) && seq < store.floorOf(key)) add(key, { kind, start, end: end ?? now, seq });
  for (const record of store.records.values()) {
    const span = spanOf(record, now);
    if (span) add(keyOf(record.namespace), span);
  }
  for (const list of spans.values()) list.sort((a, b) => a.start - b.start || a.seq - b.seq);
  return spans;
}

function laneOf(
  { key, label, status, started_at: start, ended_at, usage }: Namespace,
  depth: number,
  spans: Span[],
  told: Told | null,
  store: Store,
  now: number,
): Lane {
  const end = Math.max(start, ended_at ?? (status === "running" ? now : start));
  const seconds = { model: 0, tool: 0, wait: 0 };
  for (const span of spans) {
    const kind = span.kind === "failed" ? "tool" : span.kind;
    seconds[kind] += span.end - span.start;
  }
  const [model, tool, waiting] = told?.seconds[key] ?? [];
  if (told && (model !== undefined || store.earlier(key)))
    Object.assign(seconds, { model: model ?? 0, tool: tool ?? 0, wait: waiting ?? 0 });
  const tokens = usage?.total_tokens ?? (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0);
  const alive = [{ start, end }];
  return { key, label, depth, status, start, end, duration: end - start, alive, spans, tokens, seconds };
}

/** One that stands interrupted, and whose question is not in the page, waits since it stopped. */
function waitStill(lane: Lane, lanes: Lane[], now: number) {
  if (lane.status !== "interrupted") return;
  const asks = lanes.some(
    ({ key, spans }) =>
      (key === lane.key || !lane.key || key.startsWith(`${lane.key}|`)) &&
      spans.some(({ kind }) => kind === "wait"),
  );
  if (asks) return;
  lane.spans.push({ kind: "wait", start: lane.end, end: now, seq: -1 });
  lane.seconds.wait ||= now - lane.end;
}

export interface Bar {
  kind: Kind;
  /** From the start of the track, in pixels. */
  x: number;
  width: number;
  seq: number;
}

/** Narrower ones could not be seen or hit. */
export const NARROWEST = 3;

/** What is drawn of spans in a track: those of one kind that are closer than `near` pixels are one. */
export function bars(spans: Span[], scale: Scale, track: number, near = 1): Bar[] {
  const drawn: Bar[] = [];
  const last = new Map<Kind, Bar>();
  for (const { kind, start, end, seq } of spans) {
    const from = Math.max(scale.x(start) * track, 0);
    const to = Math.min(scale.x(end) * track, track);
    if (to < 0 || from > track) continue;
    const width = Math.max(to - from, NARROWEST);
    const x = Math.min(from, track - NARROWEST);
    const before = last.get(kind);
    if (before && x - before.x - before.width < near)
      before.width = Math.max(before.width, x + width - before.x);
    else {
      const bar = { kind, x, width, seq };
      last.set(kind, bar);
      drawn.push(bar);
    }
  }
  return drawn;
}

/** The span at a time, or the nearest one within `reach` seconds; shorter ones lie on top. */
export function spanAt(spans: Span[], time: number, reach: number, kinds?: Kind[]): Span | undefined {
  let best: Span | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const span of spans) {
    if (kinds && !kinds.includes(span.kind)) continue;
    const away = Math.max(span.start - time, time - span.end, 0);
    if (away > reach) continue;
    const far = away * 1e6 + (span.end - span.start);
    if (far < least) {
      least = far;
      best = span;
    }
  }
  return best;
}

function total(stretches: Stretch[]): number {
  return stretches.reduce((sum, { start, end }) => sum + end - start, 0);
}

function least(numbers: number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

function most(numbers: number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}
