import { attribute, h, setText, show } from "../dom.ts";
import type { Progress } from "../protocol.ts";
import { label } from "../wording.ts";

/** How far a call or a node says that it has come; hidden when it says nothing. */
export class Bar {
  #fill = h("i");
  #text = h("span");
  #track = h(
    "div",
    { class: "nst-track", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
    this.#fill,
  );
  readonly el = h("div", "nst-prog", this.#track, this.#text);

  constructor() {
    show(this.el, false);
  }

  update(progress: Progress | undefined, name: unknown) {
    show(this.el, progress !== undefined);
    if (!progress) return;
    const percent = Math.round(Math.min(1, Math.max(0, Number(progress.fraction) || 0)) * 100);
    const text = label(progress.text);
    attribute(this.#track, "aria-label", label(name));
    attribute(this.#track, "aria-valuenow", percent);
    attribute(this.#track, "aria-valuetext", text ? `${percent} %, ${text}` : `${percent} %`);
    this.#fill.style.inlineSize = `${percent}%`;
    setText(this.#text, text);
  }
}
