import { attribute, h, on, rect, show } from "../dom.ts";
import { icon } from "../icons.ts";

export interface Choice {
  label: string | (() => string);
  /** For a choice of one among several: whether it is the one. */
  checked?: () => boolean;
  act: () => void;
}

/** A button that opens a list of actions; arrows move, Escape closes. */
export function menu(
  name: string,
  groups: { title?: string; choices: Choice[] }[],
  signal: AbortSignal,
): HTMLElement {
  const list = h("div", { class: "nst-menu", role: "menu", "aria-label": name });
  const button = h(
    "button",
    { class: "nst-ib", "aria-label": name, title: name, "aria-haspopup": "menu", "aria-expanded": "false" },
    icon("more"),
  );
  const el = h("span", "nst-menubox", button, list);
  const items: { button: HTMLButtonElement; choice: Choice }[] = [];
  for (const { title, choices } of groups) {
    const group = h("div", { role: "group", "aria-label": title }, title && h("div", "nst-menutitle", title));
    for (const choice of choices) {
      const role = choice.checked ? "menuitemradio" : "menuitem";
      const item = h("button", { role, tabindex: -1 });
      on(item, "click", signal, () => {
        open(false);
        button.focus();
        choice.act();
      });
      items.push({ button: item, choice });
      group.append(item);
    }
    list.append(group);
  }

  // The top layer: neither the widget's nor the output's edge cuts the list off.
  const floating = typeof list.showPopover === "function";
  if (floating) list.popover = "manual";

  function open(opened: boolean) {
    if (opened === (list.hidden === false)) return;
    show(list, opened);
    if (floating && opened) {
      const { bottom, right } = rect(button);
      list.style.insetBlockStart = `${bottom + 4}px`;
      list.style.right = `${document.documentElement.clientWidth - right}px`;
      list.showPopover();
    } else if (floating && list.matches(":popover-open")) list.hidePopover();
    attribute(button, "aria-expanded", String(opened));
    if (!opened) return;
    for (const { button: item, choice } of items) {
      item.textContent = typeof choice.label === "string" ? choice.label : choice.label();
      if (choice.checked) attribute(item, "aria-checked", String(choice.checked()));
    }
    items[0]?.button.focus();
  }

  show(list, false);
  // Away with it when the button moves; the log may scroll on.
  const scrolled = (event: Event) => (event.target as Node).contains(button) && open(false);
  document.addEventListener("scroll", scrolled, { capture: true, passive: true, signal });
  on(button, "click", signal, () => open(list.hidden === true));
  on(el, "keydown", signal, (event) => {
    if (list.hidden) return;
    const at = items.findIndex((item) => item.button === (el.getRootNode() as Document).activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) items[(at + step + items.length) % items.length]?.button.focus();
    else if (event.key === "Escape") {
      open(false);
      button.focus();
    } else return;
    event.preventDefault();
  });
  on(el, "focusout", signal, (event) => {
    if (!list.hidden && !el.contains(event.relatedTarget as Node | null)) open(false);
  });
  return el;
}
