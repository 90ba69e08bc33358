import type { Comm } from "../src/comm.ts";
import * as explore from "../src/explore.ts";
import type { Fields, Namespace, Patch, Record, RunState, Snapshot } from "../src/protocol.ts";
import type { Store } from "../src/store.ts";
import widget from "../src/widget.ts";

export const T0 = 1_700_000_000;

let seq = 0;

export function restart() {
  seq = 0;
}

export function record(type: Record["type"], fields: Partial<Record> = {}): Record {
  seq += 1;
  return {
    id: `${type}:${seq}`,
    type,
    namespace: [],
    speaker: "team",
    seq,
    order: seq,
    status: "completed",
    content: "",
    started_at: T0 + seq,
    ...fields,
  };
}

export const user = (content: string, fields: Partial<Record> = {}) =>
  record("user", { content, speaker: "You", ...fields });
export const ai = (content: string, fields: Partial<Record> = {}) => record("ai", { content, ...fields });
export const tool = (name: string, fields: Partial<Record> = {}) =>
  record("tool_call", { name, args: {}, ...fields });

export function namespace(segments: string[], fields: Partial<Namespace> = {}): Namespace {
  seq += 1;
  return {
    key: segments.join("|"),
    namespace: segments,
    label: segments.at(-1)?.split(":")[0] ?? "team",
    parent: segments.length ? segments.slice(0, -1).join("|") : null,
    spawned_by: null,
    status: "running",
    is_agent: true,
    seq,
    order: seq,
    started_at: T0 + seq,
    ...fields,
  };
}

export const running = (fields: Partial<RunState> = {}): RunState => ({
  status: "running",
  turn: 1,
  now: T0 + 50,
  started_at: T0,
  ...fields,
});

export function snapshot(fields: Partial<Snapshot> = {}, namespaces: Namespace[] = []): Snapshot {
  const root = namespace([], { label: "team", seq: 0, order: 0 });
  seq -= 1;
  return {
    type: "snapshot",
    epoch: "e1",
    n: 0,
    run: running(),
    namespaces: Object.fromEntries([root, ...namespaces].map((n) => [n.key, n])),
    chat_history: [],
    live_chat: [],
    floor: 0,
    earlier: {},
    ...fields,
  };
}

export const patch = (n: number, fields: Partial<Patch> = {}): Patch => ({
  type: "patch",
  epoch: "e1",
  n,
  ...fields,
});

type Listener = (...args: never[]) => void;

/** What a kernel connection tells of. */
export class FakeSignal {
  slots = new Set<(sender: unknown, value: unknown) => void>();
  connect(slot: (sender: unknown, value: unknown) => void) {
    this.slots.add(slot);
  }
  disconnect(slot: (sender: unknown, value: unknown) => void) {
    this.slots.delete(slot);
  }
  emit(value?: unknown) {
    for (const slot of [...this.slots]) slot(null, value);
  }
}

/** A model as a notebook hands it over, with a count of who listens. */
export class FakeModel {
  listeners: [string, Listener][] = [];
  sent: Fields[] = [];
  saved = 0;
  /** Some notebooks hide these. */
  comm_live?: boolean;
  widget_manager?: unknown;
  constructor(public traits: Fields = {}) {}
  get(name: string) {
    return this.traits[name];
  }
  set(name: string, value: unknown) {
    this.traits[name] = value;
    this.emit(`change:${name}`);
  }
  save_changes() {
    this.saved++;
  }
  send(content: Fields) {
    this.sent.push(JSON.parse(JSON.stringify(content)));
  }
  on(event: string, listener: Listener) {
    this.listeners.push([event, listener]);
  }
  off(event: string, listener: Listener) {
    this.listeners = this.listeners.filter(([e, l]) => e !== event || l !== listener);
  }
  emit(event: string, ...args: unknown[]) {
    for (const [e, listener] of [...this.listeners]) if (e === event) listener(...(args as never[]));
  }
  receive(message: unknown) {
    this.emit("msg:custom", JSON.parse(JSON.stringify(message)), []);
  }
}

export interface Stand {
  model: FakeModel;
  el: HTMLElement;
  room: AbortController;
  end: AbortController;
  /** One more display of the same model. */
  display(): { el: HTMLElement; end: AbortController };
}

/** A displayed view of a model with these traits. */
export function stand(traits: Fields = {}): Stand {
  const model = new FakeModel({ mode: "nested", collapse: "auto", snapshot: snapshot(), ...traits });
  const room = new AbortController();
  const made = widget(async () => explore);
  made.initialize({ model: model as never, signal: room.signal });
  const display = () => {
    const el = document.createElement("div");
    document.body.append(el);
    const end = new AbortController();
    made.render({ model: model as never, el, signal: end.signal });
    return { el, end };
  };
  return { model, room, ...display(), display };
}

/** Lets the pending frame be drawn. */
export async function drawn() {
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
}

export type { Comm, Store };
