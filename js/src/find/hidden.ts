import { isDrawn } from "../arrange.ts";
import { attribute, h, setText } from "../dom.ts";
import type { Record } from "../protocol.ts";
import type { Display } from "../views/run.ts";
import { number } from "../wording.ts";
import type { Hits } from "./hits.ts";

const ROOM = 40;
/** Questions to the reader, and boxes with one inside, stay in sight whatever is searched for. */
const WAITING = ".nst-pending, article[data-status=interrupted]";

/** A row, box, fold or group that stands below another, and how many entries it is. */
interface Line {
  el: HTMLElement;
  size: number;
  shown: boolean;
  /** Names what the reader revealed. */
  handle: string;
}

/**
 * Hides what does not match where it stands: the first of neighbours that are hidden shows a
 * line with their number instead of itself, so that no other element moves or changes its order.
 */
export class Hidden {
  #revealed = new Set<string>();
  #gaps = new Map<HTMLElement, HTMLButtonElement>();
  /** What stands in the page for rows that match. */
  shown = new Set<Element>();
  #sifted = false;

  constructor(
    readonly display: Display,
    readonly hits: Hits,
  ) {}

  /** Another search hides again what was revealed. */
  forget() {
    this.#revealed.clear();
  }

  update() {
    const { display, hits } = this;
    const body = display.log.querySelector<HTMLElement>(".nst-rootbody");
    if (!body || (!hits.active && !this.#sifted)) return;
    this.#sifted = hits.active;
    display.root.classList.toggle("nst-sifted", hits.active);
    this.shown = new Set();
    const before = this.#gaps;
    this.#gaps = new Map();
    this.#sift(this.#lines(body), before);
    for (const [el, gap] of before) if (!this.#gaps.has(el)) gap.remove();
  }

  /** Shows a row that is hidden, and what it stands in. */
  uncover(el: HTMLElement) {
    for (let at: HTMLElement | null = el; at; at = at.parentElement?.closest("article") ?? null)
      this.#revealed.add(handleOf(at));
    this.update();
  }

  /** A new row that does not match is hidden at once; the lines are counted later. */
  hide(seq: number) {
    const el = this.display.stage.rows.get(seq)?.el;
    if (!this.hits.matches(seq) && !el?.matches(WAITING)) el?.classList.add("nst-hid");
  }

  #lines(body: Element): Line[] {
    const lines: Line[] = [];
    for (const chunk of body.querySelectorAll(":scope > .nst-chunk")) {
      const own = [...chunk.children].map((el) => this.#line(el as HTMLElement));
      const size = own.reduce((sum, { shown }) => sum + (shown ? ROOM : 0), ROOM);
      (chunk as HTMLElement).style.setProperty("--nst-size", this.hits.active ? `${size}px` : "");
      lines.push(...own);
    }
    return lines;
  }

  #line(el: HTMLElement): Line {
    const { hits } = this;
    if (el.classList.contains("nst-par")) {
      return this.#around(el, this.#boxes(el));
    }
    if (el.classList.contains("nst-fold")) {
      const rows = this.#lines(el.lastElementChild as Element);
      const matching = rows.filter(({ shown }) => shown).length;
      this.#tell(el.firstElementChild as HTMLElement, el.lastElementChild as HTMLElement, matching);
      return this.#around(el, rows);
    }
    if (el.localName === "article") {
      const key = el.dataset.namespace ?? "";
      const head = el.querySelector<HTMLElement>(":scope > .nst-boxhead") as HTMLElement;
      const body = el.querySelector<HTMLElement>(":scope > .nst-body") as HTMLElement;
      const inside = hits.active ? hits.inside(key) : 0;
      const called = this.#matches(head) || el.matches(WAITING);
      this.#tell(head.querySelector(".nst-boxline") as HTMLElement, body, inside);
      const shown = !hits.active || inside > 0 || called;
      const size = shown ? 1 : this.#entries(key) + Number(head.dataset.id !== undefined);
      return { el, size, shown, handle: handleOf(el) };
    }
    const shown = !hits.active || this.#matches(el) || el.matches(WAITING);
    return { el, size: 1, shown, handle: handleOf(el) };
  }

  #boxes(group: HTMLElement): Line[] {
    return [...(group.lastElementChild?.children ?? [])].map((box) => this.#line(box as HTMLElement));
  }

  /** Entries that the page has of a box, and of all boxes inside it. */
  #entries(key: string): number {
    const { records, tree } = this.display.store;
    let count = 0;
    for (const child of tree.children(key))
      count += "key" in child ? this.#entries(child.key) : Number(isDrawn(records.get(child.seq) as Record));
    return count;
  }

  #around(el: HTMLElement, lines: Line[]): Line {
    const size = lines.reduce((sum, line) => sum + line.size, 0);
    const handle = lines[0]?.handle ?? "";
    const revealed = lines.some((line) => this.#revealed.has(line.handle));
    return { el, size, shown: revealed || lines.some(({ shown }) => shown), handle };
  }

  #matches(el: HTMLElement): boolean {
    const found = this.hits.matches(this.display.store.byId(el.dataset.id ?? "")?.seq);
    if (found) this.shown.add(el);
    return found;
  }

  /** What is closed says how many matches are inside. */
  #tell(button: HTMLElement, body: HTMLElement, count: number) {
    let note = button.querySelector<HTMLElement>(".nst-inside");
    const told = count > 0 && body.hidden === true;
    button.classList.toggle("nst-has", told);
    if (!told) return note?.remove();
    if (!note) {
      note = h("span", "nst-inside");
      const summary = button.querySelector(".nst-sum");
      if (summary) summary.after(note);
      else button.append(note);
    }
    setText(note, `${number(count)} ${count === 1 ? "match" : "matches"} inside, press → to open`);
  }

  /** Shows or hides each line, and what stands in it. */
  #sift(lines: Line[], before: Map<HTMLElement, HTMLButtonElement>) {
    let run: Line[] = [];
    const end = () => {
      const [first] = run;
      if (first) this.#gap(first.el, run, before.get(first.el));
      run = [];
    };
    const walk = (each: Line[]) => {
      for (const line of each) {
        const { el } = line;
        const shown = line.shown || this.#revealed.has(line.handle);
        el.classList.toggle("nst-hid", !shown);
        if (!shown) {
          run.push(line);
          continue;
        }
        end();
        const body = el.querySelector<HTMLElement>(":scope > .nst-body, :scope > .nst-folded");
        if (body) walk(this.#lines(body));
        else if (el.classList.contains("nst-par")) walk(this.#boxes(el));
        // What is hidden at the end of an open box goes on with what is hidden below it.
        if (body?.hidden) end();
      }
    };
    walk(lines);
    end();
  }

  #gap(el: HTMLElement, run: Line[], known: HTMLButtonElement | undefined) {
    const gap = known ?? h("button", "nst-gap");
    this.#gaps.set(el, gap);
    if (gap.parentElement !== el) el.prepend(gap);
    const count = Math.max(
      1,
      run.reduce((sum, { size }) => sum + size, 0),
    );
    setText(gap, `${number(count)} hidden`);
    attribute(gap, "title", "Show what is hidden here");
    gap.onclick = (event) => {
      event.stopPropagation();
      this.display.follow.pin(el);
      for (const { handle } of run) this.#revealed.add(handle);
      this.update();
      this.display.follow.stay();
      el.tabIndex = -1;
      el.focus({ preventScroll: true });
    };
  }
}

/** Names a row, or a box. */
function handleOf(el: HTMLElement): string {
  const { id, namespace } = el.dataset;
  return el.localName === "article" ? `box ${namespace}` : `row ${id}`;
}
