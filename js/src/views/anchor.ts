import { rect } from "../dom.ts";

interface Mark {
  el: Element;
  /** Finds the same row or box after everything was drawn anew. */
  selector: string | null;
  top: number;
}

/**
 * What the reader has before the eyes: the first element in sight, and those around it in
 * case it goes. Browsers hold a place by themselves only as long as nobody moves columns.
 */
export class Anchor {
  /** The innermost first; `top` is the distance from the top of the area. */
  #marks: Mark[] = [];

  #pinned: Element | null = null;

  constructor(readonly area: HTMLElement) {}

  /** What is read now, whatever stands above it in sight; until the reader scrolls. */
  pin(el: Element | null) {
    this.#pinned = el;
    if (el) this.take();
  }

  take() {
    const { area } = this;
    if (area.clientHeight === 0) return;
    const edge = rect(area).top;
    this.#marks = [];
    for (let at = area.firstElementChild; at; ) {
      const inside: Element[] = [...at.children];
      at = null;
      for (const el of inside) {
        const { top, bottom, height } = rect(el);
        if (height === 0 || bottom <= edge + 1 || el instanceof HTMLButtonElement) continue;
        this.#marks.unshift({ el, selector: selectorOf(el), top: top - edge });
        if (top < edge) at = el;
        break;
      }
    }
    const el = this.#pinned;
    if (el?.isConnected) this.#marks.unshift({ el, selector: null, top: rect(el).top - edge });
  }

  restore() {
    const { area } = this;
    if (area.clientHeight === 0) return;
    const edge = rect(area).top;
    for (const mark of this.#marks) {
      const el =
        !mark.el.isConnected && mark.selector ? (area.querySelector(mark.selector) ?? mark.el) : mark.el;
      const { top, height } = rect(el);
      if (!el.isConnected || height === 0) continue;
      // What has closed above the edge comes into sight: the reader sees where the rest went.
      const wanted = mark.top + height > 0 ? mark.top : 0;
      const by = top - edge - wanted;
      if (Math.abs(by) > 0.5) area.scrollTop += by;
      return;
    }
  }
}

function selectorOf(el: Element): string | null {
  const { id, namespace } = (el as HTMLElement).dataset;
  if (id !== undefined) return `[data-id="${CSS.escape(id)}"]`;
  return el.localName === "article" ? `article[data-namespace="${CSS.escape(namespace ?? "")}"]` : null;
}
