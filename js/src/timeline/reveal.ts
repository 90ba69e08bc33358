import { rect } from "../dom.ts";
import type { Namespace, Record } from "../protocol.ts";
import { keyOf } from "../tree.ts";
import type { Display } from "../views/run.ts";

/** So often is more of a long box drawn to find a row in it. */
const TRIES = 40;
const ABOVE = 48;

/** Scrolls the widget's own area to a row, and opens what it stands in. The notebook stays. */
export function revealRow(display: Display, record: Record) {
  const { stage, store } = display;
  const key = keyOf(record.namespace);
  openBoxes(display, key);
  const drawn = () =>
    stage.rows.get(record.seq)?.el ??
    display.area.querySelector<HTMLElement>(`.nst-boxhead[data-id="${CSS.escape(record.id)}"]`);
  let row = drawn();
  for (let i = 0; !row?.isConnected && i < TRIES; i++) {
    const body = stage.boxes.get(key)?.body.el ?? display.area.querySelector(".nst-rootbody");
    const earlier = body?.querySelector<HTMLButtonElement>(":scope > .nst-earlier:not([hidden])");
    if (!earlier || isShown(display, record)) break;
    earlier.click();
    row = drawn();
  }
  // A message that only calls tools draws nothing: what follows it does.
  if (!row?.isConnected) {
    const next = store.seqs.find((seq) => {
      const other = store.records.get(seq);
      return seq > record.seq && other && keyOf(other.namespace) === key && stage.rows.get(seq);
    });
    row = next === undefined ? null : (stage.rows.get(next)?.el ?? null);
  }
  const fold = row?.closest(".nst-fold");
  if (fold?.querySelector(".nst-folded[hidden]")) fold.querySelector("button")?.click();
  if (row?.isConnected) scrollTo(display, row);
  else revealBox(display, key);
}

/** Scrolls to a box; to the beginning for the root. */
export function revealBox(display: Display, key: string) {
  openBoxes(display, display.store.namespaces.get(key)?.parent ?? "");
  const box = display.stage.boxes.get(key);
  if (box) return scrollTo(display, box.el);
  const { area, follow, stage, store } = display;
  // Without boxes: its first row.
  const first =
    key &&
    store.seqs.find((seq) => keyOf(store.records.get(seq)?.namespace ?? []) === key && stage.rows.has(seq));
  const row = first ? stage.rows.get(first)?.el : undefined;
  if (row) return scrollTo(display, row);
  if (key) return;
  follow.stop();
  area.scrollTop = 0;
}

/** Its box holds rows from before it. */
function isShown({ stage, store }: Display, record: Record): boolean {
  const key = keyOf(record.namespace);
  for (const seq of stage.rows.keys()) {
    const other = store.records.get(seq);
    if (other && seq < record.seq && keyOf(other.namespace) === key) return true;
  }
  return false;
}

function openBoxes({ stage, reader }: Display, key: string) {
  for (const { key: around } of stage.path(key) as Namespace[]) {
    const box = stage.boxes.get(around);
    if (!box || box.open) continue;
    reader.boxes.set(around, true);
    box.update();
  }
}

function scrollTo({ area, follow, reader }: Display, row: Element) {
  follow.stop();
  area.scrollTop += rect(row).top - rect(area).top - ABOVE;
  reader.pin(row);
}
