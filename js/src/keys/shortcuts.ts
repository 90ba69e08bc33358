import { h, on } from "../dom.ts";
import { icon } from "../icons.ts";
import type { Display } from "../views/run.ts";

const LIST: [keys: string, what: string][] = [
  ["↑ ↓", "Previous, next row"],
  ["→", "Open box, or first row in it"],
  ["←", "Close box, or to the box around it"],
  ["Home End", "First, last row"],
  ["Enter", "Show or hide details"],
  ["t", "Timeline"],
  ["f", "Follow the end, or stop"],
  ["n N", "Next, previous that failed or waits"],
  ["*", "Open all boxes beside this one"],
  ["c", "Copy row"],
  ["?", "This list"],
  ["Esc", "Leave to the cell"],
];

/** The list of keys, in a dialog. */
export class Shortcuts {
  readonly el: HTMLDialogElement;

  constructor(readonly display: Display) {
    const close = h(
      "button",
      { class: "nst-ib", "aria-label": "Close shortcuts", title: "Close" },
      icon("cross"),
    );
    const rows = LIST.map(([keys, what]) =>
      h(
        "tr",
        null,
        h("th", { scope: "row" }, ...keys.split(" ").map((key) => h("kbd", null, key))),
        h("td", null, what),
      ),
    );
    const off = h("p", "nst-mut", "Letters can be switched off: ", h("code", null, "view.keys = False"));
    const head = h("div", "nst-ah", h("b", null, "Keyboard shortcuts"), h("span", "nst-sp"), close);
    this.el = h(
      "dialog",
      { class: "nst-dialog nst-shortcuts", "aria-label": "Keyboard shortcuts" },
      head,
      h("table", null, h("tbody", null, ...rows)),
      off,
    );
    on(close, "click", display.signal, () => this.el.close());
    display.root.append(this.el);
  }

  toggle() {
    if (this.el.open) this.el.close();
    else this.el.showModal();
  }
}
