import { attribute, focusedBeside, h, listen, on, show } from "../dom.ts";
import type { Feature } from "../explore.ts";
import { icon } from "../icons.ts";
import { bring, goTo, reveal } from "../reveal.ts";
import type { Changes } from "../store.ts";
import type { Display } from "../views/run.ts";
import { Older } from "./older.ts";
import { Panel } from "./panel.ts";
import { type Lane, type Lanes, lanesOf, type Span, type Stretch } from "./spans.ts";
import { Strip } from "./strip.ts";
import { Table } from "./table.ts";

/** Milliseconds between two drawings while a run goes on, or while it waits. */
const LIVE = 250;
const IDLE = 1000;
/** Into so many parts what is seen of the time is resolved. */
const FINE = 2000;

/** When what ran: a strip, the timeline, and the same as a table. */
export class Timeline implements Feature {
  #panel: Panel;
  #strip: Strip;
  #table: Table;
  #button: HTMLButtonElement;
  #lanes: Lanes = { lanes: [], start: 0, end: 1, gaps: [] };
  #older: Older;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Number.POSITIVE_INFINITY;
  /** Not drawn, because nobody could see it. */
  #stale = false;
  #inSight = true;
  #status = "";
  #choices = 0;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(readonly display: Display) {
    const { model, store, signal } = display;
    this.#button = h("button", { class: "nst-ib" }, icon("timeline"));
    on(this.#button, "click", signal, () => this.toggle());
    display.header.tools.prepend(this.#button);
    this.#panel = new Panel(
      store,
      {
        hue: (lane) => this.#hue(lane),
        chosen: (lane, span) => void this.#choose(lane, span),
        ranged: (range) => this.#range(range),
        zoomed: () => this.#draw(),
      },
      signal,
    );
    this.#older = new Older(display, (within) => this.#soon(within));
    this.#strip = new Strip(() => this.#open(), signal);
    this.#table = new Table(() => this.showTable(false), signal);
    display.main.before(this.#strip.el, this.#panel.el, this.#table.el);
    listen(model, signal, [
      ["change:timeline", () => this.#show()],
      ["change:time_range", () => this.#soon(0)],
      ["change:selection", () => this.#soon(0)],
    ]);
    document.addEventListener("visibilitychange", () => this.#awake(), { signal });
    const seen = new IntersectionObserver((entries) => {
      this.#inSight = entries.at(-1)?.isIntersecting ?? true;
      this.#awake();
    });
    seen.observe(display.root);
    let width = 0;
    const sized = new ResizeObserver(() => {
      const { clientWidth } = display.root;
      if (clientWidth !== width) this.#soon(0);
      width = clientWidth;
    });
    sized.observe(display.root);
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      seen.disconnect();
      sized.disconnect();
    });
    this.#show();
  }

  /** Shows or hides the timeline, in all displays of the view. */
  toggle() {
    this.display.choose("timeline", !this.#shown);
  }

  get tableShown(): boolean {
    return this.#table.shown;
  }

  /** The timeline as a table, in this display. */
  showTable(shown: boolean) {
    show(this.#table.el, shown);
    this.#draw();
    if (shown) this.#table.focus();
    else this.display.header.tools.querySelector<HTMLElement>('[aria-haspopup="menu"]')?.focus();
  }

  built() {
    this.#draw();
  }

  drawn(changes: Changes) {
    const { status } = this.display.store.run;
    const ended = status !== this.#status;
    this.#status = status;
    if (changes.all || ended) this.#soon(0);
    else this.#soon(LIVE);
  }

  get #shown(): boolean {
    return this.display.model.get("timeline") === true;
  }

  #show() {
    const shown = this.#shown;
    show(this.#panel.el, shown);
    attribute(this.#button, "aria-expanded", String(shown));
    const name = shown ? "Hide timeline" : "Show timeline";
    attribute(this.#button, "aria-label", name);
    attribute(this.#button, "title", name);
    if (!shown) this.#panel.left();
    this.#draw();
  }

  #open() {
    this.display.choose("timeline", true);
    this.#button.focus();
  }

  // --- drawing ------------------------------------------------------------------------------

  /** Whether anything of it is on the page. */
  get #used(): boolean {
    return this.#shown || this.#table.shown || this.#hasStrip;
  }

  get #hasStrip(): boolean {
    const { store } = this.display;
    const { status, started_at, ended_at } = store.run;
    if (this.#shown || status === "idle") return false;
    const rootStart = started_at ?? store.now();
    const seconds = Math.max((ended_at ?? store.now()) - rootStart, this.#lanes.end - this.#lanes.start);
    return Strip.isFor(store.namespaces.size, seconds);
  }

  /** Draws within so many milliseconds. */
  #soon(within: number) {
    const due = performance.now() + within;
    if (this.#timer !== undefined && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#draw(), within);
  }

  #awake() {
    if (this.#stale) this.#draw();
  }

  #draw() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { store, model, signal } = this.display;
    if (signal.aborted) return;
    this.#stale = document.hidden || !this.#inSight;
    if (this.#stale) return;
    const { status } = store.run;
    const running = status === "running" && store.connection === "live";
    // The clock alone makes lanes longer; a strip may become due.
    if (running) this.#soon(this.#used && !this.#calm.matches ? LIVE : IDLE);
    else if (status === "interrupted" && this.#used && store.connection === "live") this.#soon(IDLE);
    if (!this.#used) return show(this.#strip.el, false);
    const { start, end } = this.#panel.window ?? this.#lanes;
    this.#older.ask((end - start) / FINE, this.#table.shown);
    const now = store.now();
    this.#lanes = lanesOf(store, this.#older.told, now);
    show(this.#strip.el, this.#hasStrip);
    if (this.#hasStrip) this.#strip.update(this.#lanes, running, (lane) => this.#hue(lane));
    const selection = model.get("selection");
    const selected = typeof selection === "string" ? (store.byId(selection)?.seq ?? null) : null;
    const range = rangeOf(model.get("time_range"));
    if (this.#shown) this.#panel.update({ lanes: this.#lanes, now: running ? now : null, range, selected });
    if (this.#table.shown) this.#table.update(this.#lanes);
  }

  #hue({ key, label }: Lane): string {
    return key ? this.display.stage.hue(label) : "var(--nst-a0)";
  }

  // --- what the reader does -----------------------------------------------------------------

  #range(range: Stretch | null) {
    const round = (time: number) => Math.round(time * 1000) / 1000;
    const { model } = this.display;
    if (range) this.display.choose("time_range", [round(range.start), round(range.end)]);
    else if (model.get("time_range")) this.display.choose("time_range", null);
    this.#draw();
  }

  async #choose(lane: Lane, span: Span | null) {
    const { display } = this;
    const { store } = display;
    const choice = ++this.#choices;
    const wanted = () => choice === this.#choices;
    if (span && span.seq >= 0) {
      const row = await reveal(display, lane.key, span.seq, wanted);
      const record = store.records.get(span.seq);
      if (!wanted() || !record) return;
      this.#goTo(row);
      display.choose("selection", record.id);
      return;
    }
    const call = store.namespaces.get(lane.key)?.spawned_by;
    if (call) display.choose("selection", call);
    const box = await reveal(display, lane.key, null, wanted);
    if (wanted()) this.#goTo(box);
  }

  /** Whoever is at a lane by the keyboard stays there. */
  #goTo(el: HTMLElement | null) {
    if (!el) return;
    if (focusedBeside(el)?.matches(".nst-tll")) bring(this.display, el);
    else goTo(this.display, el);
  }
}

/** A range as the trait has it. */
function rangeOf(value: unknown): Stretch | null {
  if (!Array.isArray(value) || value.length !== 2 || !value.every(Number.isFinite)) return null;
  return { start: Math.min(value[0], value[1]), end: Math.max(value[0], value[1]) };
}
