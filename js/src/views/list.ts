import { h, place } from "../dom.ts";

const CHUNK = 100;

/** Keeps the elements of a list in order, in chunks that the browser can skip when unseen. */
export class List {
  #chunks: HTMLElement[] = [];
  /** Number of elements that are gone from the beginning of the first chunk. */
  #gone = 0;

  constructor(
    readonly el: HTMLElement,
    /** Behind the list. */
    readonly next: Element | null = null,
  ) {}

  /** From position `from` on, exactly these elements. */
  set(from: number, elements: Element[]) {
    const wanted = new Set(elements);
    const begin = from + this.#gone;
    elements.forEach((element, i) => {
      const number = Math.floor((begin + i) / CHUNK);
      const chunk = this.#chunk(number);
      const at = begin + i - this.#start(number);
      let there = chunk.children[at];
      while (there && there !== element && !wanted.has(there)) {
        there.remove();
        there = chunk.children[at];
      }
      if (there !== element) place(chunk, element, there ?? null);
    });
    const end = begin + elements.length;
    const last = Math.ceil(end / CHUNK) - 1;
    for (let i = this.#chunks.length - 1; i > last; i--) this.#chunks.pop()?.remove();
    for (let i = Math.floor(begin / CHUNK); i <= last; i++) {
      const chunk = this.#chunks[i];
      const size = Math.min((i + 1) * CHUNK, end) - this.#start(i);
      while (chunk && chunk.children.length > size) chunk.lastElementChild?.remove();
      chunk?.classList.toggle("nst-full", i < last);
    }
  }

  /**
   * Removes so many elements at the beginning, so that `left` remain; no other one moves to
   * another chunk. Those that stand elsewhere by now stay there.
   */
  drop(count: number, left: number) {
    for (this.#gone += count; this.#gone >= CHUNK; this.#gone -= CHUNK) this.#chunks.shift()?.remove();
    const [first] = this.#chunks;
    const size = Math.min(CHUNK - this.#gone, left);
    while (first && first.children.length > size) first.firstElementChild?.remove();
  }

  clear() {
    for (const chunk of this.#chunks.splice(0)) chunk.remove();
    this.#gone = 0;
  }

  /** Position of the first element of a chunk, those that are gone counted. */
  #start(chunk: number): number {
    return chunk === 0 ? this.#gone : chunk * CHUNK;
  }

  #chunk(index: number): HTMLElement {
    let chunk = this.#chunks[index];
    if (!chunk) {
      chunk = this.#chunks[index] = h("div", "nst-chunk");
      this.el.insertBefore(chunk, this.next);
    }
    return chunk;
  }
}
