import type { Namespace, Record, Usage } from "./protocol.ts";
import { keyOf } from "./tree.ts";

/** Sums over a namespace and everything inside it. */
export interface Totals {
  tokens: number;
  tools: number;
  failed: number;
  agents: number;
  artifacts: number;
  /** Failed or waiting boxes and pending interrupts: reasons to stay open. */
  trouble: number;
}

const NONE: Totals = { tokens: 0, tools: 0, failed: 0, agents: 0, artifacts: 0, trouble: 0 };
const FIELDS = Object.keys(NONE) as (keyof Totals)[];

/** Keeps the sums of every namespace right by differences, never by adding up again. */
export class Tally {
  #totals = new Map<string, Totals>();
  #parts = new Map<number | string, { key: string; part: Totals }>();
  #parents = new Map<string, string | null>();
  /** Tokens of the messages of one namespace, in case it has no usage of its own. */
  #spoken = new Map<string, number>();
  #counted = new Map<string, number>();
  changed = new Set<string>();

  clear() {
    this.#totals.clear();
    this.#parts.clear();
    this.#parents.clear();
    this.#spoken.clear();
    this.#counted.clear();
    this.changed.clear();
  }

  of(key: string): Totals {
    return this.#totals.get(key) ?? NONE;
  }

  record(record: Record, callsBox: boolean) {
    const key = keyOf(record.namespace);
    const part = { ...NONE };
    if (record.type === "tool_call" && !callsBox) {
      part.tools = 1;
      part.failed = record.status === "failed" ? 1 : 0;
    }
    if (record.type === "artifact") part.artifacts = 1;
    if (record.type === "interrupt" && record.status === "pending") part.trouble = 1;
    if (record.type === "error") part.trouble = 1;
    if (record.type === "ai" && record.usage) {
      const before = this.#parts.get(record.seq)?.part.tokens ?? 0;
      const tokens = sum(record.usage);
      this.#spoken.set(key, (this.#spoken.get(key) ?? 0) + tokens - before);
      // Counted through the namespace; remembered here for the next difference.
      part.tokens = tokens;
    }
    this.#put(record.seq, key, part, true);
    this.#recount(key);
  }

  namespace(box: Namespace) {
    if (!this.#parents.has(box.key)) this.#parents.set(box.key, box.parent);
    const part = { ...NONE };
    if (box.parent !== null) {
      part.agents = box.is_agent ? 1 : 0;
      part.trouble = box.status === "failed" || box.status === "interrupted" ? 1 : 0;
    }
    this.#put(box.key, box.parent ?? "", part, false);
    if (box.usage) this.#counted.set(box.key, sum(box.usage));
    this.#recount(box.key);
  }

  #recount(key: string) {
    const tokens = this.#counted.get(key) ?? this.#spoken.get(key) ?? 0;
    this.#put(`tokens ${key}`, key, { ...NONE, tokens }, false);
  }

  #put(handle: number | string, key: string, part: Totals, skipTokens: boolean) {
    const before = this.#parts.get(handle)?.part ?? NONE;
    if (FIELDS.every((field) => before[field] === part[field])) return;
    this.#parts.set(handle, { key, part });
    for (let at: string | null | undefined = key; at !== null && at !== undefined; ) {
      const totals = this.#totals.get(at) ?? { ...NONE };
      for (const field of FIELDS)
        if (!(skipTokens && field === "tokens")) totals[field] += part[field] - before[field];
      this.#totals.set(at, totals);
      this.changed.add(at);
      at = at === "" ? null : (this.#parents.get(at) ?? "");
    }
  }
}

function sum(usage: Usage): number {
  return usage.total_tokens ?? (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0);
}
