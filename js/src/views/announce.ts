import { ended, h } from "../dom.ts";
import type { Record } from "../protocol.ts";
import type { Store } from "../store.ts";
import { label, many, spoken } from "../wording.ts";
import { statusWord } from "./header.ts";

const APART = 3000;

/** Tells a screen reader the milestones of a run, never its tokens. */
export class Announcer {
  readonly polite = h("div", { class: "nst-vh", "aria-live": "polite" });
  readonly alert = h("div", { class: "nst-vh", "aria-live": "assertive" });
  #status: string | null = null;
  #ended = 0;
  #lost = false;
  #queue: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  #heard = new Set<number>();

  constructor(
    readonly store: Store,
    /** Nested agents' messages too, not only those of the root. */
    readonly all: () => boolean,
    signal: AbortSignal,
  ) {
    ended(signal, () => clearTimeout(this.#timer));
  }

  update(changed: Record[] = []) {
    const { store } = this;
    const { status } = store.run;
    const before = this.#status;
    this.#status = status;
    const lost = store.connection === "lost";
    const news = lost && !this.#lost;
    this.#lost = lost;
    const finished = store.completed - this.#ended;
    this.#ended = store.completed;
    // What was there when the page came is no news.
    if (before === null) {
      for (const record of store.records.values()) this.#isNews(record);
      return;
    }
    for (const record of changed)
      if (this.#isNews(record)) this.say(`${label(record.speaker)}: ${label(record.content)}`);
    if (news) this.say(statusWord(store));
    else if (status !== before) this.#milestone(status);
    else if (finished > 0) this.say(`${many(finished, "agent")} finished`);
  }

  #milestone(status: string) {
    const { store } = this;
    const { started_at = 0, ended_at = 0 } = store.run;
    if (status === "running") this.say("Run started");
    else if (status === "cancelled") this.say("Run stopped");
    else if (status === "completed") {
      const made = store.tally.of("").artifacts;
      const took = ended_at > started_at ? `, ${spoken(ended_at - started_at)}` : "";
      this.say(`Run completed${took}${made ? `, ${many(made, "artifact")}` : ""}`);
    } else if (status === "failed") this.alert.textContent = `Run failed${this.#failure()}`;
    else if (status === "interrupted") this.alert.textContent = `Approval needed${this.#request()}`;
  }

  say(text: string) {
    this.#queue.push(text);
    if (this.#timer !== undefined) return;
    this.#flush();
  }

  #flush() {
    const agents = this.#queue.filter((text) => /^\d+ agents? finished$/.test(text));
    const rest = this.#queue.filter((text) => !agents.includes(text));
    const count = agents.reduce((sum, text) => sum + Number.parseInt(text, 10), 0);
    this.polite.textContent = [count ? `${many(count, "agent")} finished` : "", ...rest]
      .filter(Boolean)
      .join(". ");
    this.#queue = [];
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#queue.length) this.#flush();
    }, APART);
  }

  /** A message that has just been finished, once. */
  #isNews(record: Record): boolean {
    if (record.type !== "ai" || record.status !== "completed" || !record.content) return false;
    if (this.#heard.has(record.seq)) return false;
    this.#heard.add(record.seq);
    return record.namespace.length === 0 || this.all();
  }

  #failure(): string {
    const { store } = this;
    for (const seq of [...store.seqs].reverse()) {
      const record = store.records.get(seq);
      if (record?.type !== "error") continue;
      const where = store.namespaces.get(record.namespace.join("|"));
      const inside = where?.parent != null ? ` in ${label(where.label)}` : "";
      return `: ${label(record.error_type ?? record.content)}${inside}`;
    }
    return "";
  }

  #request(): string {
    for (const record of this.store.records.values()) {
      if (record.type !== "interrupt" || record.status !== "pending") continue;
      const [action] = (record.actions ?? []) as { name?: unknown }[];
      const where = this.store.namespaces.get(record.namespace.join("|"));
      const who = where?.parent != null ? where.label : record.speaker;
      return `: ${[action?.name, who].filter(Boolean).map(label).join(", ")}`;
    }
    return "";
  }
}
