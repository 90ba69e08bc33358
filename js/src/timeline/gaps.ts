import type { Store } from "../store.ts";
import type { Lane, Stretch } from "./spans.ts";

/** Nothing ran. */
export interface Gap extends Stretch {
  waiting: boolean;
}

/** So long may nothing be seen of a run that goes on. */
const SILENCE = 30;

/** Between two runs, and while a person was waited for. */
export function gapsOf(store: Store, lanes: Lane[], start: number, end: number): Gap[] {
  const gaps: Gap[] = [];
  const waits = lanes.flatMap(({ spans }) => spans.filter(({ kind }) => kind === "wait"));
  if (waits.length) {
    const ran = lanes.flatMap(({ spans }) => spans.filter(({ kind }) => kind !== "wait"));
    const times = [...ran.flatMap((span) => [span.start, span.end]), ...lanes.map((lane) => lane.start)];
    times.sort((a, b) => a - b);
    for (const { start: asked, end: answered } of waits) {
      // What else had been begun went on for a while.
      let since = asked;
      for (const time of times) if (time > since && time < answered) since = time;
      if (answered > since) gaps.push({ start: since, end: answered, waiting: true });
    }
  }
  // What an agent did lies within its lane.
  const own = lanes[0]?.spans.filter(({ kind }) => kind !== "wait") ?? [];
  const busy: Stretch[] = [...own, ...gaps, ...lanes.slice(1)];
  const { started_at = end, ended_at = end } = store.run;
  busy.push({ start: started_at, end: ended_at });
  const asked = new Set<number>();
  for (const { type, namespace, started_at } of store.records.values()) {
    if (namespace.length) continue;
    busy.push({ start: started_at, end: started_at });
    if (type === "user") asked.add(started_at);
  }
  asked.add(started_at);
  let until = start;
  for (const next of busy.sort((a, b) => a.start - b.start)) {
    if (next.start > until && (asked.has(next.start) || next.start - until > SILENCE))
      gaps.push({ start: until, end: next.start, waiting: false });
    until = Math.max(until, next.end);
  }
  return joined(gaps);
}

function joined(gaps: Gap[]): Gap[] {
  const result: Gap[] = [];
  for (const gap of gaps.sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (!last || gap.start > last.end) result.push({ ...gap });
    else {
      last.end = Math.max(last.end, gap.end);
      last.waiting ||= gap.waiting;
    }
  }
  return result;
}

/** What is left of a stretch. */
export function without({ start, end }: Stretch, holes: Stretch[]): Stretch[] {
  const parts: Stretch[] = [];
  let from = start;
  for (const hole of [...holes].sort((a, b) => a.start - b.start)) {
    if (hole.end <= from || hole.start >= end) continue;
    if (hole.start > from) parts.push({ start: from, end: hole.start });
    from = Math.max(from, hole.end);
  }
  if (from < end || parts.length === 0) parts.push({ start: Math.min(from, end), end });
  return parts;
}
