import { h, on, setText, show } from "../dom.ts";
import { icon } from "../icons.ts";

const NEAR = 24;

/**
 * The widget's own scroll area stays at its end while the reader is there. Scrolling up
 * stops that; a pill counts what is new and leads back. The notebook is never scrolled.
 */
export class Follow {
  readonly pill = h("button", "nst-jump");
  #count = h("span", "nst-mut nst-num");
  #on = true;
  #new = 0;
  #top = 0;
  #height = 0;

  constructor(
    readonly area: HTMLElement,
    signal: AbortSignal,
    readonly changed: () => void,
  ) {
    this.pill.append(icon("down"), "Jump to live", this.#count);
    show(this.pill, false);
    on(this.pill, "click", signal, () => {
      this.start();
      area.focus({ preventScroll: true });
    });
    on(area, "scroll", signal, () => this.#scrolled(), { passive: true });
    on(area, "wheel", signal, (event) => event.deltaY < 0 && this.#scrollable() && this.#set(false), {
      passive: true,
    });
    const observer = new ResizeObserver(() => {
      // A cell that scrolled out of the notebook and came back has lost its place.
      const back = this.#height === 0 && area.clientHeight > 0;
      this.#height = area.clientHeight;
      if (back && !this.#on) area.scrollTop = this.#top;
      this.stay();
    });
    observer.observe(area);
    if (area.firstElementChild) observer.observe(area.firstElementChild);
    signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  get on(): boolean {
    return this.#on;
  }

  /** Follows from now on. */
  start() {
    this.#set(true);
    this.stay();
  }

  stop() {
    this.#set(false);
  }

  /** After something was drawn: `rows` of it are new. */
  drawn(rows: number) {
    if (this.#on) this.stay();
    else {
      this.#new += rows;
      this.#draw();
    }
  }

  stay() {
    if (!this.#on) return this.#draw();
    this.area.scrollTop = this.area.scrollHeight;
    this.#top = this.area.scrollTop;
  }

  #scrollable(): boolean {
    return this.area.scrollHeight > this.area.clientHeight + NEAR;
  }

  #atEnd(): boolean {
    return this.area.scrollHeight - this.area.scrollTop - this.area.clientHeight < NEAR;
  }

  #scrolled() {
    if (this.area.clientHeight === 0) return;
    const up = this.area.scrollTop < this.#top - 2;
    this.#top = this.area.scrollTop;
    if (this.#atEnd()) this.#set(true);
    else if (up) this.#set(false);
    this.changed();
  }

  #set(on: boolean) {
    if (on) this.#new = 0;
    this.#on = on;
    this.#draw();
  }

  #draw() {
    const shown = !this.#on && this.#new > 0 && !this.#atEnd();
    show(this.pill, shown);
    if (shown) setText(this.#count, `${this.#new} new`);
  }
}
