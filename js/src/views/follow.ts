import { ended, h, on, setText, show } from "../dom.ts";
import { icon } from "../icons.ts";
import { Anchor } from "./anchor.ts";

const NEAR = 24;

export interface Hooks {
  /** Whether more may come. */
  live(): boolean;
  scrolled(): void;
  /** The reader follows again. */
  resumed(): void;
}

/**
 * The widget's own scroll area stays at its end while the reader is there. Scrolling up
 * stops that: then what the reader sees keeps its place, whatever changes above, and a pill
 * counts what is new and leads back. The notebook is never scrolled.
 */
export class Follow {
  readonly pill = h("button", "nst-jump");
  #word = h("span");
  #count = h("span", "nst-mut nst-num");
  #anchor: Anchor;
  #on = true;
  #new = 0;
  #top = 0;
  #height = 0;
  #size = 0;

  constructor(
    readonly area: HTMLElement,
    signal: AbortSignal,
    readonly hooks: Hooks,
  ) {
    this.#anchor = new Anchor(area);
    this.pill.append(icon("down"), this.#word, this.#count);
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
    ended(signal, () => observer.disconnect());
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

  /** Stops following and keeps this in its place. */
  pin(el: Element) {
    this.#set(false);
    this.#anchor.pin(el);
  }

  /** Before something is drawn. */
  hold() {
    if (!this.#on) this.#anchor.take();
  }

  /** After something was drawn: `rows` of it are new. */
  drawn(rows: number) {
    if (!this.#on) this.#new += rows;
    this.stay();
  }

  /** Where the end is, or where the reader is. */
  stay() {
    if (this.#on) this.area.scrollTop = this.area.scrollHeight;
    else this.#anchor.restore();
    if (this.area.clientHeight > 0) this.#note();
    this.#draw();
  }

  #note() {
    this.#top = this.area.scrollTop;
    this.#size = this.area.scrollHeight;
  }

  #scrollable(): boolean {
    return this.area.scrollHeight > this.area.clientHeight + NEAR;
  }

  #atEnd(): boolean {
    return this.area.scrollHeight - this.area.scrollTop - this.area.clientHeight < NEAR;
  }

  #scrolled() {
    if (this.area.clientHeight === 0) return;
    // The browser did that: what there is to scroll through has become shorter, or longer again.
    const { scrollHeight } = this.area;
    if (this.#on ? scrollHeight !== this.#size : scrollHeight < this.#size) {
      this.stay();
      return;
    }
    if (Math.abs(this.area.scrollTop - this.#top) > 1) this.#anchor.pin(null);
    const up = this.area.scrollTop < this.#top - 2;
    this.#note();
    if (this.#atEnd()) this.#set(true);
    else if (up) this.#set(false);
    this.hold();
    this.#draw();
    this.hooks.scrolled();
  }

  #set(on: boolean) {
    if (on) this.#new = 0;
    const resumed = on && !this.#on;
    this.#on = on;
    this.hold();
    this.#draw();
    if (resumed) this.hooks.resumed();
  }

  #draw() {
    const live = this.hooks.live();
    const shown = !this.#on && (live || this.#new > 0) && !this.#atEnd();
    show(this.pill, shown);
    if (!shown) return;
    setText(this.#word, live ? "Jump to live" : "Jump to end");
    setText(this.#count, this.#new ? `${this.#new} new` : "");
  }
}
