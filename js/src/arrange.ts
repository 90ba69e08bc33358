import type { Namespace, Record } from "./protocol.ts";
import type { Store } from "./store.ts";

/** What is drawn at one place of a body; `start` is the index of its first child. */
export type Item =
  | { kind: "row"; id: string; start: number; seq: number }
  | BoxItem
  | { kind: "group"; id: string; start: number; boxes: BoxItem[] }
  | { kind: "fold"; id: string; start: number; seqs: number[] };

/** `call`: the tool call whose row this box's header takes over. */
export interface BoxItem {
  kind: "box";
  id: string;
  start: number;
  key: string;
  call: number | null;
}

const FOLDED_FROM = 9;

/** An AI message that only calls tools draws nothing. */
export function isDrawn(record: Record): boolean {
  if (record.type !== "ai") return true;
  return Boolean(record.content || record.reasoning || record.blocks?.length);
}

/** Rows and boxes of a namespace from a child on, grouped as they are drawn. */
export function arrange(store: Store, key: string, from: number, fold: boolean): Item[] {
  const items: Item[] = [];
  const count = store.tree.count(key);
  for (let i = from; i < count; i++) {
    const child = store.tree.child(key, i);
    if (!child) continue;
    if ("key" in child) {
      addBox(store, items, box(store, child.key, i));
      continue;
    }
    const record = rowOf(store, child.seq, key);
    if (!record) continue;
    const last = items.at(-1);
    if (fold && last && (last.kind === "row" || last.kind === "fold") && sameTool(store, last, record)) {
      if (last.kind === "fold") last.seqs.push(record.seq);
      else items.push({ kind: "row", id: `row ${record.seq}`, start: i, seq: record.seq });
      foldTail(store, items);
    } else items.push({ kind: "row", id: `row ${record.seq}`, start: i, seq: record.seq });
  }
  return items;
}

/** Boxes before a child that go on, or are among `others`: what stands around them is not drawn. */
export function goingOn(store: Store, key: string, before: number, others: Item[] = []): Item[] {
  const known = new Set(drawnIn(others));
  const items: Item[] = [];
  /** Whether a row stands between the last one and the next. */
  let apart = true;
  for (let i = 0; i < before; i++) {
    const child = store.tree.child(key, i);
    if (!child) continue;
    if ("seq" in child) apart ||= rowOf(store, child.seq, key) !== undefined;
    else if (known.has(child.key) || goesOn(store, child.key)) {
      const next = box(store, child.key, i);
      if (apart) items.push(next);
      else addBox(store, items, next);
      apart = false;
    }
  }
  return items;
}

export function goesOn(store: Store, key: string): boolean {
  const status = store.namespaces.get(key)?.status;
  return status === "running" || status === "interrupted";
}

/** Items with each box of a group for itself. */
export function partsOf(items: Item[]): Exclude<Item, { kind: "group" }>[] {
  return items.flatMap((item) => (item.kind === "group" ? item.boxes : [item]));
}

/** Boxes, by their keys, and rows that items draw. */
export function drawnIn(items: Item[]): (number | string)[] {
  return partsOf(items).flatMap<number | string>((item) =>
    item.kind === "row" ? item.seq : item.kind === "fold" ? item.seqs : item.key,
  );
}

/** A record that has a row of its own in a namespace. */
function rowOf(store: Store, seq: number, key: string): Record | undefined {
  const record = store.records.get(seq);
  const draws = record && isDrawn(record) && !store.hides(record) && !takenOver(store, record, key);
  return draws ? record : undefined;
}

/** The call is drawn by the header of the first box that it opened in the same namespace. */
export function takenOver(store: Store, call: Record, key: string): boolean {
  return call.type === "tool_call" && firstBox(store, call.id, key) !== undefined;
}

function firstBox(store: Store, callId: string, parent: string): Namespace | undefined {
  let first: Namespace | undefined;
  for (const key of store.tree.boxesOf(callId) ?? []) {
    const box = store.namespaces.get(key);
    if (!box || box.parent !== parent) continue;
    if (!first || box.order < first.order || (box.order === first.order && box.seq < first.seq)) first = box;
  }
  return first;
}

function box(store: Store, key: string, start: number): BoxItem {
  const namespace = store.namespaces.get(key) as Namespace;
  const call = namespace.spawned_by === null ? undefined : store.byId(namespace.spawned_by);
  const owns = call && firstBox(store, call.id, namespace.parent ?? "")?.key === key;
  const here = owns && call.namespace.join("|") === namespace.parent;
  return { kind: "box", id: `box ${key}`, start, key, call: here ? call.seq : null };
}

/** Neighbouring boxes that ran at the same time stand in one group. */
function addBox(store: Store, items: Item[], next: BoxItem) {
  const last = items.at(-1);
  const before = last?.kind === "group" ? last.boxes : last?.kind === "box" ? [last] : [];
  const started = store.namespaces.get(next.key)?.started_at ?? 0;
  const overlaps = before.some(({ key }) => {
    const other = store.namespaces.get(key);
    const ends = other?.ended_at ?? Number.POSITIVE_INFINITY;
    const mine = store.namespaces.get(next.key)?.ended_at ?? Number.POSITIVE_INFINITY;
    return other !== undefined && started < ends && other.started_at < mine;
  });
  if (!last || !overlaps) items.push(next);
  else if (last.kind === "group") last.boxes.push(next);
  else if (last.kind === "box")
    items[items.length - 1] = {
      kind: "group",
      id: `group ${last.key}`,
      start: last.start,
      boxes: [last, next],
    };
}

function sameTool(store: Store, last: Item, record: Record): boolean {
  const seq = last.kind === "row" ? last.seq : last.kind === "fold" ? last.seqs[0] : undefined;
  const other = seq === undefined ? undefined : store.records.get(seq);
  return isFoldable(record) && other !== undefined && isFoldable(other) && other.name === record.name;
}

function isFoldable(record: Record): boolean {
  return record.type === "tool_call" && record.status === "completed" && !record.artifacts?.length;
}

function foldTail(store: Store, items: Item[]) {
  const seqs: number[] = [];
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i] as Item;
    const record = item.kind === "row" ? store.records.get(item.seq) : undefined;
    const first = seqs[0] === undefined ? record : store.records.get(seqs[0]);
    if (item.kind !== "row" || !record || !isFoldable(record) || record.name !== first?.name) break;
    seqs.unshift(item.seq);
  }
  if (seqs.length < FOLDED_FROM) return;
  const first = items[items.length - seqs.length] as Item;
  items.splice(-seqs.length, seqs.length, { kind: "fold", id: `fold ${seqs[0]}`, start: first.start, seqs });
}
