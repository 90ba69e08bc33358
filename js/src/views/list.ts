import { h, place } from "../dom.ts";

export const CHUNK = 100;

/** Keeps the elements of a list in order, in chunks that the browser can skip when unseen. */
export class List {
  #chunks: HTMLElement[] = [];

  constructor(readonly el: HTMLElement) {}

  /** From position `from` on, exactly these elements. */
  set(from: number, elements: Element[]) {
    const wanted = new Set(elements);
    elements.forEach((element, i) => {
      const at = from + i;
      const chunk = this.#chunk(Math.floor(at / CHUNK));
      let there = chunk.children[at % CHUNK];
      while (there && there !== element && !wanted.has(there)) {
        there.remove();
        there = chunk.children[at % CHUNK];
      }
      if (there !== element) place(chunk, element, there ?? null);
    });
    const end = from + elements.length;
    const last = Math.max(0, Math.ceil(end / CHUNK) - 1);
    for (let i = this.#chunks.length - 1; i > last; i--) this.#chunks.pop()?.remove();
    for (let i = Math.floor(from / CHUNK); i <= last; i++) {
      const chunk = this.#chunks[i];
      const size = Math.min(CHUNK, end - i * CHUNK);
      while (chunk && chunk.children.length > size) chunk.lastElementChild?.remove();
      chunk?.classList.toggle("nst-full", size === CHUNK && i < last);
    }
  }

  /** Removes so many chunks at the beginning. */
  drop(chunks: number) {
    for (const chunk of this.#chunks.splice(0, chunks)) chunk.remove();
  }

  clear() {
    this.drop(this.#chunks.length);
  }

  #chunk(index: number): HTMLElement {
    let chunk = this.#chunks[index];
    if (!chunk) {
      chunk = this.#chunks[index] = h("div", "nst-chunk");
      this.el.append(chunk);
    }
    return chunk;
  }
}
