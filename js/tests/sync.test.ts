import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Comm } from "../src/comm.ts";
import { Store } from "../src/store.ts";
import { ai, FakeModel, FakeSignal, patch, restart, snapshot } from "./builders.ts";

function connect(traits = { snapshot: snapshot() as unknown }, more: Partial<FakeModel> = {}) {
  const model = Object.assign(new FakeModel(traits), more);
  const store = new Store();
  const end = new AbortController();
  new Comm(model as never, store, end.signal);
  const hellos = () => model.sent.filter((message) => message.type === "hello");
  return { model, store, end, hellos, text: () => store.records.get(1)?.content };
}

beforeEach(() => {
  restart();
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const begun = () => snapshot({ live_chat: [ai("a", { status: "streaming" })] });
const say = (n: number, text: string) => patch(n, { append: [[1, text]] });

describe("a page keeps in step with the kernel", () => {
  it("by saying hello with what it has", () => {
    const { model } = connect({ snapshot: snapshot({ n: 7 }) });
    expect(model.sent).toEqual([{ type: "hello", epoch: "e1", have: 7 }]);
  });

  it("by dropping patches that it already has", () => {
    const { model, text } = connect({ snapshot: begun() });
    model.receive(say(1, "b"));
    model.receive(say(1, "b"));
    expect(text()).toBe("ab");
  });

  it("by holding patches behind a gap until the gap is filled", () => {
    const { model, text, hellos } = connect({ snapshot: begun() });
    model.receive(say(2, "c"));
    model.receive(say(4, "e"));
    expect(text()).toBe("a");
    expect(hellos().at(-1)).toEqual({ type: "hello", epoch: "e1", have: 0 });
    model.receive(say(1, "b"));
    expect(text()).toBe("abc");
    model.receive(say(3, "d"));
    expect(text()).toBe("abcde");
  });

  it("by filling a gap with one answer, once", () => {
    const { model, text, hellos } = connect({ snapshot: begun() });
    model.receive(say(1, "b"));
    model.receive(say(6, "g"));
    const asked = hellos().length;
    const missed = { type: "missed", patches: [1, 2, 3, 4].map((n) => say(n, "abcde"[n] as string)) };
    model.receive(missed);
    expect(text()).toBe("abcde");
    model.receive({ type: "missed", patches: [say(5, "f")] });
    model.receive(missed);
    expect(text()).toBe("abcdefg");
    expect(hellos()).toHaveLength(asked);
  });

  it("by asking again at doubling intervals, and no more once it is answered", () => {
    const { model, hellos } = connect({ snapshot: begun() });
    model.receive(say(2, "c"));
    const asked = () => hellos().length - 2;
    vi.advanceTimersByTime(1000);
    expect(asked()).toBe(1);
    vi.advanceTimersByTime(2000);
    expect(asked()).toBe(2);
    vi.advanceTimersByTime(4000);
    expect(asked()).toBe(3);
    model.receive(say(1, "b"));
    vi.advanceTimersByTime(60_000);
    expect(asked()).toBe(3);
  });

  it("by asking for a snapshot when the epoch is another one", () => {
    const { model, store, hellos } = connect({ snapshot: begun() });
    model.receive({ ...say(1, "x"), epoch: "e2" });
    expect(hellos()).toHaveLength(2);
    model.receive(snapshot({ epoch: "e2", n: 1, live_chat: [ai("new")] }));
    expect([...store.records.values()].map((r) => r.content)).toEqual(["new"]);
    vi.advanceTimersByTime(60_000);
    expect(hellos()).toHaveLength(2);
  });

  it("by going on behind a snapshot with patches that came before it", () => {
    const { model, text } = connect({ snapshot: null });
    model.receive(say(3, "d"));
    model.receive({ ...begun(), n: 2 });
    expect(text()).toBe("ad");
  });

  it("by taking a newer snapshot of the trait, not an older one", () => {
    const { model, store } = connect({ snapshot: snapshot({ n: 3 }) });
    model.set("snapshot", snapshot({ n: 2, live_chat: [ai("old")] }));
    expect(store.records.size).toBe(0);
    model.set("snapshot", snapshot({ n: 9, live_chat: [ai("new")] }));
    expect(store.records.size).toBe(1);
  });

  it("by fetching earlier rows until it has 2,000", () => {
    const rows = Array.from({ length: 2600 }, () => ai("x"));
    const { model, store } = connect({
      snapshot: snapshot({ live_chat: rows.slice(2100), floor: 2101, earlier: { "": 2100 } }),
    });
    for (let limit = 0; limit < 10; limit++) {
      const ask = model.sent.findLast((m) => m.type === "rows") as { type: string; before: number };
      if (ask.type !== "rows" || ask.before !== store.floor) break;
      const end = ask.before - 1;
      model.receive({
        type: "rows",
        epoch: "e1",
        n: 0,
        namespace: null,
        before: ask.before,
        records: rows.slice(end - 500, end),
        earlier: end - 500,
      });
    }
    expect(store.records.size).toBe(2000);
    expect(store.earlier(null)).toBe(600);
    expect(store.seqs[0]).toBe(601);
  });

  it("by refusing earlier rows of another moment, and asking again when it has caught up", () => {
    const { model, store, hellos } = connect({
      snapshot: snapshot({ live_chat: [ai("x"), ai("y")], floor: 1, earlier: { "": 1 } }),
    });
    const asked = () => model.sent.filter((m) => m.type === "rows").length;
    const answer = { namespace: null, before: 1, records: [ai("z")], earlier: 0 };
    model.receive({ type: "rows", epoch: "e1", n: 1, ...answer });
    expect(store.records.size).toBe(2);
    expect(hellos()).toHaveLength(2);
    expect(asked()).toBe(1);
    model.receive(patch(1));
    expect(asked()).toBe(2);
  });

  it("in the order run, namespaces, add, set, append; null removes a field", () => {
    const { model, store } = connect({ snapshot: snapshot() });
    model.receive(
      patch(1, {
        append: [
          [1, "lo"],
          [1, "hm", "reasoning"],
        ],
        set: [[1, { content: "hel", model: null }]],
        add: [ai("", { model: "m" })],
        run: { status: "completed", turn: 1, now: 1 },
      }),
    );
    expect(store.records.get(1)).toMatchObject({ content: "hello", reasoning: "hm" });
    expect(store.records.get(1)).not.toHaveProperty("model");
    expect(store.run.status).toBe("completed");
  });

  it("until its model ends: no timer, no listener stays", () => {
    const { model, end } = connect({ snapshot: null });
    expect(vi.getTimerCount()).toBe(1);
    end.abort();
    expect(vi.getTimerCount()).toBe(0);
    expect(model.listeners).toEqual([]);
  });

  it("and says so when the kernel cannot be reached", () => {
    const { model, store } = connect();
    model.send = () => {
      throw new Error("comm closed");
    };
    model.receive(say(5, "x"));
    expect(store.connection).toBe("lost");
  });
});

describe("a page notices that its kernel is gone", () => {
  const kernel = () => ({
    statusChanged: new FakeSignal(),
    connectionStatusChanged: new FakeSignal(),
    disposed: new FakeSignal(),
  });
  function connected() {
    const seen = kernel();
    return { ...connect({ snapshot: begun() }, { widget_manager: { kernel: seen } }), kernel: seen };
  }

  it("when the comm is not live any more, until it is and the kernel answers", () => {
    const { model, store, hellos } = connect({ snapshot: begun() }, { comm_live: true });
    model.comm_live = false;
    model.emit("comm_live_update");
    expect(store.connection).toBe("lost");
    model.comm_live = true;
    model.emit("comm_live_update");
    expect(hellos().at(-1)?.epoch).toBe(null);
    expect(store.connection).toBe("lost");
    model.receive(begun());
    expect(store.connection).toBe("live");
  });

  it("when all it hears is that the comm changed, and nothing can be sent", () => {
    const { model, store } = connect({ snapshot: begun() });
    model.emit("comm_live_update");
    expect(store.connection).toBe("live");
    model.send = () => {
      throw new Error("Cannot send");
    };
    model.emit("comm_live_update");
    expect(store.connection).toBe("lost");
  });

  it("when the comm is closed", () => {
    const { model, store } = connect({ snapshot: begun() });
    model.emit("comm:close");
    expect(store.connection).toBe("lost");
  });

  it.each(["restarting", "autorestarting", "terminating", "dead"])("when it is %s", (status) => {
    const { store, kernel } = connected();
    for (const harmless of ["idle", "busy", "unknown"]) kernel.statusChanged.emit(harmless);
    expect(store.connection).toBe("live");
    kernel.statusChanged.emit(status);
    expect(store.connection).toBe("lost");
  });

  it("when the notebook lets go of it", () => {
    const { store, kernel } = connected();
    kernel.disposed.emit();
    expect(store.connection).toBe("lost");
  });

  it("when its connection stays away, not when it comes back at once", () => {
    const { store, kernel, hellos } = connected();
    kernel.connectionStatusChanged.emit("connecting");
    vi.advanceTimersByTime(1000);
    kernel.connectionStatusChanged.emit("connected");
    expect(hellos().at(-1)).toEqual({ type: "hello", epoch: "e1", have: 0 });
    vi.advanceTimersByTime(5000);
    expect(store.connection).toBe("live");
    kernel.connectionStatusChanged.emit("connecting");
    vi.advanceTimersByTime(2000);
    expect(store.connection).toBe("lost");
  });

  it("and goes on when the same kernel is back: with a patch, or a renewed trait", () => {
    const { model, store, kernel, text } = connected();
    kernel.connectionStatusChanged.emit("disconnected");
    model.receive(say(1, "b"));
    expect(store.connection).toBe("live");
    expect(text()).toBe("ab");
    kernel.connectionStatusChanged.emit("disconnected");
    model.set("snapshot", { ...begun(), n: 1 });
    expect(store.connection).toBe("live");
    expect(text()).toBe("ab");
  });

  it("not because it is busy", () => {
    const { store, kernel } = connected();
    kernel.statusChanged.emit("busy");
    vi.advanceTimersByTime(600_000);
    expect(store.connection).toBe("live");
  });

  it("and its clock stops; nothing is asked any more", () => {
    const { model, store, kernel } = connected();
    model.receive(say(2, "c"));
    kernel.statusChanged.emit("restarting");
    expect(vi.getTimerCount()).toBe(0);
    const then = store.now();
    vi.advanceTimersByTime(5000);
    expect(store.now()).toBe(then);
    model.receive(say(1, "b"));
    expect(store.now()).toBeCloseTo(then + 5, 1);
  });

  it("until its model ends", () => {
    const { model, end, kernel } = connected();
    kernel.connectionStatusChanged.emit("connecting");
    end.abort();
    expect(model.listeners).toEqual([]);
    for (const signal of Object.values(kernel)) expect(signal.slots.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([undefined, {}, { kernel: null }, { kernel: {} }, { kernel: { statusChanged: {} } }])(
    "or does not, where the notebook shows %j",
    (widget_manager) => {
      const { store, end } = connect({ snapshot: begun() }, { widget_manager });
      end.abort();
      expect(store.connection).toBe("live");
    },
  );
});
