import { ended, h, on } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Display } from "./views/run.ts";

/**
 * Opens a dialog in front of the page, named by its head; Escape, its Close button or a click
 * beside it lead back to where the focus was. `make` gets a signal that ends with it.
 */
export function openDialog(
  { root, stage }: Display,
  name: string,
  make: (signal: AbortSignal) => { head: Node[]; body: Node[]; class?: string },
) {
  const end = new AbortController();
  const { signal } = end;
  const close = h("button", { class: "nst-ib", "aria-label": "Close", title: "Close" }, icon("cross"));
  const made = make(signal);
  const dialog = h(
    "dialog",
    { class: `nst-dialog ${made.class ?? ""}`.trim(), "aria-label": name },
    h("div", "nst-ah", ...made.head, close),
    h("div", { class: "nst-ab", tabindex: 0, role: "group", "aria-label": "Content" }, ...made.body),
  );
  const gone = () => {
    end.abort();
    dialog.remove();
  };
  const opener = (root.getRootNode() as Document | ShadowRoot).activeElement;
  on(close, "click", signal, () => dialog.close());
  on(dialog, "close", signal, () => {
    gone();
    if (opener instanceof HTMLElement) opener.focus();
  });
  // Notebooks take the key for their own.
  on(dialog, "keydown", signal, (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    dialog.close();
  });
  on(dialog, "click", signal, (event) => {
    if (event.target === dialog) dialog.close();
  });
  ended(stage.signal, gone);
  root.append(dialog);
  dialog.showModal();
  close.focus();
}
