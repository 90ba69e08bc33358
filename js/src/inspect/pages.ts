import { h } from "../dom.ts";
import type { Namespace, Record } from "../protocol.ts";
import { duration, number, revealed, timeOfDay } from "../wording.ts";
import type { Metrics } from "./metrics.ts";
import { rawPage } from "./raw.ts";
import { type Diff, statePage } from "./state.ts";
import { jsonTree } from "./tree.ts";

/** One event of a record, as the kernel tells it. */
export interface Heard {
  type: string;
  ns: string[];
  at: number;
  data: unknown;
}

/** What only the kernel knows of a record. */
export interface Told {
  record?: Record;
  diff?: Diff;
  events?: Heard[];
}

/** What the inspector is about: a record, or a box that no call opened. */
export type Subject = { record: Record; boxes: Namespace[] } | { record: null; boxes: [Namespace] };

/** One tab. */
export interface Page {
  name: string;
  /** What it shows; it is drawn anew when one of these is another. */
  of: unknown[];
  draw(signal: AbortSignal): Node[];
  /** What Copy JSON copies. */
  json(): unknown;
}

/** The tabs that have something to show. */
export function pagesOf(subject: Subject, told: Told | null, metrics: Metrics): Page[] {
  const { record, boxes } = subject;
  const pages = record ? [callPage(record), resultPage(record)] : [];
  if (boxes.length) pages.push(metrics.page(boxes));
  pages.push(statePage(told?.diff), rawPage(record ?? boxes[0], told));
  return pages.filter((page) => page !== null);
}

export function caption(text: string, ...more: (Node | string)[]): HTMLElement {
  return h("div", "nst-cap2", text, ...more);
}

export function facts(lines: [name: string, value: string][]): HTMLElement {
  const list = h("dl", "nst-facts nst-num");
  for (const [name, value] of lines) list.append(h("dt", null, name), h("dd", null, revealed(value)));
  return list;
}

/** What was asked for: arguments of a call, what an interrupt asks. */
function callPage(record: Record): Page | null {
  const { type, args, args_text, value, actions } = record;
  if (type === "interrupt") {
    const asked = actions?.length ? { value, actions } : value;
    return {
      name: "Call",
      of: [value, actions],
      draw: (signal) => [jsonTree(asked, signal)],
      json: () => asked,
    };
  }
  if (type !== "tool_call") return null;
  const whole = args_text === undefined || args !== undefined;
  return {
    name: "Call",
    of: [args, args_text],
    draw: (signal) => [whole ? jsonTree(args ?? {}, signal) : text(args_text)],
    json: () => args ?? args_text,
  };
}

/** What came of it. */
function resultPage(record: Record): Page | null {
  const result = resultOf(record);
  if (!result.length && record.status === "calling") return null;
  const { content, status, ended_at, attempt, usage } = record;
  return {
    name: "Result",
    of: [content, status, ended_at, attempt, usage, ...result.map(([, value]) => value)],
    draw: (signal) => [
      ...result.flatMap(([name, value]) => [
        ...(name ? [caption(name)] : []),
        typeof value === "string" ? text(value, name === "Traceback") : jsonTree(value, signal),
      ]),
      facts(factsOf(record)),
    ],
    json: () => {
      const [only] = result;
      return result.length === 1 && only
        ? only[1]
        : Object.fromEntries(result.map(([n, v]) => [n || "content", v]));
    },
  };
}

type Part = [name: string, value: unknown];

function resultOf(record: Record): Part[] {
  const { type, content, error } = record;
  const parts: Part[] = [];
  const add = (name: string, value: unknown) => {
    if (value !== undefined && value !== null && value !== "") parts.push([name, value]);
  };
  if (type === "tool_call") {
    add("", parsed(content));
    if (error !== content) add("Error", error);
    add("Artifacts", record.artifacts?.length ? record.artifacts : undefined);
  } else if (type === "ai") {
    add("Reasoning", record.reasoning);
    add(record.reasoning ? "Text" : "", content);
    add("Blocks", record.blocks);
  } else if (type === "error") {
    add("", record.error_type ? `${record.error_type}: ${record.message ?? ""}` : content);
    add("Traceback", record.traceback);
  } else if (type === "interrupt") {
    add("", record.answer);
  } else if (type === "artifact") {
    add("", { title: record.title, kind: record.kind, version: record.version ?? 1, mime: record.mime });
  } else {
    add("", record.data ?? content);
  }
  return parts;
}

function factsOf(record: Record): [string, string][] {
  const { status, started_at, ended_at, usage, model, attempt, tool_call_id } = record;
  const lines: [string, string][] = [["Status", status]];
  if (model) lines.push(["Model", model]);
  if (usage?.input_tokens !== undefined) lines.push(["Tokens in", number(usage.input_tokens)]);
  if (usage?.output_tokens !== undefined) lines.push(["Tokens out", number(usage.output_tokens)]);
  const seconds = (ended_at ?? started_at) - started_at;
  if (usage?.output_tokens && seconds > 0.05)
    lines.push(["Tokens per second", number(Math.round(usage.output_tokens / seconds))]);
  if (attempt && attempt > 1) lines.push(["Attempt", String(attempt)]);
  lines.push(["Started", timeOfDay(started_at)]);
  if (seconds > 0) lines.push(["Took", duration(seconds)]);
  if (tool_call_id) lines.push(["Call id", tool_call_id]);
  return lines;
}

/** A result that is JSON is shown as what it is. */
function parsed(content: string): unknown {
  if (!/^\s*[[{]/.test(content) || content.length > 1_000_000) return content;
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

const SHOWN = 20_000;

function text(value: string, code = false): HTMLElement {
  const el = h(code ? "pre" : "div", "nst-text", revealed(value.slice(0, SHOWN)));
  if (value.length <= SHOWN) return el;
  const more = h("button", "nst-chip", `Show all ${number(value.length)} characters`);
  more.addEventListener("click", () => {
    el.textContent = revealed(value);
  });
  el.append("… ", more);
  return el;
}
