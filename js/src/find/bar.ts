import { attribute, ended, h, on, setText, show } from "../dom.ts";
import { icon } from "../icons.ts";
import type { Display } from "../views/run.ts";
import { duration, label } from "../wording.ts";
import { accepted, isActive, type Wanted } from "./match.ts";

const PAUSE = 150;
let ids = 0;

type Filters = Wanted["filters"];

/** A chip: the values that it adds to a filter. */
const CHIPS: [name: string, field: string, values: string[]][] = [
  ["Tools", "type", ["tool_call"]],
  ["Messages", "type", ["user", "ai"]],
  ["Artifacts", "type", ["artifact"]],
  ["Failed", "status", ["failed"]],
];

export interface Acts {
  step(by: 1 | -1): void;
  close(): void;
}

/** The field, its count, and a chip for each thing that is asked of rows. */
export class Bar {
  readonly el: HTMLElement;
  readonly input = h("input", { "aria-label": "Search text", placeholder: "Search", autocomplete: "off" });
  #count = h("span", { class: "nst-num nst-count", role: "status" });
  #chips: { button: HTMLButtonElement; field: string; values: string[] }[] = [];
  #agent: HTMLButtonElement;
  #agentWord = h("bdi", null, "Agent");
  #agents: HTMLElement;
  #others = h("span", "nst-others");
  #clear = h("button", "nst-ib", "Clear");
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly display: Display,
    readonly wanted: () => Wanted,
    acts: Acts,
  ) {
    const { signal } = display;
    const previous = this.#arrow("Previous match", "nst-flip", () => acts.step(-1));
    const next = this.#arrow("Next match", "", () => acts.step(1));
    const field = h("div", "nst-q", icon("search", "nst-mut"), this.input, this.#count, previous, next);
    for (const [name, of, values] of CHIPS) {
      const button = h("button", { class: "nst-chip", "aria-pressed": "false" }, name, icon("cross"));
      on(button, "click", signal, () => this.#toggle(of, values));
      this.#chips.push({ button, field: of, values });
    }
    this.#agents = h("div", {
      class: "nst-agents",
      role: "group",
      "aria-label": "Agents",
      id: `nst-agents-${++ids}`,
    });
    this.#agent = h(
      "button",
      { class: "nst-chip", "aria-expanded": "false", "aria-controls": this.#agents.id },
      this.#agentWord,
      icon("open"),
    );
    on(this.#agent, "click", signal, () => {
      show(this.#agents, this.#agents.hidden === true);
      this.update();
    });
    on(this.#clear, "click", signal, () => {
      this.clear();
      this.input.focus();
    });
    const chips = this.#chips.map(({ button }) => button);
    this.el = h(
      "div",
      { class: "nst-find", role: "search", "aria-label": "Search run", id: `nst-find-${ids}` },
      field,
      ...chips,
      this.#agent,
      this.#others,
      this.#clear,
      this.#agents,
    );
    show(this.#agents, false);
    on(this.input, "input", signal, () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.flush(), PAUSE);
    });
    on(this.el, "keydown", signal, (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") acts.close();
      else if (event.key === "F3" || (event.key === "Enter" && event.target === this.input))
        acts.step(event.shiftKey ? -1 : 1);
      else return;
      event.preventDefault();
    });
    ended(signal, () => clearTimeout(this.#typing));
  }

  /** Searches at once for what was typed. */
  flush() {
    clearTimeout(this.#typing);
    this.#typing = undefined;
    if (this.input.value !== this.wanted().query) this.display.choose("query", this.input.value);
  }

  clear() {
    clearTimeout(this.#typing);
    this.#typing = undefined;
    this.input.value = "";
    const { query, filters, time_range } = this.wanted();
    if (time_range) this.display.choose("time_range", null);
    if (Object.keys(filters).length) this.display.choose("filters", {});
    if (query) this.display.choose("query", "");
  }

  count(text: string) {
    setText(this.#count, text);
  }

  /** Brings field and chips up to date with the traits. */
  update() {
    const { query, filters, time_range } = this.wanted();
    if (this.#typing === undefined && this.input.value !== query) this.input.value = query;
    for (const { button, field, values } of this.#chips)
      attribute(button, "aria-pressed", String(has(filters, field, values)));
    show(this.#clear, isActive({ query, filters, time_range }));
    const speakers = accepted(filters, "speaker").map(label);
    setText(this.#agentWord, speakers.length > 1 ? `${speakers.length} agents` : (speakers[0] ?? "Agent"));
    this.#agent.classList.toggle("nst-on", speakers.length > 0);
    attribute(this.#agent, "aria-expanded", String(!this.#agents.hidden));
    attribute(this.#agent, "aria-label", speakers.length ? `Agent: ${speakers.join(", ")}` : "Agent");
    if (!this.#agents.hidden) this.#drawAgents(speakers);
    this.#drawOthers(filters, time_range);
  }

  #drawAgents(chosen: string[]) {
    const { store, stage } = this.display;
    const names = new Set<string>();
    const boxes = new Set<string>();
    for (const record of store.records.values()) if (record.speaker) names.add(record.speaker);
    for (const box of store.namespaces.values()) {
      if (box.parent !== null) boxes.add(box.label);
      if (box.is_agent) names.add(box.label);
    }
    for (const name of accepted(this.wanted().filters, "speaker")) names.add(String(name));
    const root = this.el.getRootNode() as Document | ShadowRoot;
    const focused = [...this.#agents.children].indexOf(root.activeElement as Element);
    const buttons = [...names].map((name) => {
      const pressed = String(chosen.includes(label(name)));
      const dot = h("span", {
        class: "nst-dot",
        style: `--c: ${boxes.has(name) ? stage.hue(name) : "var(--nst-a0)"}`,
      });
      const button = h(
        "button",
        { class: "nst-chip", "aria-pressed": pressed },
        dot,
        h("bdi", null, label(name)),
      );
      button.onclick = () => this.#toggle("speaker", [name]);
      return button;
    });
    this.#agents.replaceChildren(...buttons);
    buttons[focused]?.focus();
  }

  /** What no other chip says: the time range, and filters that were set in Python. */
  #drawOthers(filters: Filters, time: Wanted["time_range"]) {
    this.#others.replaceChildren();
    if (time) {
      const from = origin(this.display);
      // what has no start or no end comes as these, see traits.py
      const at = (t: number) => (t <= 0 ? "start" : t < 1e11 ? duration(t - from) : "end");
      const text = `${at(time[0])} – ${at(time[1])}`;
      this.#other(text, `Remove time range ${text}`, () => this.display.choose("time_range", null));
    }
    const known = new Map<string, string[]>();
    for (const [, field, values] of CHIPS) known.set(field, [...(known.get(field) ?? []), ...values]);
    for (const field of Object.keys(filters)) {
      if (field === "speaker") continue;
      const values = accepted(filters, field);
      const rest = values.filter((value) => !known.get(field)?.includes(String(value)));
      if (values.length && !rest.length) continue;
      const text = label(`${field}: ${rest.join(", ") || "nothing"}`);
      this.#other(text, `Remove filter ${text}`, () => {
        const left = { ...filters, [field]: values.filter((value) => !rest.includes(value)) };
        if (!(left[field] as unknown[]).length) delete left[field];
        this.display.choose("filters", left);
      });
    }
  }

  #other(text: string, name: string, remove: () => void) {
    const button = h(
      "button",
      { class: "nst-chip nst-on", "aria-label": name },
      h("bdi", null, text),
      icon("cross"),
    );
    button.onclick = () => {
      remove();
      this.input.focus();
    };
    this.#others.append(button);
  }

  #arrow(name: string, tone: string, act: () => void): HTMLButtonElement {
    const button = h("button", { class: "nst-ib", "aria-label": name, title: name }, icon("open", tone));
    on(button, "click", this.display.signal, act);
    return button;
  }

  #toggle(field: string, values: string[]) {
    const { filters } = this.wanted();
    const present = accepted(filters, field);
    const rest = present.filter((value) => !values.includes(String(value)));
    const wanted = has(filters, field, values) ? rest : [...rest, ...values];
    const next: Filters = { ...filters, [field]: wanted };
    if (!wanted.length) delete next[field];
    this.display.choose("filters", next);
  }
}

function has(filters: Filters, field: string, values: string[]): boolean {
  const present = accepted(filters, field);
  return values.every((value) => present.includes(value));
}

/** When the run that is shown began. */
function origin({ store }: Display): number {
  const first = store.records.get(store.seqs[0] ?? -1)?.started_at ?? Number.POSITIVE_INFINITY;
  return Math.min(store.run.started_at ?? Number.POSITIVE_INFINITY, first);
}
