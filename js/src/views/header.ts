import { attribute, ended, h, on, setText, show } from "../dom.ts";
import { changeIcon, type Icon, icon } from "../icons.ts";
import type { Store } from "../store.ts";
import { clock, label, number } from "../wording.ts";
import { Bar } from "./progress.ts";

const BUSY_AFTER = 1500;

const PILLS: { [status: string]: [Icon, string, string] } = {
  idle: ["dot", "nst-mut", "Ready"],
  running: ["running", "nst-run nst-spin", "Running"],
  interrupted: ["bars", "nst-wait", "Waiting for you"],
  completed: ["check", "nst-ok", "Completed"],
  failed: ["cross", "nst-bad", "Failed"],
  cancelled: ["slashed", "nst-mut", "Stopped"],
  lost: ["slashed", "nst-mut", "Kernel gone. Showing saved history"],
};

/** The state of the run as one word; also part of the region's name. */
export function statusWord(store: Store): string {
  return pill(store)[2];
}

function pill(store: Store): [Icon, string, string] {
  return PILLS[store.connection === "lost" ? "lost" : store.run.status] ?? ["dot", "nst-mut", "Ready"];
}

/** Status, name, clock and counts; stays in sight. */
export class Header {
  readonly el: HTMLElement;
  readonly tools = h("span", "nst-tools");
  #icon = icon("dot");
  #word = h("span");
  #pill = h("span", "nst-pill", this.#icon, this.#word);
  #name = h("b");
  #thread = h("bdi");
  #title = h("span", "nst-title", this.#name, this.#thread);
  #clock = h("b");
  #clockWord = h("span");
  #waiting = h("b");
  #stats = new Map<string, { el: HTMLElement; value: HTMLElement; word: HTMLElement }>();
  #failed = h("span", "nst-bad");
  #problems = h("span", { class: "nst-badge", title: "Parts of this run could not be drawn as they are." });
  #stop: HTMLButtonElement;
  /** Tokens in all where some are an estimate; else 0. */
  estimate = 0;
  #note = h("span", { class: "nst-note", role: "status" });
  #bar = new Bar();
  #busy: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly store: Store,
    stop: () => void,
    signal: AbortSignal,
  ) {
    const elapsed = h("span", null, this.#clock, this.#clockWord);
    const waiting = h("span", null, this.#waiting, " waiting");
    waiting.hidden = true;
    const stats = h("span", "nst-stats nst-num", elapsed, waiting);
    for (const name of ["tokens", "tools", "agents"]) {
      const value = h("b");
      const word = h("span");
      const el = h("span", null, value, " ", word);
      el.hidden = true;
      stats.append(el);
      this.#stats.set(name, { el, value, word });
    }
    this.#stats.get("tools")?.el.append(this.#failed);
    this.#stop = h("button", "nst-ib nst-stop", icon("stop"), "Stop");
    on(this.#stop, "click", signal, () => {
      stop();
      this.#busy = setTimeout(() => {
        this.#stop.disabled = true;
        setText(this.#note, "The kernel is busy. Use the notebook's interrupt button (■).");
        show(this.#note, true);
      }, BUSY_AFTER);
    });
    ended(signal, () => clearTimeout(this.#busy));
    this.tools.append(this.#stop);
    show(this.#note, false);
    show(this.#problems, false);
    this.el = h(
      "header",
      "nst-head",
      this.#pill,
      this.#title,
      h("span", "nst-sp"),
      stats,
      this.#problems,
      this.tools,
      this.#note,
      this.#bar.el,
    );
  }

  update() {
    const { store } = this;
    const { run } = store;
    const [name, tone, word] = pill(store);
    this.#icon = changeIcon(this.#icon, name, tone.replace(/^nst-(?!spin)\S+ ?/, ""));
    attribute(this.#pill, "class", `nst-pill ${tone.split(" ")[0]}`);
    setText(this.#word, word);
    const root = store.namespaces.get("");
    setText(this.#name, label(root?.label));
    this.#bar.update(root?.progress, root?.label);
    setText(this.#thread, run.thread_id ? ` · ${label(run.thread_id)}` : "");
    attribute(this.#title, "title", this.#title.textContent);
    const totals = store.tally.of("");
    this.#count("tokens", Math.max(totals.tokens, this.estimate), "token");
    this.#count("tools", totals.tools, "tool");
    this.#count("agents", totals.agents, "agent");
    setText(this.#failed, totals.failed ? ` ${totals.failed} failed` : "");
    const problems = run.problems ?? 0;
    show(this.#problems, problems > 0);
    setText(this.#problems, `${problems} display problem${problems === 1 ? "" : "s"}`);
    const running = run.status === "running" && store.connection === "live";
    show(this.#stop, running);
    if (!running) {
      clearTimeout(this.#busy);
      this.#stop.disabled = false;
      show(this.#note, false);
    }
    this.tick();
  }

  /** The clocks: own time, corrected by the kernel's. */
  tick() {
    const { run } = this.store;
    const { started_at, ended_at, active_before = 0, status } = run;
    const waiting = status === "interrupted" ? this.#waitingSince() : undefined;
    const end = status === "running" ? this.store.now() : (ended_at ?? waiting);
    const elapsed = this.#clock.parentElement as HTMLElement;
    show(elapsed, started_at !== undefined && end !== undefined);
    if (started_at !== undefined && end !== undefined)
      setText(this.#clock, clock(active_before + end - started_at));
    setText(this.#clockWord, waiting === undefined ? "" : " active");
    show(this.#waiting.parentElement as HTMLElement, waiting !== undefined);
    if (waiting !== undefined) setText(this.#waiting, clock(this.store.now() - waiting));
  }

  #waitingSince(): number | undefined {
    if (this.store.run.ended_at !== undefined) return this.store.run.ended_at;
    let since: number | undefined;
    for (const record of this.store.records.values())
      if (record.type === "interrupt" && record.status === "pending")
        since = Math.max(since ?? 0, record.started_at);
    return since;
  }

  #count(name: string, count: number, noun: string) {
    const stat = this.#stats.get(name);
    if (!stat) return;
    show(stat.el, count > 0);
    const guessed = name === "tokens" && count > 0 && count === this.estimate;
    setText(stat.value, `${guessed ? "≈" : ""}${number(count)}`);
    setText(stat.word, `${noun}${count === 1 ? "" : "s"}`);
  }
}
