import { attribute, h, on } from "../dom.ts";

let ids = 0;

/** Tabs over one panel; arrows, Home and End move between them. */
export class Tabs {
  readonly list = h("div", { class: "nst-tabs", role: "tablist", "aria-label": "Parts" });
  readonly panel = h("div", { class: "nst-panel", role: "tabpanel", tabindex: 0, id: `nst-panel-${++ids}` });
  #tabs = new Map<string, HTMLButtonElement>();
  /** The one that is shown, and the one that was asked for: not every record has it. */
  chosen = "";
  #wanted = "";

  constructor(
    signal: AbortSignal,
    readonly changed: () => void,
  ) {
    on(this.list, "click", signal, (event) => {
      const tab = (event.target as Element).closest("button");
      if (tab) this.#choose(tab.textContent ?? "");
    });
    on(this.list, "keydown", signal, (event) => this.#move(event));
  }

  /** Exactly these; the one that was asked for is shown where it is there. */
  set(names: string[]) {
    const same = names.length === this.#tabs.size && names.every((name) => this.#tabs.has(name));
    if (!same) {
      const focused = this.#tabs.get(this.chosen)?.matches(":focus");
      for (const name of this.#tabs.keys()) if (!names.includes(name)) this.#tabs.delete(name);
      for (const name of names)
        if (!this.#tabs.has(name))
          this.#tabs.set(
            name,
            h(
              "button",
              { role: "tab", id: `${this.panel.id}-${name}`, "aria-controls": this.panel.id },
              name,
            ),
          );
      this.list.replaceChildren(...names.map((name) => this.#tabs.get(name) as HTMLElement));
      if (focused) (this.#tabs.get(this.chosen) ?? this.panel).focus();
    }
    this.chosen = names.includes(this.#wanted) ? this.#wanted : (names[0] ?? "");
    for (const [name, tab] of this.#tabs) {
      attribute(tab, "aria-selected", String(name === this.chosen));
      attribute(tab, "tabindex", name === this.chosen ? 0 : -1);
    }
    attribute(this.panel, "aria-labelledby", this.#tabs.get(this.chosen)?.id);
  }

  focus() {
    this.#tabs.get(this.chosen)?.focus();
  }

  #choose(name: string) {
    this.#wanted = name;
    this.set([...this.list.children].map((tab) => tab.textContent ?? ""));
    this.changed();
  }

  #move(event: KeyboardEvent) {
    const names = [...this.list.children].map((tab) => tab.textContent ?? "");
    const forth = getComputedStyle(this.list).direction === "rtl" ? -1 : 1;
    const at = names.indexOf(this.chosen);
    const to = {
      ArrowRight: at + forth,
      ArrowLeft: at - forth,
      Home: 0,
      End: names.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#choose(names[(to + names.length) % names.length] ?? "");
    this.focus();
  }
}
