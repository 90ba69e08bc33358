import { isDrawn } from "../arrange.ts";
import type { Record } from "../protocol.ts";

/** What is searched for, as the traits have it. */
export interface Wanted {
  query: string;
  /** Record field -> accepted values, or one. */
  filters: { [field: string]: unknown };
  /** Seconds since the epoch. */
  time_range: readonly [number, number] | null;
}

/** Text without case; `find.py` says the same. */
export function fold(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ");
}

/** Arguments as JSON, and as rows show them: `city="Oslo", n=24`. */
function written(args: unknown): string {
  if (typeof args !== "object" || args === null) return spaced(args);
  const named = Object.entries(args).map(([name, value]) => [name, spaced(value)] as const);
  const fields = named.map(([name, value]) => `${JSON.stringify(name)}: ${value}`);
  return `{${fields.join(", ")}}\n${named.map((each) => each.join("=")).join(", ")}`;
}

/** JSON as Python writes it: a space behind commas and colons. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${spaced(inner)}`);
  return `{${fields.join(", ")}}`;
}

/** All text of a record that is looked through; `find.py` says the same. */
export function searchable(record: Record): string {
  const { content, reasoning = "", name = "", title = "", error = "", args = "" } = record;
  return fold([content, reasoning, name, title, error, written(args)].join("\n"));
}

export function isActive({ query, filters, time_range }: Wanted): boolean {
  return query !== "" || Object.keys(filters).length > 0 || time_range !== null;
}

export function accepted(filters: Wanted["filters"], field: string): unknown[] {
  const values = filters[field];
  return Array.isArray(values) ? values : values === undefined ? [] : [values];
}

/** Tells records that match from others. Texts are kept as they are compared. */
export class Matcher {
  #needle: string;
  #fields: [string, unknown[]][];

  constructor(
    readonly wanted: Wanted,
    /** Of records that have not changed since: `seq` -> text. */
    readonly texts: Map<number, string> = new Map(),
  ) {
    this.#needle = fold(wanted.query);
    this.#fields = Object.keys(wanted.filters).map((field) => [field, accepted(wanted.filters, field)]);
  }

  matches(record: Record): boolean {
    const { time_range } = this.wanted;
    if (!isDrawn(record)) return false;
    for (const [field, values] of this.#fields) {
      // A display has an error for a failure, whatever became of it.
      const failed = field === "status" && record.type === "error" && values.includes("failed");
      if (!failed && !values.includes(record[field as keyof Record])) return false;
    }
    if (time_range) {
      const { started_at, ended_at = Number.POSITIVE_INFINITY } = record;
      if (started_at > time_range[1] || ended_at < time_range[0]) return false;
    }
    return !this.#needle || this.#text(record).includes(this.#needle);
  }

  #text(record: Record): string {
    let text = this.texts.get(record.seq);
    if (text === undefined) this.texts.set(record.seq, (text = searchable(record)));
    return text;
  }
}
