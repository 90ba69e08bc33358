import { ended } from "./dom.ts";
import type { Fields, Namespace, Patch, Record, Rows, RunState, Snapshot } from "./protocol.ts";
import { Tally } from "./tally.ts";
import { keyOf, Tree } from "./tree.ts";

/** What changed since the last frame. */
export interface Changes {
  /** Everything: draw from nothing. */
  all: boolean;
  run: boolean;
  records: Set<number>;
  /** Whether a row is new; older ones come when they are asked for. */
  added: Map<number, boolean>;
  /** Rows and boxes that are no longer kept. */
  dropped: (number | string)[];
  namespaces: Set<string>;
  /** Namespace -> first changed position among its children. */
  children: Map<string, number>;
}

export type Listener = (changes: Changes) => void;

const REFUSED = new Set(["__proto__", "constructor", "prototype"]);
const READY: RunState = { status: "idle", turn: 0, now: 0 };

/**
 * The state that all views of one model draw. Patches change it at once; views hear of it
 * once per animation frame.
 */
export class Store {
  run: RunState = READY;
  epoch: string | null = null;
  n = 0;
  /** From this `seq` on every row is here. */
  floor = 0;
  /** How many boxes right inside a namespace only the kernel has. */
  closed = new Map<string, number>();
  /** Boxes that have ended well. */
  completed = 0;
  connection: "live" | "lost" = "live";
  namespaces = new Map<string, Namespace>();
  records = new Map<number, Record>();
  tree = new Tree();
  tally = new Tally();
  /** Kernel time minus page time, in seconds. */
  skew = 0;

  /** When the kernel was lost, in seconds by the page's clock. */
  #lostAt: number | null = null;
  #ids = new Map<string, number>();
  /** Where a namespace has more of its rows here than others, or fewer. */
  #floors = new Map<string, number>();
  /** Older rows of a namespace that only the kernel has. */
  #earlier = new Map<string, number>();
  #newest = new Map<string, number>();
  #sorted: number[] | null = null;
  #listeners = new Set<Listener>();
  #changes = nothing();
  #frame: (() => void) | null = null;

  /** Rows in the order of their first appearance. */
  get seqs(): number[] {
    this.#sorted ??= [...this.records.keys()].sort((a, b) => a - b);
    return this.#sorted;
  }

  /** How many older rows and boxes only the kernel has of a namespace, or (null) rows of all. */
  earlier(key: string | null): number {
    if (key !== null) return (this.#earlier.get(key) ?? 0) + (this.closed.get(key) ?? 0);
    let sum = 0;
    for (const count of this.#earlier.values()) sum += count;
    return sum;
  }

  /** The `seq` from which on all rows of a namespace, or (null) of all, are here. */
  floorOf(key: string | null): number {
    if (key === null) return Math.max(0, ...[...this.#earlier.keys()].map((each) => this.floorOf(each)));
    return this.#floors.get(key) ?? this.floor;
  }

  /** It is here for the header of its box only: rows between it and the next are not. */
  hides({ namespace, seq }: Record): boolean {
    const key = keyOf(namespace);
    return this.#earlier.has(key) && seq < this.floorOf(key);
  }

  /** The last `seq` of a box and all inside it. */
  newest(key: string): number {
    return this.#newest.get(key) ?? this.namespaces.get(key)?.seq ?? 0;
  }

  byId(id: string): Record | undefined {
    const seq = this.#ids.get(id);
    return seq === undefined ? undefined : this.records.get(seq);
  }

  /** Seconds since the epoch by the kernel's clock, which stops with the kernel. */
  now(): number {
    return (this.#lostAt ?? Date.now() / 1000) + this.skew;
  }

  subscribe(listener: Listener, signal: AbortSignal) {
    this.#listeners.add(listener);
    ended(signal, () => this.#listeners.delete(listener));
  }

  get listening(): number {
    return this.#listeners.size;
  }

  reset(snapshot: Snapshot) {
    this.namespaces.clear();
    this.records.clear();
    this.tree.clear();
    this.tally.clear();
    this.#ids.clear();
    this.#floors.clear();
    this.#newest.clear();
    this.#sorted = null;
    this.completed = 0;
    this.epoch = snapshot.epoch;
    this.n = snapshot.n;
    this.floor = snapshot.floor;
    this.#earlier = new Map(Object.entries(snapshot.earlier));
    this.#setRun(snapshot.run);
    for (const [key, namespace] of Object.entries(snapshot.namespaces))
      this.#setNamespace(key, namespace as unknown as Fields);
    this.closed = new Map(Object.entries(snapshot.closed ?? {}));
    for (const list of [snapshot.chat_history, snapshot.live_chat])
      for (const record of list) {
        this.#add(record);
        if (record.seq < this.floor) count(this.#earlier, keyOf(record.namespace), -1);
      }
    this.#changes.all = true;
    this.#schedule();
  }

  apply(patch: Patch) {
    this.n = patch.n;
    if (patch.run) this.#setRun(patch.run);
    for (const [key, seqs] of Object.entries(patch.drop ?? {})) for (const seq of seqs) this.#drop(seq, key);
    for (const [key, fields] of Object.entries(patch.namespaces ?? {}))
      if (fields === null) this.#dropNamespace(key);
      else this.#setNamespace(key, fields);
    for (const record of patch.add ?? []) this.#add(record);
    for (const [seq, fields] of patch.set ?? []) {
      const record = this.records.get(seq);
      if (!record) continue;
      merge(record, fields);
      this.#recordChanged(record, true);
    }
    for (const [seq, text, field = "content"] of patch.append ?? []) {
      const record = this.records.get(seq);
      if (!record) continue;
      const empty = !record.content && !record.reasoning;
      record[field] = (record[field] ?? "") + text;
      this.#recordChanged(record, empty);
    }
    this.#schedule();
  }

  prepend(rows: Rows) {
    for (const record of rows.records) {
      const here = this.records.get(record.seq);
      if (here) this.#recordChanged(here, true);
      else {
        const key = keyOf(record.namespace);
        if (record.seq < this.floorOf(key)) count(this.#earlier, key, -1);
        this.#add(record);
      }
      this.#changes.added.set(record.seq, false);
    }
    const floor = rows.floor ?? (rows.earlier ? (rows.records[0]?.seq ?? 0) : 0);
    if (rows.namespace === null) {
      this.floor = Math.min(this.floor, floor);
      for (const [key, own] of this.#floors) this.#floors.set(key, Math.min(own, floor));
      if (!floor) for (const each of [this.#earlier, this.closed]) each.clear();
    } else {
      this.#floors.set(rows.namespace, floor);
      if (!floor) for (const each of [this.#earlier, this.closed]) each.delete(rows.namespace);
      this.#changes.namespaces.add(rows.namespace);
    }
    this.#changes.run = true;
    this.#schedule();
  }

  /**
   * Gives up all but the last `size` rows, and those that are drawn or may be: what goes on,
   * calls and last words for the headers of boxes. The kernel has them. `log`: rows are drawn
   * without boxes, so that none may go between two others.
   */
  evict(size: number, drawn: ReadonlyMap<number, unknown>, log: boolean) {
    const { seqs } = this;
    const before = seqs.at(-size) ?? 0;
    /** The first drawn row of a namespace, or what was said last in it. */
    const kept = new Map<string, number>();
    const said = new Map<string, number>();
    for (const seq of seqs) {
      const { namespace, type, content } = this.records.get(seq) as Record;
      const key = keyOf(namespace);
      const drawnIn = log ? "" : key;
      if (drawn.has(seq) && !kept.has(drawnIn)) kept.set(drawnIn, seq);
      if (content && type !== "user" && type !== "update") said.set(key, seq);
    }
    for (const seq of seqs) {
      if (seq >= before) break;
      const record = this.records.get(seq) as Record;
      const key = keyOf(record.namespace);
      const shown = seq >= (kept.get(log ? "" : key) ?? before) || said.get(key) === seq;
      if (shown || !record.ended_at || record.type === "artifact" || this.tree.boxesOf(record.id)) continue;
      this.#forget(record);
      count(this.#earlier, key, 1);
      // It may stand before those that went earlier: it went on, or was shown, longer than they.
      this.#floors.set(key, Math.max(this.floorOf(key), seq + 1));
    }
  }

  lose() {
    if (this.connection === "lost") return;
    this.connection = "lost";
    this.#lostAt = Date.now() / 1000;
    this.#changes.run = true;
    this.#schedule();
  }

  find() {
    this.connection = "live";
    this.#lostAt = null;
    this.#changes.run = true;
    this.#schedule();
  }

  /** Draws what is due now instead of with the next frame. */
  flush() {
    this.#frame?.();
    const changes = this.#take();
    for (const listener of [...this.#listeners]) listener(changes);
  }

  #take(): Changes {
    const changes = this.#changes;
    for (const key of this.tally.changed) changes.namespaces.add(key);
    this.tally.changed.clear();
    changes.children = this.tree.changed;
    this.tree.changed = new Map();
    this.#changes = nothing();
    return changes;
  }

  #setRun(run: RunState) {
    this.run = run;
    this.skew = run.now ? run.now - Date.now() / 1000 : 0;
    this.#changes.run = true;
  }

  #setNamespace(key: string, fields: Fields) {
    if (REFUSED.has(key)) return;
    let namespace = this.namespaces.get(key);
    const before = namespace?.status;
    if (namespace) merge(namespace, fields);
    // A change of a box that only the kernel has.
    else if (fields.key === undefined) return;
    else {
      namespace = {
        ...{ key, namespace: [], label: key, status: "running", is_agent: false },
        ...{ parent: key ? "" : null, spawned_by: null, seq: 0, order: 0, started_at: 0 },
      } as Namespace;
      merge(namespace, fields, true);
      this.namespaces.set(key, namespace);
      if (namespace.seq < this.floor) count(this.closed, namespace.parent ?? "", -1);
    }
    const { spawned_by } = namespace;
    this.tree.placeBox(namespace, spawned_by === null ? undefined : this.byId(spawned_by));
    this.tree.touch(key);
    this.tally.namespace(namespace);
    if (key) this.completed += Number(namespace.status === "completed") - Number(before === "completed");
    if (spawned_by !== null) {
      const call = this.byId(spawned_by);
      if (call) this.#recordChanged(call, true);
    }
    this.#changes.namespaces.add(key);
  }

  #dropNamespace(key: string) {
    const namespace = this.namespaces.get(key);
    if (!namespace || !key) return count(this.closed, key.replace(/\|?[^|]*$/, ""), -1);
    this.tree.removeBox(namespace);
    this.tally.drop(namespace);
    this.namespaces.delete(key);
    for (const each of [this.#earlier, this.closed, this.#floors]) each.delete(key);
    this.#newest.delete(key);
    this.completed -= Number(namespace.status === "completed");
    this.#changes.dropped.push(key);
  }

  #drop(seq: number, key: string) {
    const record = this.records.get(seq);
    if (record) this.#forget(record);
    else count(this.#earlier, key, -1);
    this.#changes.records.delete(seq);
    this.#changes.dropped.push(seq);
  }

  #forget({ seq, id }: Record) {
    this.tree.remove(seq);
    this.records.delete(seq);
    this.#ids.delete(id);
    this.#sorted = null;
  }

  #add(arrived: Record) {
    const record = { ...arrived };
    const last = this.#sorted?.at(-1);
    if (this.#sorted && !this.records.has(record.seq)) {
      if (last === undefined || record.seq > last) this.#sorted.push(record.seq);
      else this.#sorted = null;
    }
    this.records.set(record.seq, record);
    this.#ids.set(record.id, record.seq);
    this.#place(record);
    for (let box = this.namespaces.get(keyOf(record.namespace)); box?.parent != null; ) {
      if (record.seq > this.newest(box.key)) this.#newest.set(box.key, record.seq);
      box = this.namespaces.get(box.parent);
    }
    for (const key of this.tree.boxesOf(record.id) ?? []) {
      this.tree.placeBox(this.namespaces.get(key) as Namespace, record);
      this.#changes.namespaces.add(key);
    }
    this.#changes.added.set(record.seq, true);
    this.#recordChanged(record, true);
  }

  /** `shape`: not only its text grew, so its neighbours may have to be arranged anew. */
  #recordChanged(record: Record, shape: boolean) {
    this.#changes.records.add(record.seq);
    this.#changes.namespaces.add(keyOf(record.namespace));
    if (!shape) return;
    this.#place(record);
    this.tree.touch(record.seq);
  }

  #place(record: Record) {
    this.tree.placeRecord(record, record.type === "ai" ? this.byId(record.created_by ?? "") : undefined);
  }

  #schedule() {
    // A view draws everything when it comes; nobody else has to hear of this.
    if (this.#listeners.size === 0) this.#take();
    if (this.#frame || this.#listeners.size === 0) return;
    const draw = () => this.flush();
    // Frames stop in hidden pages, also in the middle of waiting for one.
    const timer = setTimeout(draw, document.hidden ? 33 : 250);
    const frame = document.hidden ? 0 : requestAnimationFrame(draw);
    this.#frame = () => {
      clearTimeout(timer);
      if (frame) cancelAnimationFrame(frame);
      this.#frame = null;
    };
  }
}

function nothing(): Changes {
  return {
    all: false,
    run: false,
    records: new Set(),
    added: new Map(),
    dropped: [],
    namespaces: new Set(),
    children: new Map(),
  };
}

/** More or fewer of a namespace are with the kernel only. */
function count(where: Map<string, number>, key: string, by: number) {
  const left = (where.get(key) ?? 0) + by;
  if (left > 0) where.set(key, left);
  else where.delete(key);
}

/** `keepNull`: a whole namespace says null for a parent or a call that it has not. */
function merge(target: object, fields: Fields, keepNull = false) {
  for (const [name, value] of Object.entries(fields)) {
    if (REFUSED.has(name)) continue;
    if (value === null && !keepNull) delete (target as Fields)[name];
    else (target as Fields)[name] = value;
  }
  const box = target as { parent?: unknown; spawned_by?: unknown; key?: unknown };
  if (box.key !== undefined) {
    box.parent ??= null;
    box.spawned_by ??= null;
  }
}
