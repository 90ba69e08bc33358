import { rect } from "./dom.ts";
import type { Record } from "./protocol.ts";
import { keyOf } from "./tree.ts";
import type { Display } from "./views/run.ts";

/** So long may the kernel take for rows that are not in the page. */
const PATIENCE = 5000;

/**
 * Brings a row into the page and into sight, also one that only the kernel has. Null when it
 * cannot be had.
 */
export async function reveal(display: Display, namespace: string, seq: number): Promise<HTMLElement | null> {
  if (!(await isHere(display, namespace, seq))) return null;
  return revealRow(display, display.store.records.get(seq) as Record);
}

/** Opens what a row stands in, draws it and scrolls the widget's own area to it. */
export function revealRow(display: Display, record: Record): HTMLElement | null {
  const { stage } = display;
  const key = keyOf(record.namespace);
  openAround(display, key);
  stage.reach(key, record.seq);
  const el = elementOf(display, record);
  if (!el) {
    revealBox(display, key);
    return null;
  }
  el.closest(".nst-fold")?.querySelector<HTMLElement>(".nst-line[aria-expanded=false]")?.click();
  scrollTo(display, el);
  return el;
}

/** Scrolls to a box; to its first row where there are no boxes, to the beginning for the root. */
export function revealBox(display: Display, key: string) {
  const { area, follow, stage, store } = display;
  openAround(display, store.namespaces.get(key)?.parent ?? "");
  drawBox(display, key);
  const first = store.seqs.find((seq) => stage.rows.has(seq) && namespaceOf(display, seq) === key);
  const el = stage.boxes.get(key)?.el ?? (key && first ? stage.rows.get(first)?.el : undefined);
  if (el) return scrollTo(display, el);
  if (key) return;
  follow.stop();
  area.scrollTop = 0;
}

/** Opens a box and those around it, for this reader. */
export function openAround(display: Display, key: string) {
  const { stage, reader } = display;
  for (const { key: around } of stage.path(key)) {
    drawBox(display, around);
    const box = stage.boxes.get(around);
    if (!box || box.open) continue;
    reader.boxes.set(around, true);
    box.update();
  }
}

/** Draws a box that is in the page but not drawn. */
function drawBox({ stage, store }: Display, key: string) {
  const parent = store.namespaces.get(key)?.parent;
  if (stage.mode === "nested" && parent != null && !stage.boxes.has(key)) stage.reach(parent, key);
}

/**
 * Where a record is drawn: its row, the header of the box that took it over, or what follows
 * in its box when it draws nothing.
 */
export function elementOf(display: Display, record: Record): HTMLElement | null {
  const { stage, area, store } = display;
  const row = stage.rows.get(record.seq)?.el;
  if (row?.isConnected) return row;
  for (const key of store.tree.boxesOf(record.id) ?? []) {
    const head = stage.boxes.get(key)?.el.querySelector<HTMLElement>(":scope > .nst-boxhead");
    if (head?.dataset.id === record.id && area.contains(head)) return head;
  }
  const key = keyOf(record.namespace);
  const next = store.seqs.find(
    (seq) => seq > record.seq && stage.rows.has(seq) && namespaceOf(display, seq) === key,
  );
  return next === undefined ? null : (stage.rows.get(next)?.el ?? null);
}

/** Never the notebook: only the area is scrolled, and only when it has to be. */
export function scrollTo({ area, follow, reader, root }: Display, el: Element) {
  follow.stop();
  if (root.classList.contains("nst-grows")) return el.scrollIntoView({ block: "nearest" });
  const seen = rect(area);
  const { top, bottom } = rect(el);
  if (top < seen.top + 30 || bottom > seen.bottom)
    area.scrollTop += top - seen.top - Math.max(48, (seen.height - (bottom - top)) / 3);
  reader.pin(el);
}

function namespaceOf({ store }: Display, seq: number): string {
  return keyOf(store.records.get(seq)?.namespace ?? []);
}

async function isHere(display: Display, namespace: string, seq: number): Promise<boolean> {
  const { store, comm, signal } = display;
  const until = Date.now() + PATIENCE;
  for (;;) {
    const record = store.records.get(seq);
    if (record && !store.hides(record) && namespaceOf(display, seq) === namespace) return true;
    const missing = store.earlier(namespace);
    if (!missing || signal.aborted || Date.now() > until) return false;
    comm.fetchEarlier(namespace);
    while (store.earlier(namespace) === missing && Date.now() < until && !signal.aborted)
      await new Promise((done) => setTimeout(done, 20));
  }
}
