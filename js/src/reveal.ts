import { rect } from "./dom.ts";
import type { Record } from "./protocol.ts";
import { keyOf } from "./tree.ts";
import type { Display } from "./views/run.ts";

/** So long may the kernel take for rows that are not in the page. */
const PATIENCE = 5000;

/**
 * Brings a row into the page and into sight of the widget's own area: opens the boxes around
 * it, asks the kernel for what is missing, draws from it on. Null when it cannot be had.
 */
export async function reveal(display: Display, namespace: string, seq: number): Promise<HTMLElement | null> {
  if (!(await isHere(display, namespace, seq))) return null;
  const { store, stage, follow } = display;
  const record = store.records.get(seq) as Record;
  openAround(display, namespace);
  stage.reach(namespace, seq);
  const el = elementOf(display, record);
  if (!el) return null;
  el.closest(".nst-fold")?.querySelector<HTMLElement>(".nst-line[aria-expanded=false]")?.click();
  follow.stop();
  scrollTo(display, el);
  return el;
}

/** Opens a box and those around it, for this reader. */
export function openAround({ stage, reader }: Display, key: string) {
  for (const { key: around } of stage.path(key)) {
    const box = stage.boxes.get(around);
    if (box?.open) continue;
    reader.boxes.set(around, true);
    box?.update();
  }
}

/** Where a record is drawn: its row, or the header of the box that took it over. */
export function elementOf({ stage, area }: Display, record: Record): HTMLElement | null {
  const row = stage.rows.get(record.seq)?.el;
  if (row?.isConnected) return row;
  for (const key of stage.store.tree.boxesOf(record.id) ?? []) {
    const head = stage.boxes.get(key)?.el.firstElementChild;
    if (head instanceof HTMLElement && head.dataset.id === record.id && area.contains(head)) return head;
  }
  return null;
}

/** Never the notebook: only the area is scrolled, and only when it has to be. */
export function scrollTo({ area, follow, root }: Display, el: Element) {
  if (root.classList.contains("nst-grows")) return el.scrollIntoView({ block: "nearest" });
  const seen = rect(area);
  const { top, bottom } = rect(el);
  if (top < seen.top + 30 || bottom > seen.bottom)
    area.scrollTop += top - seen.top - Math.max(34, (seen.height - (bottom - top)) / 3);
  follow.hold();
}

async function isHere({ store, comm, signal }: Display, namespace: string, seq: number): Promise<boolean> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const record = store.records.get(seq);
    if (record && !store.hides(record) && keyOf(record.namespace) === namespace) return true;
    const missing = store.earlier(namespace);
    if (!missing || signal.aborted || Date.now() > until) return false;
    comm.fetchEarlier(namespace);
    while (store.earlier(namespace) === missing && Date.now() < until && !signal.aborted)
      await new Promise((done) => setTimeout(done, 20));
  }
}
