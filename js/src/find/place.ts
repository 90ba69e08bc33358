import { takenOver } from "../arrange.ts";
import { rect } from "../dom.ts";
import type { Store } from "../store.ts";
import { keyOf } from "../tree.ts";
import type { Display } from "../views/run.ts";

/** So long may a row that the kernel has take to come. */
const PATIENCE = 5000;
const LOOK = 50;

/** Whether a row is in the page as a row, not for the header of its box only. */
export function isHere(store: Store, seq: number): boolean {
  const record = store.records.get(seq);
  return record !== undefined && !store.hides(record);
}

/** The element in which a row is drawn, if it is: of a call it may be the header of its box. */
export function elementOf({ stage, store }: Display, seq: number): HTMLElement | undefined {
  const row = stage.rows.get(seq)?.el;
  const record = store.records.get(seq);
  if (!record || stage.mode === "log" || !takenOver(store, record, keyOf(record.namespace))) return row;
  for (const key of store.tree.boxesOf(record.id) ?? []) {
    const head = stage.boxes.get(key)?.el.querySelector<HTMLElement>(":scope > .nst-boxhead");
    if (head?.dataset.id === record.id) return head;
  }
  return undefined;
}

/**
 * Opens what a row stands in and fetches what is missing, until it is drawn. Null when it does
 * not come, or `wanted` says that nobody waits for it any more.
 */
export async function reach(
  display: Display,
  seq: number,
  key: string,
  wanted: () => boolean,
): Promise<HTMLElement | null> {
  const asked = new Map<string | null, number>();
  let size = -1;
  let until = Date.now() + PATIENCE;
  while (wanted()) {
    const found = step(display, seq, key, asked);
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

/** One step nearer: the element, null when it cannot be had, undefined to look again. */
function step(
  display: Display,
  seq: number,
  key: string,
  asked: Map<string | null, number>,
): HTMLElement | null | undefined {
  const { stage, store } = display;
  const fetch = (from: string | null) => {
    if (store.connection === "lost" || store.earlier(from) === 0) return null;
    const floor = store.floorOf(from);
    if (asked.get(from) !== floor) display.comm.fetchEarlier(from);
    asked.set(from, floor);
    return undefined;
  };
  if (stage.mode === "nested") {
    if (!store.namespaces.has(key)) return fetch(null);
    let around = "";
    for (const { key: inner } of stage.path(key)) {
      const box = stage.boxes.get(inner);
      if (!box) return drawBack(display, around, inner);
      if (!box.open) {
        display.reader.boxes.set(inner, true);
        box.update();
      }
      around = inner;
    }
  }
  const found = elementOf(display, seq);
  if (found) {
    const folded = found.closest(".nst-fold")?.querySelector<HTMLElement>(":scope > .nst-folded");
    if (folded?.hidden) (folded.previousElementSibling as HTMLElement).click();
    return found;
  }
  if (!isHere(store, seq)) return fetch(stage.mode === "nested" ? key : null);
  return drawBack(display, key, seq);
}

/** Draws a namespace from a row or a box on that is in the page but not drawn yet. */
function drawBack({ stage, follow }: Display, key: string, at: number | string): undefined {
  follow.stop();
  stage.reach(key, at);
}

/** Scrolls the widget's own area until the element stands in it. */
export function bring({ area, follow }: Display, el: HTMLElement) {
  follow.stop();
  const move = () => {
    const { top, bottom } = rect(el);
    const edge = rect(area);
    if (top >= edge.top + 32 && bottom <= edge.bottom) return;
    area.scrollTop += top - edge.top - area.clientHeight / 3;
  };
  move();
  follow.pin(el);
  // What came into sight has its true size only now.
  requestAnimationFrame(() => {
    move();
    follow.pin(el);
  });
}

/** Opens what hides the text inside a row, if that brings it into sight. */
export function unfold(el: HTMLElement, seen: () => boolean) {
  if (seen()) return;
  for (const button of el.querySelectorAll<HTMLElement>('[aria-expanded="false"], .nst-more')) {
    if (button.classList.contains("nst-boxline") || button.closest("[hidden]")) continue;
    button.click();
    if (seen()) return;
    if (button.getAttribute("aria-expanded") === "true") button.click();
  }
}
