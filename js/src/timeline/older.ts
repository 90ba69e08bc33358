import type { Display } from "../views/run.ts";
import type { Told } from "./spans.ts";

/** Milliseconds from one question to the next. */
const AGAIN = 5000;
/** Seconds: finer than this nothing is told. */
const FINEST = 0.001;

/** Spans of what is not in the page, as the kernel tells them. */
export class Older {
  told: Told | null = null;
  #epoch: string | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly display: Display,
    /** There is something to draw, or to ask, within so many milliseconds. */
    readonly soon: (within: number) => void,
  ) {}

  /** Asks for what is not here, or not so finely; `exact`: also for the seconds of each agent. */
  async ask(seconds: number, exact: boolean) {
    const { store, comm } = this.display;
    if (store.epoch !== this.#epoch) {
      this.#epoch = store.epoch;
      this.told = null;
      this.#askedAt = Number.NEGATIVE_INFINITY;
    }
    const { told } = this;
    const resolution = Math.max(seconds, FINEST);
    const misses = store.earlier(null) > 0;
    const lacks = misses && (!told || store.floorOf(null) > told.upto + 1);
    const coarse = misses && told !== null && told.asked > resolution * 4;
    const counts = exact && (told?.upto ?? -1) < (store.seqs.at(-1) ?? 0);
    if (!(lacks || coarse || counts) || store.connection !== "live") return;
    const wait = this.#askedAt + AGAIN - performance.now();
    if (wait > 0) return this.soon(wait);
    this.#askedAt = performance.now();
    const { epoch } = store;
    const answer = await comm.ask({ question: "spans", resolution });
    if (epoch !== store.epoch) return;
    if (answer?.spans) this.told = { ...(answer as unknown as Told), asked: resolution };
    this.soon(0);
  }
}
