import { isDrawn, takenOver } from "./arrange.ts";
import { rect } from "./dom.ts";
import { handle } from "./keys/items.ts";
import type { Store } from "./store.ts";
import { keyOf } from "./tree.ts";
import type { Display } from "./views/run.ts";

/** So long may a row that the kernel has take to come. */
const PATIENCE = 5000;
const LOOK = 50;

/** A row of a namespace; the box of the namespace itself where `seq` is null. */
interface Place {
  key: string;
  seq: number | null;
  /** From where on the rows of a namespace were here when older ones were asked for. */
  asked: Map<string | null, number>;
}

/**
 * Brings a row or box into the page: opens what it stands in and fetches what only the kernel
 * has. Null when it does not come, or `wanted` says that nobody waits for it any more.
 */
export async function reveal(
  display: Display,
  key: string,
  seq: number | null,
  wanted: () => boolean = () => true,
): Promise<HTMLElement | null> {
  const place = { key, seq, asked: new Map() };
  display.follow.stop();
  let size = -1;
  let until = Date.now() + PATIENCE;
  while (wanted() && !display.signal.aborted) {
    const found = step(display, place);
    if (found !== undefined) return found;
    const { store, stage } = display;
    const now = store.records.size + stage.rows.size + stage.boxes.size;
    if (now !== size) until = Date.now() + PATIENCE;
    size = now;
    if (Date.now() > until) return null;
    await new Promise((done) => setTimeout(done, LOOK));
  }
  return null;
}

/** Whether a row is in the page as a row, not for the header of its box only. */
export function isHere(store: Store, seq: number): boolean {
  const record = store.records.get(seq);
  return record !== undefined && !store.hides(record);
}

/** The element in which a row is drawn, if it is: of a call it may be the header of its box. */
export function elementOf({ stage, store }: Display, seq: number | undefined): HTMLElement | undefined {
  const record = store.records.get(seq ?? -1);
  if (!record) return undefined;
  const row = stage.rows.get(record.seq)?.el;
  if (stage.mode === "log" || !takenOver(store, record, keyOf(record.namespace))) return row;
  for (const key of store.tree.boxesOf(record.id) ?? []) {
    const head = stage.boxes.get(key)?.el.querySelector<HTMLElement>(":scope > .nst-boxhead");
    if (head?.dataset.id === record.id) return head;
  }
  return undefined;
}

/** Gives a row, or the header of a box, the keyboard, and brings it into sight. */
export function goTo(display: Display, el: HTMLElement) {
  const line = el.matches("article, .nst-boxhead") ? el.querySelector<HTMLElement>(".nst-boxline") : null;
  handle(line ?? el).focus({ preventScroll: true });
  bring(display, line ?? el);
}

/** Scrolls the widget's own area until the element stands in it; never the notebook. */
export function bring({ area, follow, root }: Display, el: Element) {
  follow.stop();
  if (root.classList.contains("nst-grows")) return el.scrollIntoView({ block: "nearest" });
  const move = () => {
    const { top, bottom } = rect(el);
    const seen = rect(area);
    if (top < seen.top + 32 || bottom > seen.bottom)
      area.scrollTop += top - seen.top - Math.max(48, (seen.height - (bottom - top)) / 3);
    follow.pin(el);
  };
  move();
  // What came into sight has its true size only now.
  requestAnimationFrame(move);
}

/** One step nearer: the element, null when it cannot be had, undefined to look again. */
function step(display: Display, place: Place): HTMLElement | null | undefined {
  const { log, stage, store } = display;
  const { key } = place;
  if (stage.mode === "log") {
    const seq = place.seq ?? store.seqs.find((each) => keyAt(store, each) === key);
    return seq === undefined ? null : stepTo(display, place, seq);
  }
  if (!store.namespaces.has(key)) return fetch(display, place, null);
  let around = "";
  for (const { key: inner } of stage.path(key)) {
    const box = stage.boxes.get(inner);
    if (!box) return void stage.reach(around, inner);
    if (inner === key && place.seq === null) return box.el;
    if (!box.open) {
      display.reader.boxes.set(inner, true);
      box.update();
    }
    around = inner;
  }
  if (place.seq === null) return log;
  return stepTo(display, place, place.seq);
}

function stepTo(display: Display, place: Place, wanted: number): HTMLElement | null | undefined {
  const { stage, store } = display;
  const found = elementOf(display, wanted);
  if (found) {
    const folded = found.closest<HTMLElement>(".nst-folded");
    if (folded?.hidden) (folded.previousElementSibling as HTMLElement).click();
    return found;
  }
  if (!isHere(store, wanted)) return fetch(display, place, stage.mode === "nested" ? place.key : null);
  if (isDrawn(store.records.get(wanted) as never)) return void stage.reach(place.key, wanted);
  // A message that only calls tools draws nothing: its calls follow.
  const next = store.seqs.find((seq) => seq > wanted && keyAt(store, seq) === place.key);
  if (next === undefined) return stage.boxes.get(place.key)?.el ?? null;
  return stepTo(display, place, next);
}

/** Asks for older ones, unless they have been asked for. */
function fetch({ comm, store }: Display, { asked }: Place, from: string | null): null | undefined {
  if (store.connection === "lost" || store.earlier(from) === 0) return null;
  const floor = store.floorOf(from);
  if (asked.get(from) !== floor) comm.fetchEarlier(from);
  asked.set(from, floor);
  return undefined;
}

function keyAt(store: Store, seq: number): string {
  return keyOf(store.records.get(seq)?.namespace ?? []);
}
