import type { Namespace, Record } from "./protocol.ts";

/** What stands in a namespace: a row, or a box. */
export type Child = { seq: number } | { key: string };

export type Place = readonly [order: number, seq: number, innerOrder: number, innerSeq: number];

interface Slot {
  child: Child;
  place: Place;
}

function compare(a: Place, b: Place): number {
  for (let i = 0; i < 4; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference) return difference;
  }
  return 0;
}

/**
 * The order of rows and boxes inside each namespace: by `(order, seq)`, a called box right
 * behind its call. Kept sorted, so that a new row at the end costs one comparison.
 */
export class Tree {
  #slots = new Map<string, Slot[]>();
  #places = new Map<number | string, { parent: string; place: Place }>();
  #boxesOf = new Map<string, Set<string>>();
  /** The first position that changed since `taken`, per namespace. */
  changed = new Map<string, number>();

  clear() {
    this.#slots.clear();
    this.#places.clear();
    this.#boxesOf.clear();
    this.changed.clear();
  }

  children(key: string): Child[] {
    return (this.#slots.get(key) ?? []).map((slot) => slot.child);
  }

  count(key: string): number {
    return this.#slots.get(key)?.length ?? 0;
  }

  child(key: string, index: number): Child | undefined {
    return this.#slots.get(key)?.[index]?.child;
  }

  /** Index of the first child that does not stand before `place`. */
  index(key: string, place: Place): number {
    return this.#find(key, place);
  }

  place(key: string, index: number): Place | undefined {
    return this.#slots.get(key)?.[index]?.place;
  }

  remove(handle: number | string) {
    const known = this.#places.get(handle);
    if (!known) return;
    const at = this.#find(known.parent, known.place);
    this.#slots.get(known.parent)?.splice(at, 1);
    this.#places.delete(handle);
    this.#mark(known.parent, at);
  }

  removeBox({ key, spawned_by }: Namespace) {
    this.remove(key);
    this.#slots.delete(key);
    this.changed.delete(key);
    if (spawned_by !== null) this.#boxesOf.get(spawned_by)?.delete(key);
  }

  /** Boxes that a call opened in its own namespace, in order. */
  boxesOf(callId: string): ReadonlySet<string> | undefined {
    return this.#boxesOf.get(callId);
  }

  /** Says that a child looks different to its neighbours (a status, an interval). */
  touch(handle: number | string) {
    const known = this.#places.get(handle);
    if (known) this.#mark(known.parent, this.#find(known.parent, known.place));
  }

  /** `call`: the one in whose tool it was said, right behind which it stands. */
  placeRecord(record: Record, call?: Record) {
    const place: Place = call
      ? [call.order, call.seq, record.order, record.seq]
      : [record.order, record.seq, -1, -1];
    this.#put(record.seq, keyOf(record.namespace), place, { seq: record.seq });
  }

  placeBox(box: Namespace, call: Record | undefined) {
    if (box.parent === null) return;
    const called = call && keyOf(call.namespace) === box.parent;
    const place: Place = called ? [call.order, call.seq, box.order, box.seq] : [box.order, box.seq, -1, -1];
    if (box.spawned_by !== null) {
      let boxes = this.#boxesOf.get(box.spawned_by);
      if (!boxes) this.#boxesOf.set(box.spawned_by, (boxes = new Set()));
      boxes.add(box.key);
    }
    this.#put(box.key, box.parent, place, { key: box.key });
  }

  #put(handle: number | string, parent: string, place: Place, child: Child) {
    const known = this.#places.get(handle);
    if (known) {
      if (known.parent === parent && compare(known.place, place) === 0) return;
      const old = this.#slots.get(known.parent) as Slot[];
      const at = this.#find(known.parent, known.place);
      old.splice(at, 1);
      this.#mark(known.parent, at);
    }
    let slots = this.#slots.get(parent);
    if (!slots) this.#slots.set(parent, (slots = []));
    const at = this.#find(parent, place);
    slots.splice(at, 0, { child, place });
    this.#places.set(handle, { parent, place });
    this.#mark(parent, at);
  }

  /** Index of the first slot that does not stand before `place`. */
  #find(parent: string, place: Place): number {
    const slots = this.#slots.get(parent) ?? [];
    let high = slots.length;
    const last = slots[high - 1];
    if (last && compare(last.place, place) < 0) return high;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare((slots[middle] as Slot).place, place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #mark(parent: string, at: number) {
    this.changed.set(parent, Math.min(at, this.changed.get(parent) ?? at));
  }
}

export function keyOf(namespace: readonly string[]): string {
  return namespace.join("|");
}
