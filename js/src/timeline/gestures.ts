import { on } from "../dom.ts";

/** Pixels from which on a press is a drag. */
const DRAGGED = 4;
const WHEEL = 0.0025;

export interface Gestures {
  /** From 0 to 1 along the track; null outside of it. */
  place(event: MouseEvent): number | null;
  pointed(event: PointerEvent): void;
  left(): void;
  pressed(event: PointerEvent): void;
  /** `null`: given up. */
  dragging(from: number, to: number | null): void;
  dragged(from: number, to: number): void;
  reset(): void;
  /** By a factor, about a place. */
  zoomed(factor: number, about: number): void;
}

/** Click, drag, double click and zoom in a drawing; the plain wheel is left to the notebook. */
export function listenTo(el: HTMLElement, act: Gestures, signal: AbortSignal): { giveUp(): boolean } {
  let from: number | null = null;
  let at = 0;
  let moved = false;
  const giveUp = () => {
    const was = from !== null && moved;
    if (was) act.dragging(from as number, null);
    from = null;
    return was;
  };
  on(el, "pointerdown", signal, (event) => {
    if (event.button !== 0) return;
    from = act.place(event);
    at = event.clientX;
    moved = false;
  });
  on(el, "pointermove", signal, (event) => {
    if (from === null) return act.pointed(event);
    if (!moved && Math.abs(event.clientX - at) < DRAGGED) return;
    if (!moved) el.setPointerCapture?.(event.pointerId);
    moved = true;
    act.left();
    act.dragging(from, act.place(event) ?? from);
  });
  on(el, "pointerup", signal, (event) => {
    if (from === null) return;
    const start = from;
    from = null;
    if (!moved) act.pressed(event);
    else act.dragged(start, act.place(event) ?? start);
  });
  on(el, "pointercancel", signal, () => void giveUp());
  on(el, "pointerleave", signal, () => act.left());
  on(el, "dblclick", signal, (event) => act.place(event) !== null && act.reset());
  on(
    el,
    "wheel",
    signal,
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const about = act.place(event);
      const lines = event.deltaMode === 1 ? 16 : 1;
      if (about !== null) act.zoomed(Math.exp(event.deltaY * lines * WHEEL), about);
    },
    { passive: false },
  );
  return { giveUp };
}
