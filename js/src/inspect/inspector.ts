import { copyButton } from "../copy.ts";
import { attribute, ended, focusedBeside, h, on, setText, show } from "../dom.ts";
import type { Feature } from "../explore.ts";
import { changeIcon, type Icon, icon } from "../icons.ts";
import type { Record } from "../protocol.ts";
import type { Changes } from "../store.ts";
import type { Display } from "../views/run.ts";
import { duration, json, label } from "../wording.ts";
import type { Metrics } from "./metrics.ts";
import { Opener } from "./opener.ts";
import { type Page, pagesOf, type Subject, type Told } from "./pages.ts";
import { Selection } from "./selection.ts";
import { Tabs } from "./tabs.ts";

/** A record that goes on is drawn, and asked about, so often at most. */
const EVERY = 300;

const LOOKS: { [status: string]: [Icon, string] } = {
  running: ["running", "nst-run nst-spin"],
  executing: ["running", "nst-run nst-spin"],
  streaming: ["running", "nst-run nst-spin"],
  calling: ["ring", "nst-mut nst-dash"],
  pending: ["bars", "nst-wait"],
  interrupted: ["bars", "nst-wait"],
  failed: ["cross", "nst-bad"],
  completed: ["check", "nst-ok"],
  answered: ["check", "nst-ok"],
};
const KINDS: { [type: string]: string } = {
  user: "input",
  ai: "message",
  error: "error",
  artifact: "artifact",
  interrupt: "request",
  update: "step",
  custom: "event",
};

/** All about one record, beside the log or below it; of one display, while the selection is shared. */
export class Inspector implements Feature {
  readonly selection: Selection;
  readonly el = h("aside", { class: "nst-insp", role: "region", "aria-label": "Inspector" });
  #icon = icon("dot");
  #name = h("b");
  #kind = h("span", "nst-mut nst-num");
  #tabs: Tabs;
  /** A box that no call opened cannot be `view.selection`. */
  #box: string | null = null;
  /** Null when the kernel does not answer, undefined until it has. */
  #told: Told | null | undefined;
  #about = "";
  #asked = "";
  /** Nothing was drawn yet: a selection of before is looked for. */
  #first = true;
  #page: Page | null = null;
  #drawing: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #back: HTMLElement | null = null;

  constructor(
    readonly display: Display,
    readonly metrics: Metrics,
  ) {
    const { main, signal } = display;
    this.#tabs = new Tabs(signal, () => this.#draw());
    const copy = copyButton("Copy JSON", () => json(this.#page?.json(), 2), signal);
    const name = "Close inspector";
    const close = h("button", { class: "nst-ib", "aria-label": name, title: name }, icon("cross"));
    on(close, "click", signal, () => this.close());
    this.el.append(
      h("div", "nst-insphead", this.#icon, this.#name, this.#kind, h("span", "nst-sp"), copy, close),
      this.#tabs.list,
      this.#tabs.panel,
    );
    show(this.el, false);
    main.append(this.el);
    on(this.el, "keydown", signal, (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
    this.selection = new Selection(display, (wished) => this.#selected(wished));
    new Opener(
      display,
      (id) => this.open(id),
      (key) => this.openBox(key),
    );
    const size = new ResizeObserver(() => main.style.setProperty("--nst-below", `${this.el.offsetHeight}px`));
    size.observe(this.el);
    ended(signal, () => {
      size.disconnect();
      clearTimeout(this.#timer);
      this.#drawing?.abort();
    });
  }

  get opened(): boolean {
    return !this.el.hidden;
  }

  /** Selects a record and shows all about it; `focus`: the keyboard goes there as well. */
  open(id: string, focus = true) {
    this.#box = null;
    this.selection.choose(id);
    this.#show(focus);
  }

  /** The same of a box that no call opened. */
  openBox(key: string) {
    this.#box = key;
    this.#show(true);
  }

  close() {
    if (!this.opened) return;
    const focused = this.el.contains(focusedBeside(this.el));
    this.#about = "";
    show(this.el, false);
    this.display.main.classList.remove("nst-inspecting");
    this.metrics.heard.delete(this.#redraw);
    if (focused) (this.#back?.isConnected ? this.#back : this.display.area).focus({ preventScroll: true });
    this.#back = null;
  }

  /** Opens it on what is selected, or closes it. */
  toggle() {
    const { id } = this.selection;
    if (this.opened) this.close();
    else if (id !== null) this.open(id);
  }

  built() {
    this.selection.mark();
    const { id } = this.selection;
    if (this.#first && id !== null && this.display.store.run.status !== "running")
      void this.selection.reveal(id);
    this.#first = false;
    if (this.opened) this.#refresh();
  }

  drawn(changes: Changes) {
    this.selection.mark();
    if (!this.opened) return;
    const subject = this.#subject();
    const seq = subject?.record?.seq;
    const about = changes.run || (seq !== undefined && changes.records.has(seq));
    if (about || subject?.boxes.some((box) => changes.namespaces.has(box.key))) this.#refresh();
  }

  #selected(wished: boolean) {
    const { id } = this.selection;
    if (id === null) {
      if (!this.#box) this.close();
      return;
    }
    this.#box = null;
    if (wished) {
      void this.selection.reveal(id);
      this.#show(false);
    } else if (this.opened) this.#show(false);
  }

  #show(focus: boolean) {
    const about = this.#box ?? this.selection.id ?? "";
    const kind = this.#box === null ? "record" : "box";
    if (`${kind} ${about}` !== this.#about) {
      this.#about = `${kind} ${about}`;
      this.#told = undefined;
      this.#asked = "";
      this.#page = null;
      this.#ask();
      const boxes = this.#subject()?.boxes.length;
      this.metrics.heard[boxes ? "add" : "delete"](this.#redraw);
      if (boxes) this.metrics.refresh();
    }
    const { follow, main } = this.display;
    const focused = focusedBeside(this.el);
    if (!this.el.contains(focused)) this.#back = focused;
    if (!this.opened) {
      follow.hold();
      show(this.el, true);
      main.classList.add("nst-inspecting");
      follow.stay();
    }
    this.#draw();
    if (focus) this.#tabs.focus();
  }

  #redraw = () => this.#draw();

  #refresh() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.opened) return;
      this.#ask();
      this.#draw();
    }, EVERY);
  }

  #subject(): Subject | null {
    const { store } = this.display;
    const box = this.#box === null ? undefined : store.namespaces.get(this.#box);
    if (this.#box !== null) return box ? { record: null, boxes: [box] } : null;
    const id = this.selection.id ?? "";
    const record = store.byId(id) ?? this.#told?.record;
    if (!record) return null;
    const spawned = record.spawned ?? [...(store.tree.boxesOf(id) ?? [])];
    return { record, boxes: spawned.flatMap((key) => store.namespaces.get(key) ?? []) };
  }

  /** What only the kernel knows: once, and again when the record or its run has come further. */
  async #ask() {
    const { comm, store } = this.display;
    const { id } = this.selection;
    if (this.#box !== null || id === null) return;
    const about = this.#about;
    const further = `${about} ${store.byId(id)?.status} ${store.run.status} ${this.#told?.diff ? "" : store.n}`;
    if (further === this.#asked) return;
    this.#asked = further;
    const told = (await comm.ask({ question: "inspect", id })) as Told | null;
    if (about !== this.#about || this.display.signal.aborted) return;
    this.#told = told ?? this.#told ?? null;
    this.#draw();
  }

  #draw() {
    if (!this.opened) return;
    const subject = this.#subject();
    this.#head(subject);
    const pages = subject ? pagesOf(subject, this.#told ?? null, this.metrics) : [];
    show(this.#tabs.list, pages.length > 0);
    this.#tabs.set(pages.map((page) => page.name));
    const page = pages.find(({ name }) => name === this.#tabs.chosen) ?? null;
    if (!page) {
      this.#page = null;
      const gone = this.#told || this.#box !== null ? "This entry is no longer kept." : "";
      const unknown = "This entry is not in the page, and the kernel does not answer.";
      return setText(this.#tabs.panel, this.#told === null ? unknown : gone);
    }
    const before = this.#page;
    const same = before?.name === page.name && before.of.length === page.of.length;
    this.#page = page;
    if (same && page.of.every((value, i) => value === before.of[i])) return;
    this.#drawing?.abort();
    this.#drawing = new AbortController();
    this.#tabs.panel.replaceChildren(...page.draw(this.#drawing.signal));
  }

  #head(subject: Subject | null) {
    const record = subject?.record;
    const box = subject?.boxes[0];
    const status = record?.type === "error" ? "failed" : (record?.status ?? box?.status ?? "");
    const [name, tone] = LOOKS[status] ?? [subject ? "slashed" : "dot", "nst-mut"];
    this.#icon = changeIcon(this.#icon, name, tone);
    setText(this.#name, label(record ? nameOf(record) : (box?.label ?? this.selection.id)));
    this.#name.classList.toggle("nst-tn", record?.type === "tool_call");
    const { started_at, ended_at } = record ?? box ?? { started_at: 0 };
    const kind = record ? (KINDS[record.type] ?? status) : status;
    const took =
      ended_at === undefined || ended_at === started_at ? "" : ` ${duration(ended_at - started_at)}`;
    setText(this.#kind, kind === "completed" ? took.trim() : kind + took);
    attribute(this.el, "data-status", status || null);
  }
}

function nameOf(record: Record): string {
  const { type, name, title, error_type, speaker } = record;
  if (type === "tool_call") return name ?? "";
  if (type === "artifact") return title || "Untitled";
  if (type === "error") return error_type ?? "Error";
  return speaker;
}
