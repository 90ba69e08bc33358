import type { Namespace, Usage } from "./protocol.ts";

/** Sums over a namespace and everything inside it. */
export interface Totals {
  tokens: number;
  tools: number;
  failed: number;
  agents: number;
  artifacts: number;
  /** Failed or waiting boxes, errors and pending interrupts: reasons to stay open. */
  trouble: number;
}

const NONE: Totals = { tokens: 0, tools: 0, failed: 0, agents: 0, artifacts: 0, trouble: 0 };
const FIELDS = Object.keys(NONE) as (keyof Totals)[];

/**
 * Adds up what the kernel counts of each namespace alone, by differences, never again. Rows
 * need not be in the page for it.
 */
export class Tally {
  #totals = new Map<string, Totals>();
  #parts = new Map<string, Totals>();
  #parents = new Map<string, string | null>();
  changed = new Set<string>();

  clear() {
    this.#totals.clear();
    this.#parts.clear();
    this.#parents.clear();
    this.changed.clear();
  }

  of(key: string): Totals {
    return this.#totals.get(key) ?? NONE;
  }

  namespace({ key, parent, status, is_agent, usage, counts }: Namespace) {
    this.#parents.set(key, parent);
    this.#put(`in ${key}`, key, {
      ...NONE,
      ...counts,
      tokens: (counts?.tokens ?? 0) + (usage ? sum(usage) : 0),
    });
    if (parent === null) return;
    const trouble = status === "failed" || status === "interrupted" ? 1 : 0;
    this.#put(`is ${key}`, parent, { ...NONE, agents: is_agent ? 1 : 0, trouble });
  }

  drop({ key, parent }: Namespace) {
    this.#put(`in ${key}`, key, NONE);
    if (parent !== null) this.#put(`is ${key}`, parent, NONE);
    this.#totals.delete(key);
  }

  #put(handle: string, key: string, part: Totals) {
    const before = this.#parts.get(handle) ?? NONE;
    if (FIELDS.every((field) => before[field] === part[field])) return;
    if (part === NONE) this.#parts.delete(handle);
    else this.#parts.set(handle, part);
    for (let at: string | null | undefined = key; at !== null && at !== undefined; ) {
      const totals = this.#totals.get(at) ?? { ...NONE };
      for (const field of FIELDS) totals[field] += part[field] - before[field];
      this.#totals.set(at, totals);
      this.changed.add(at);
      at = at === "" ? null : (this.#parents.get(at) ?? "");
    }
  }
}

function sum(usage: Usage): number {
  return usage.total_tokens ?? (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0);
}
