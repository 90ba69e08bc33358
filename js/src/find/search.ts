import { attribute, ended, focusedBeside, h, listen, on, setText, show } from "../dom.ts";
import type { Feature } from "../explore.ts";
import { icon } from "../icons.ts";
import { bring, elementOf, reveal } from "../reveal.ts";
import type { Changes } from "../store.ts";
import type { Display } from "../views/run.ts";
import { number } from "../wording.ts";
import { Bar } from "./bar.ts";
import { Hidden } from "./hidden.ts";
import { Hits } from "./hits.ts";
import { Marks } from "./marks.ts";
import { isActive, type Wanted } from "./match.ts";
import { unfold } from "./unfold.ts";

/** In a long run, time between two looks at all rows, as a multiple of what one takes. */
const RARELY = 12;

/** Search and filters of one display: `query`, `filters` and `time_range` are the view's. */
export class Search implements Feature {
  readonly bar: Bar;
  #button: HTMLButtonElement;
  #line = h("div", "nst-sifting");
  #hits: Hits;
  #hidden: Hidden;
  #marks: Marks;
  /** Whether the reader wants the bar, also with nothing in it. */
  #wished = false;
  #current: number | null = null;
  #at: HTMLElement | null = null;
  #going = 0;
  #free = 0;
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly display: Display) {
    const { model, signal, header, log } = display;
    this.#hits = new Hits(display, () => this.#refresh(true));
    this.#hidden = new Hidden(display, this.#hits);
    this.#marks = new Marks(signal);
    this.bar = new Bar(display, () => this.wanted, {
      step: (by) => this.step(by),
      close: () => this.close(),
    });
    header.el.after(this.bar.el);
    this.#button = h(
      "button",
      {
        ...{ class: "nst-ib", "aria-label": "Search run", title: "Search run" },
        ...{ "aria-expanded": "false", "aria-controls": this.bar.el.id },
      },
      icon("search"),
    );
    header.tools.prepend(this.#button);
    on(this.#button, "click", signal, () => (this.bar.el.hidden ? this.open() : this.close()));
    // What was closed may have been drawn by this.
    on(log, "click", signal, () => this.#hits.active && this.#refresh(true));
    const toggled = new MutationObserver(() => this.#hits.active && this.#refresh(true));
    toggled.observe(log, { subtree: true, attributeFilter: ["aria-expanded"] });
    ended(signal, () => {
      toggled.disconnect();
      clearTimeout(this.#later);
    });
    const changed = () => this.#search();
    listen(model, signal, [
      ["change:query", changed],
      ["change:filters", changed],
      ["change:time_range", changed],
    ]);
    show(this.bar.el, false);
    show(this.#line, false);
  }

  /** What is searched for; whatever else a trait holds is nothing. */
  get wanted(): Wanted {
    const { model } = this.display;
    const query = model.get("query");
    const filters = model.get("filters");
    const time = model.get("time_range");
    return {
      query: typeof query === "string" ? query : "",
      filters: typeof filters === "object" && filters && !Array.isArray(filters) ? { ...filters } : {},
      time_range: Array.isArray(time) && time.length === 2 ? [Number(time[0]), Number(time[1])] : null,
    };
  }

  /** Shows the bar, with the cursor in its field. */
  open() {
    this.#wished = true;
    this.#showBar();
    this.bar.input.focus({ preventScroll: true });
    this.bar.input.select();
  }

  /** Away with the bar, and with what it asked of rows; what was found stays in its place. */
  close() {
    const { area, follow, root } = this.display;
    const active = focusedBeside(root);
    const inside = this.bar.el.contains(active);
    const found = this.#at;
    this.#wished = false;
    this.#going++;
    this.bar.clear();
    if (this.#hits.active) this.#search();
    this.#showBar();
    if (inside) (found ? area : this.#button).focus({ preventScroll: true });
    if (found?.isConnected) {
      bring(this.display, found);
      follow.stay();
    }
  }

  /** Goes to the next match, or the one before. */
  step(by: 1 | -1) {
    this.bar.flush();
    if (this.bar.el.hidden) this.open();
    const { order } = this.#hits;
    if (!this.#hits.active || order.length === 0) return;
    const at = this.#current === null ? -1 : order.indexOf(this.#current);
    const start = by > 0 ? 0 : order.length - 1;
    void this.go(order[at < 0 ? start : (at + by + order.length) % order.length] as number);
  }

  /** Goes to a row that matches, wherever it is. */
  async go(seq: number) {
    const { display } = this;
    const going = ++this.#going;
    this.#current = seq;
    this.#count();
    const wanted = () => going === this.#going && !display.signal.aborted;
    const el = await reveal(display, this.#hits.known.get(seq) ?? "", seq, wanted);
    if (!wanted()) return;
    if (!el) return this.bar.count("The kernel does not answer, and this entry is not in the page");
    this.#refresh(true);
    unfold(el, () => this.#marks.isSeen(el));
    this.#mark(el);
    bring(display, el);
  }

  /** Shows a row also where it does not match. */
  uncover(el: HTMLElement) {
    if (this.#hits.active) this.#hidden.uncover(el);
  }

  built() {
    const { log } = this.display;
    log.prepend(this.#line);
    attribute(this.display.area, "aria-label", "Run log");
    this.#search(false);
  }

  drawn(changes: Changes) {
    this.#hits.changed(changes);
    if (!this.#hits.active) return;
    for (const seq of changes.added.keys()) this.#hidden.hide(seq);
    for (const seq of changes.records) {
      const el = this.display.stage.rows.get(seq)?.el;
      if (el) this.#marks.redraw(el);
    }
    this.#refresh(false);
  }

  /** `fresh`: for something else than before. */
  #search(fresh = true) {
    const { display } = this;
    const { wanted } = this;
    const active = isActive(wanted);
    const was = this.#hits.active;
    this.#showBar();
    if (fresh) {
      this.#current = null;
      this.#going++;
      this.#hidden.forget();
    }
    this.#marks.search(wanted.query);
    this.#mark(null);
    this.#hits.search(wanted, !fresh);
    if (!active && !was) return;
    display.follow.hold();
    this.#look();
    if (fresh && active && display.store.run.status !== "running") {
      display.follow.stop();
      display.area.scrollTop = 0;
    } else display.follow.stay();
    const el = elementOf(display, this.#current ?? undefined);
    if (el) this.#mark(el);
  }

  /** Hides and counts anew: at once, or when there is time. */
  #refresh(now: boolean) {
    clearTimeout(this.#later);
    this.#later = undefined;
    const early = this.#free - performance.now();
    if (!now && early > 0) {
      this.#later = setTimeout(() => this.#refresh(true), early);
      return;
    }
    const { follow } = this.display;
    if (now) follow.hold();
    this.#look();
    if (now) follow.stay();
  }

  #look() {
    const began = performance.now();
    this.#hidden.update();
    this.#siftCards();
    this.#marks.watch(this.#hidden.shown);
    this.#count();
    const end = performance.now();
    this.#free = end + RARELY * (end - began);
  }

  /** Cards of artifacts stand behind the rows, and tell nothing of their order. */
  #siftCards() {
    const { log, store } = this.display;
    for (const card of log.querySelectorAll<HTMLElement>(".nst-art")) {
      const found = this.#hits.matches(store.byId(card.dataset.artifact ?? "")?.seq);
      card.classList.toggle("nst-hid", this.#hits.active && !found);
    }
  }

  #mark(el: HTMLElement | null) {
    this.#at?.classList.remove("nst-at");
    this.#at?.removeAttribute("aria-current");
    this.#at = el;
    el?.classList.add("nst-at");
    if (el) attribute(el, "aria-current", "true");
    this.#marks.now = el;
  }

  #showBar() {
    const shown = this.#wished || isActive(this.wanted);
    show(this.bar.el, shown);
    attribute(this.#button, "aria-expanded", String(shown));
    if (shown) this.bar.update();
  }

  #count() {
    const hits = this.#hits;
    show(this.#line, hits.active);
    attribute(this.display.area, "aria-label", hits.active ? "Run log, filtered" : "Run log");
    if (!hits.active) return this.bar.count("");
    const { count } = hits;
    const at = this.#current === null ? -1 : hits.order.indexOf(this.#current);
    const found = count === 1 ? "1 match" : count ? `${number(count)} matches` : "No matches";
    this.bar.count(at < 0 ? found : `${number(at + 1)} of ${number(count)}`);
    const { count: all, whole } = hits.entries();
    const of = `${number(count)} of ${number(all)} entries${whole ? "" : " that are in the page"}`;
    setText(this.#line, `${of}. Hidden entries stay in place, so order is unchanged.`);
  }
}
