import { attribute, h, on, setText, show } from "../dom.ts";
import { changeIcon, type Icon, icon } from "../icons.ts";
import type { Namespace, Record } from "../protocol.ts";
import { clock, duration, firstSentence, label, many, number } from "../wording.ts";
import { Body } from "./body.ts";
import { Bar } from "./progress.ts";
import { mark } from "./row.ts";
import type { Stage } from "./stage.ts";
import { CallDetails, lookOf, resultOf } from "./tool.ts";

const CLOSES_AFTER = 1000;
/** Children of a box among which its summary is looked for. */
const LOOKED_AT = 50;
let ids = 0;

const LOOKS: { [status: string]: [Icon, string] } = {
  running: ["running", "nst-run nst-spin"],
  completed: ["check", "nst-ok"],
  failed: ["cross", "nst-bad"],
  interrupted: ["bars", "nst-wait"],
  cancelled: ["slashed", "nst-mut"],
};

/** One agent or subgraph: a header that always says how it is, and what happened inside. */
export class Box {
  readonly el: HTMLElement;
  readonly body: Body;
  #head: HTMLElement;
  #button: HTMLButtonElement;
  #chevron = icon("open", "nst-chev");
  #status = icon("running");
  #name = h("bdi", "nst-n");
  #word = h("span", "nst-vh");
  #summary = h("span", "nst-sum");
  #meta = h("span", "nst-m nst-num");
  #bar = new Bar();
  #namespace: Namespace;
  #call: number | null = null;
  #details: CallDetails | null = null;
  #callButton: HTMLButtonElement | null = null;
  #was: string | null = null;
  #open = true;
  #closing = false;
  /** Told when it has opened or closed, or stays open after all. */
  toggled: (() => void) | null = null;

  constructor(
    readonly key: string,
    readonly stage: Stage,
  ) {
    const namespace = stage.store.namespaces.get(key) as Namespace;
    this.#namespace = namespace;
    const depth = Math.min(6, 2 + namespace.namespace.length);
    const inside = h("div", { class: "nst-body", id: `nst-body-${++ids}` });
    this.#button = h(
      "button",
      { class: "nst-boxline", "aria-controls": inside.id },
      this.#chevron,
      this.#status,
      this.#name,
      this.#word,
      this.#summary,
      this.#meta,
    );
    const heading = h(`h${depth}` as "h3", null, this.#button);
    this.#head = h("div", "nst-boxhead", h("div", "nst-boxtop", heading), this.#bar.el);
    this.el = h("article", "nst-box", this.#head, inside);
    this.body = new Body(inside, key, stage);
    on(this.#button, "click", stage.signal, () => {
      stage.reader.boxes.set(key, !this.#open);
      this.update();
      if (this.#open) this.body.ask();
    });
    this.update();
    stage.seen.observe(this.el);
  }

  get running(): boolean {
    return this.#namespace.status === "running";
  }

  get open(): boolean {
    return this.#open;
  }

  /** It has just ended and will close soon. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Brings the header up to date with the namespace. */
  update() {
    const namespace = this.#namespace;
    const { stage } = this;
    attribute(this.el, "data-namespace", this.key);
    attribute(this.el, "data-label", namespace.label);
    attribute(this.el, "data-status", namespace.status);
    this.el.style.setProperty("--c", stage.hue(namespace.label));
    setText(this.#name, label(namespace.label));
    const running = namespace.status === "running" && stage.live;
    const unknown = namespace.status === "running" && !stage.live;
    const [name, tone] = LOOKS[unknown ? "" : namespace.status] ?? ["dot", "nst-mut"];
    this.#status = changeIcon(this.#status, name as Icon, tone as string);
    // Failed and waiting are written in the header for everybody.
    const written = unknown || namespace.status === "failed" || namespace.status === "interrupted";
    setText(
      this.#word,
      written ? "" : ` ${namespace.status === "cancelled" ? "stopped" : namespace.status} `,
    );
    this.#show(this.#wanted(namespace));
    this.#was = namespace.status;
    this.#drawMeta();
    this.#bar.update(namespace.progress, namespace.label);
    if (!this.#open) this.#drawSummary();
    stage.ticking(this, running ? () => this.#drawMeta() : null);
  }

  /** Takes over the row of the call that opened this box. */
  setCall(seq: number | null) {
    this.#call = seq;
    if (seq !== null) this.stage.removeRow(seq);
    this.updateCall();
  }

  updateCall() {
    const record = this.#call === null ? undefined : this.stage.store.records.get(this.#call);
    if (!record) {
      for (const name of ["data-id", "data-type", "data-status", "data-namespace"])
        this.#head.removeAttribute(name);
      this.#details?.el.remove();
      this.#callButton?.remove();
      this.#details = this.#callButton = null;
      return;
    }
    mark(this.#head, record);
    if (!this.#details) {
      const details = new CallDetails(this.stage, true);
      const button = h(
        "button",
        {
          class: "nst-ib nst-callbutton",
          "aria-expanded": "false",
          "aria-label": `Call of ${label(record.name)}`,
        },
        icon("call"),
      );
      button.title = "Arguments and result of the call";
      on(button, "click", this.stage.signal, () => {
        const open = button.getAttribute("aria-expanded") !== "true";
        attribute(button, "aria-expanded", String(open));
        this.updateCall();
      });
      this.#head.firstElementChild?.append(button);
      this.#head.append(details.el);
      this.#details = details;
      this.#callButton = button;
    }
    const opened = this.#callButton?.getAttribute("aria-expanded") === "true";
    this.#details.update(record);
    this.#details.open(opened, record);
    this.stage.dress?.(this.#details.el, record);
    const told = record.mime || (record.status === "failed" && resultOf(record) !== "");
    show(this.#details.el, opened || Boolean(told));
  }

  #wanted(namespace: Namespace): boolean {
    const { stage } = this;
    const chosen = stage.reader.boxes.get(this.key);
    if (chosen !== undefined) return chosen;
    if (stage.collapse !== "auto") return stage.collapse === "none";
    if (namespace.status === "running" || namespace.status === "failed" || namespace.status === "interrupted")
      return true;
    if (stage.store.tally.of(this.key).trouble > 0) return true;
    // It has just ended before the reader's eyes.
    if (this.#was !== null && this.#was !== namespace.status) {
      this.#closing = true;
      stage.later(CLOSES_AFTER, () => this.#closeLater());
    }
    return this.#was !== null && this.#open;
  }

  /** Closes, unless somebody is at it; then looks again later. */
  #closeLater() {
    const { stage } = this;
    if (stage.boxes.get(this.key) !== this) return;
    const { status } = this.#namespace;
    const stays =
      stage.reader.boxes.has(this.key) ||
      (status !== "completed" && status !== "cancelled") ||
      stage.store.tally.of(this.key).trouble > 0;
    if (!stays && this.#isBusy()) {
      stage.later(CLOSES_AFTER * 2, () => this.#closeLater());
      return;
    }
    this.#closing = false;
    if (stays) this.toggled?.();
    else this.#show(false);
  }

  #isBusy(): boolean {
    const root = this.el.getRootNode() as Document | ShadowRoot;
    const selection = document.getSelection();
    const selected = selection && !selection.isCollapsed && selection.containsNode(this.el, true);
    const read = !this.stage.reader.following() && this.stage.reader.isAbove(this.el);
    return Boolean(this.el.contains(root.activeElement) || selected || read || this.el.matches(":hover"));
  }

  #show(open: boolean) {
    if (open === this.#open && this.#button.hasAttribute("aria-expanded")) return;
    this.#open = open;
    attribute(this.#button, "aria-expanded", String(open));
    this.el.classList.toggle("nst-open", open);
    show(this.body.el, open);
    this.body.show(open);
    this.#chevron = changeIcon(this.#chevron, open ? "open" : "closed", "nst-chev");
    this.#drawSummary();
    this.#drawMeta();
    this.toggled?.();
  }

  #drawSummary() {
    setText(this.#summary, this.#open ? "" : label(summaryOf(this.stage, this.#namespace)));
  }

  #drawMeta() {
    const namespace = this.#namespace;
    const totals = this.stage.store.tally.of(this.key);
    const agents = totals.agents;
    const parts: [string, string][] = [];
    if (namespace.status === "failed") parts.push(["nst-bad", "failed"]);
    else if (namespace.status === "interrupted") parts.push(["nst-wait", "waiting for you"]);
    else if (!this.#open && totals.failed) parts.push(["nst-bad", `${totals.failed} failed`]);
    const inside = [agents && many(agents, "agent"), totals.tools && many(totals.tools, "tool")];
    const counts = this.#open ? "" : inside.filter(Boolean).join(" · ");
    if (counts) parts.push(["nst-opt", counts]);
    else if (totals.tokens) parts.push(["nst-opt", `${number(totals.tokens)} tokens`]);
    if (namespace.note) parts.push(["nst-opt", namespace.note === "handoff" ? "handed off" : "from cache"]);
    const running = namespace.status === "running";
    const end = namespace.ended_at ?? (running ? this.stage.store.now() : undefined);
    if (end !== undefined) parts.push(["", (running ? clock : duration)(end - namespace.started_at)]);
    while (this.#meta.children.length > parts.length) this.#meta.lastElementChild?.remove();
    parts.forEach(([tone, text], i) => {
      const span = this.#meta.children[i] ?? this.#meta.appendChild(h("span"));
      if (span.className !== tone) span.className = tone;
      setText(span, text);
    });
  }
}

/** What a closed box says: what it does, why it ended, or what it said last. */
export function summaryOf(stage: Stage, namespace: Namespace): string {
  const { store, live } = stage;
  const running = namespace.status === "running" && live;
  if (namespace.status === "cancelled") {
    const culprit = failedMeanwhile(stage, namespace);
    return culprit ? `Cancelled when ${culprit.label} failed.` : "Stopped.";
  }
  let result = "";
  const count = store.tree.count(namespace.key);
  for (let i = count - 1; i >= Math.max(0, count - LOOKED_AT); i--) {
    const child = store.tree.child(namespace.key, i);
    if (!child) continue;
    if ("key" in child) {
      const inner = store.namespaces.get(child.key);
      if (running && inner?.status === "running") return `${inner.label} is running`;
      continue;
    }
    const record = store.records.get(child.seq) as Record;
    if (namespace.status === "failed" && record.type === "error") return record.message ?? record.content;
    if (record.type === "tool_call") {
      if (running && record.status === "executing") return `${lookOf(record, live).word} ${record.name}`;
      result ||= firstSentence(resultOf(record));
    }
    if (record.type === "ai" && record.content) {
      const sentence = firstSentence(record.content);
      if (sentence) return sentence;
    }
  }
  if (result || namespace.status !== "running") return result || "Finished, no message";
  return live ? "Working" : "";
}

/** A box that failed while this one ran, next to it or to one around it. */
function failedMeanwhile(stage: Stage, namespace: Namespace): Namespace | undefined {
  const { namespaces } = stage.store;
  const around = new Set(stage.path(namespace.key).map((box) => box.parent));
  for (const other of namespaces.values()) {
    if (other.status !== "failed" || !around.has(other.parent)) continue;
    const { ended_at = other.started_at } = other;
    const end = namespace.ended_at ?? Number.POSITIVE_INFINITY;
    if (ended_at >= namespace.started_at - 1 && ended_at <= end + 1) return other;
  }
  return undefined;
}
