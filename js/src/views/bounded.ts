import { h, on, setText, show } from "../dom.ts";
import { bytes, clean } from "../wording.ts";

/** Characters of a text that are shown at once. */
export const SHOWN = 20_000;

/** Text from outside as it is; a long one shows its head until the rest is asked for. */
export class Bounded {
  readonly el: HTMLElement;
  readonly more: HTMLButtonElement;
  #all = false;
  #text = "";

  constructor(el: HTMLElement, signal: AbortSignal) {
    this.el = el;
    this.more = h("button", "nst-chip nst-more");
    this.more.hidden = true;
    on(this.more, "click", signal, () => {
      this.#all = true;
      this.#draw();
    });
  }

  set(text: string) {
    if (text === this.#text) return;
    this.#text = text;
    this.#draw();
  }

  #draw() {
    const cut = !this.#all && this.#text.length > SHOWN;
    setText(this.el, clean(cut ? this.#text.slice(0, SHOWN) : this.#text));
    show(this.more, cut);
    if (cut) setText(this.more, `Show all ${bytes(this.#text.length)}`);
  }
}
