import { openDialog } from "../dialog.ts";
import { h } from "../dom.ts";
import type { Display } from "../views/run.ts";

const LIST: [keys: string, what: string][] = [
  ["↑ ↓", "Previous, next row"],
  ["→", "Open box, or first row in it"],
  ["←", "Close box, or to the box around it"],
  ["Home End", "First, last row"],
  ["Enter", "Show or hide details"],
  ["Space i", "Inspector"],
  ["/ F3", "Search, next match"],
  ["t", "Timeline"],
  ["f", "Follow the end, or stop"],
  ["n N", "Next, previous that failed or waits"],
  ["*", "Open all boxes beside this one"],
  ["c", "Copy row"],
  ["?", "This list"],
  ["Esc", "Close inspector, close search, leave to the cell"],
];

/** The list of keys, in a dialog. */
export function openShortcuts(display: Display) {
  openDialog(display, "Keyboard shortcuts", () => {
    const rows = LIST.map(([keys, what]) =>
      h(
        "tr",
        null,
        h("th", { scope: "row" }, ...keys.split(" ").map((key) => h("kbd", null, key))),
        h("td", null, what),
      ),
    );
    const off = h("p", "nst-mut", "Letters can be switched off: ", h("code", null, "view.keys = False"));
    return {
      head: [h("b", null, "Keyboard shortcuts")],
      body: [h("table", null, h("tbody", null, ...rows)), off],
      class: "nst-shortcuts",
    };
  });
}
