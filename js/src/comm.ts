import type { AnyModel } from "@anywidget/types";
import { ended, listen } from "./dom.ts";
import { watchKernel } from "./kernel.ts";
import type { Command, Fields, Message, Patch, Snapshot, Traits } from "./protocol.ts";
import type { Store } from "./store.ts";

export type Model = AnyModel<Traits & { [trait: string]: unknown }>;

/** At most so many rows are fetched without being asked for. */
const FETCHED = 2000;
const PAGE = 500;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;
/** So long may an answer take before the kernel counts as busy. */
const ANSWERED_IN = 5000;

/** Keeps the store in step with the kernel: nothing twice, nothing lost, gaps asked for. */
export class Comm {
  #held = new Map<number, Patch>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whose older rows were asked for, and before which `seq`; null: those of all. */
  #wanted = new Map<string | null, number>();
  #asked = new Map<string, (answer: Fields) => void>();

  constructor(
    readonly model: Model,
    readonly store: Store,
    signal: AbortSignal,
    early: unknown[] = [],
  ) {
    const receive = (message: unknown) => {
      this.#found();
      this.#receive(message as Message);
    };
    const renewed = () => {
      this.#found();
      this.#snapshot(model.get("snapshot"));
    };
    listen(model, signal, [
      ["msg:custom", receive],
      ["change:snapshot", renewed],
    ]);
    ended(signal, () => clearTimeout(this.#timer));
    watchKernel(
      model,
      () => this.#lose(),
      () => this.#hello(false),
      signal,
    );
    this.#snapshot(model.get("snapshot"));
    for (const message of early) receive(message);
    this.#hello(this.store.epoch === null);
  }

  send(command: Command) {
    try {
      this.model.send(command);
    } catch {
      this.#lose();
    }
  }

  stop() {
    this.send({ type: "stop" });
  }

  /** The kernel's answer to a question of `questions.py`; null when it is busy or gone. */
  ask(question: Fields): Promise<Fields | null> {
    const ask = Math.random().toString(36).slice(2);
    return new Promise((done) => {
      const timer = setTimeout(() => answered(null), ANSWERED_IN);
      const answered = (answer: Fields | null) => {
        clearTimeout(timer);
        this.#asked.delete(ask);
        done(answer);
      };
      this.#asked.set(ask, answered);
      this.send({ type: "ask", ask, ...question });
      if (this.store.connection === "lost") answered(null);
    });
  }

  /** Asks for older rows of a namespace, or (null) of all. */
  fetchEarlier(namespace: string | null) {
    if (this.store.earlier(namespace) <= 0) return;
    const before = this.store.floorOf(namespace);
    this.#wanted.set(namespace, before);
    const closed = this.store.closed.get(namespace ?? "");
    this.send({ type: "rows", namespace, before, limit: PAGE, closed });
  }

  #lose() {
    this.#answered();
    this.store.lose();
  }

  /** Whatever comes shows that the kernel is there. */
  #found() {
    if (this.store.connection === "live") return;
    this.#wanted.clear();
    this.store.find();
  }

  #receive(message: Message) {
    if (message.type === "snapshot") this.#snapshot(message);
    else if (message.type === "patch") this.#patches([message]);
    else if (message.type === "missed") this.#patches(message.patches);
    else if (message.type === "answer") this.#asked.get(message.ask)?.(message);
    else if (message.type === "rows") {
      const { epoch, n, before, namespace } = message;
      // All pages hear what one of them asked for.
      if (this.#wanted.get(namespace) === before) this.#wanted.delete(namespace);
      if (epoch !== this.store.epoch) return;
      // Rows of another moment would miss changes, or get them twice; those that do not end
      // where the rows here begin would leave a gap.
      if (n > this.store.n) return this.#hello(true);
      if (n === this.store.n && before === this.store.floorOf(namespace)) this.store.prepend(message);
      this.#fill();
    }
  }

  #snapshot(snapshot: Snapshot | null) {
    if (!snapshot?.epoch) return;
    const { epoch, n } = this.store;
    if (snapshot.epoch === epoch && snapshot.n <= n) {
      // Nothing that is not here already: what is drawn, and the reader's place in it, stay.
      if (snapshot.n === n && this.#held.size === 0) this.#answered();
      return;
    }
    this.#wanted.clear();
    for (const [held, patch] of this.#held) if (patch.epoch !== snapshot.epoch) this.#held.delete(held);
    this.store.reset(snapshot);
    this.#answered();
    this.#release();
    this.#fill();
  }

  #patches(patches: Patch[]) {
    const { epoch, n } = this.store;
    const fresh = patches.filter((patch) => patch.epoch !== epoch || patch.n > n);
    if (fresh.length === 0) return;
    for (const patch of fresh) this.#held.set(patch.n, patch);
    this.#release();
    if (this.#held.size > 0) return this.#hello(true);
    this.#answered();
    this.#fill();
  }

  #release() {
    for (const [n, patch] of this.#held)
      if (patch.epoch === this.store.epoch && n <= this.store.n) this.#held.delete(n);
    for (;;) {
      const next = this.#held.get(this.store.n + 1);
      if (!next || next.epoch !== this.store.epoch) break;
      this.#held.delete(next.n);
      this.store.apply(next);
    }
  }

  /** Older rows come page by page until the view holds enough. */
  #fill() {
    if (this.store.records.size < FETCHED && !this.#wanted.has(null)) this.fetchEarlier(null);
  }

  #answered() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** `again`: until an answer comes, ask at doubling intervals. */
  #hello(again: boolean, wait = FIRST_WAIT) {
    if (this.#timer !== undefined) return;
    // A page that lost its kernel wants an answer in any case: a snapshot.
    const epoch = this.store.connection === "lost" ? null : this.store.epoch;
    this.send({ type: "hello", epoch, have: this.store.n });
    if (!again || this.store.connection === "lost") return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#hello(true, Math.min(wait * 2, LONGEST_WAIT));
    }, wait);
  }
}
