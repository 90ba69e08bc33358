import { attribute, ended, focusedBeside, h, on, show } from "../dom.ts";
import type { Feature } from "../explore.ts";
import type { Namespace } from "../protocol.ts";
import type { Changes } from "../store.ts";
import type { Display } from "../views/run.ts";
import { duration, label, number } from "../wording.ts";
import { caption, facts, type Page } from "./pages.ts";
import { usageTable } from "./usage.ts";

/** What was used, as `usage.py` tells it; what is not known is absent. */
export interface Used {
  input_tokens?: number;
  output_tokens?: number;
  total_tokens?: number;
  estimated?: boolean;
  tools?: number;
  model_seconds?: number;
  tool_seconds?: number;
  wall_seconds?: number;
  waiting_seconds?: number;
  first_token_seconds?: number;
  tokens_per_second?: number;
  cost?: number;
}

/** While a run goes on the kernel is asked so often at most, and less where it takes its time. */
const EVERY = 1000;
const SHARE = 20;

/** What was used, in all and by agent: the kernel adds it up when somebody wants to see it. */
export class Metrics implements Feature {
  whole: Used = {};
  parts = new Map<string, Used>();
  #cost = h("span");
  #panel = h("section", { class: "nst-usage", role: "region", "aria-label": "Usage by agent" });
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #wait = EVERY;
  #status = "";
  /** Told when numbers have come. */
  heard = new Set<() => void>();

  constructor(readonly display: Display) {
    const { header, main, log, signal } = display;
    header.el.querySelector(".nst-stats")?.append(this.#cost);
    show(this.#cost, false);
    show(this.#panel, false);
    main.before(this.#panel);
    on(log, "pointerover", signal, (event) => this.#title(event.target as Element));
    on(log, "focusin", signal, (event) => this.#title(event.target as Element));
    on(this.#panel, "keydown", signal, (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.#close();
    });
    ended(signal, () => clearTimeout(this.#timer));
  }

  /** Somebody wants to see it now. */
  refresh() {
    this.#askSoon(0);
  }

  built() {
    this.drawn(null);
  }

  drawn(_changes: Changes | null) {
    const { status } = this.display.store.run;
    const over = status !== this.#status && status !== "running" && status !== "idle";
    this.#status = status;
    if (over) this.#ask();
    else if (status === "running" && this.#isDetailed) this.#askSoon();
  }

  /** Shows the table of all agents, or hides it. */
  toggle() {
    show(this.#panel, this.#panel.hidden === true);
    if (this.#panel.hidden) return;
    this.#draw();
    this.#panel.querySelector("button")?.focus({ preventScroll: true });
    this.#ask();
  }

  /** The tab of some boxes. */
  page(boxes: Namespace[]): Page {
    const told = boxes.map((box) => [box, this.of(box.key)] as const);
    return {
      name: "Usage",
      of: told.map(([, used]) => JSON.stringify(used)),
      draw: () =>
        told.flatMap(([box, used]) => [
          ...(told.length > 1 ? [caption(label(box.label))] : []),
          facts(lines(used)),
        ]),
      json: () =>
        told.length === 1 ? told[0]?.[1] : Object.fromEntries(told.map(([box, used]) => [box.key, used])),
    };
  }

  /** Of one namespace: what is in the page already, until the kernel has told more. */
  of(key: string): Used {
    const known = this.parts.get(key);
    if (known) return known;
    const box = this.display.store.namespaces.get(key);
    return { ...box?.usage, tools: box?.counts?.tools ?? 0 };
  }

  #askSoon(wait = this.#wait) {
    if (this.#timer !== undefined || this.#asking) return;
    this.#timer = setTimeout(() => this.#ask(), wait);
  }

  /** Somebody sees more than the header. */
  get #isDetailed(): boolean {
    return this.heard.size > 0 || !this.#panel.hidden;
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#asking) return;
    this.#asking = true;
    const before = Date.now();
    // The header shows the sum only.
    const in_all = !this.#isDetailed;
    const answer = await this.display.comm.ask({ question: "usage", in_all });
    this.#asking = false;
    this.#wait = Math.max(EVERY, SHARE * (Date.now() - before));
    if (!answer?.usage || this.display.signal.aborted) return;
    this.whole = answer.usage as Used;
    this.parts = new Map(Object.entries((answer.namespaces ?? {}) as { [key: string]: Used }));
    this.#draw();
    if (in_all && this.#isDetailed) return this.#ask();
    for (const act of this.heard) act();
  }

  #draw() {
    const { header } = this.display;
    header.estimate = this.whole.estimated ? (this.whole.total_tokens ?? 0) : 0;
    header.update();
    const { cost } = this.whole;
    show(this.#cost, cost !== undefined);
    if (cost !== undefined) this.#cost.replaceChildren(h("b", null, dollars(cost)));
    if (this.#panel.hidden) return;
    const focused = this.#panel.contains(focusedBeside(this.#panel));
    this.#panel.replaceChildren(...usageTable(this, () => this.#close()));
    if (focused) this.#panel.querySelector("button")?.focus({ preventScroll: true });
  }

  #close() {
    this.toggle();
    this.display.area.focus({ preventScroll: true });
  }

  /** The header of a box tells when it is pointed at. */
  #title(target: Element) {
    const line = target.closest(".nst-boxline");
    const key = line?.closest<HTMLElement>("article")?.dataset.namespace;
    if (!line || key === undefined) return;
    const tell = () => {
      const told = lines(this.of(key)).map(([name, value]) => `${name}: ${value}`);
      attribute(line, "title", told.join("\n") || null);
    };
    tell();
    if (!this.parts.has(key)) {
      this.refresh();
      const once = () => {
        this.heard.delete(once);
        tell();
      };
      this.heard.add(once);
    }
  }
}

/** What is known of it, as a person reads it. */
export function lines(used: Used): [name: string, value: string][] {
  const told: [string, string][] = [];
  const guess = used.estimated ? "≈" : "";
  const add = (name: string, value: number | undefined, say: (value: number) => string) => {
    if (value) told.push([name, say(value)]);
  };
  add("Tokens in", used.input_tokens, (n) => guess + number(n));
  add("Tokens out", used.output_tokens, (n) => guess + number(n));
  add("First token after", used.first_token_seconds, duration);
  add("Tokens per second", used.tokens_per_second, (n) => guess + rate(n));
  add("Tools", used.tools, number);
  add("Tool time", used.tool_seconds, duration);
  add("Model time", used.model_seconds, duration);
  add("Wall time", used.wall_seconds, duration);
  add("Waiting", used.waiting_seconds, duration);
  if (used.cost !== undefined) told.push(["Cost", dollars(used.cost)]);
  return told;
}

export function rate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : number(Math.round(perSecond));
}

/** `$1.20`, `$0.0042`: two figures of what is small. */
export function dollars(cost: number): string {
  if (cost === 0 || cost >= 0.1) return `$${cost.toFixed(2)}`;
  const digits = Math.min(10, 1 - Math.floor(Math.log10(cost)));
  return `$${cost.toFixed(digits)}`;
}
