/**
 * The wire between kernel and page. The same names stand in `records.py`, where each field
 * is explained. A field that does not apply is absent, never null.
 */

export type RecordType =
  | "user"
  | "ai"
  | "tool_call"
  | "artifact"
  | "interrupt"
  | "error"
  | "system"
  | "update"
  | "custom";
export type RunStatus = "idle" | "running" | "interrupted" | "completed" | "failed" | "cancelled";
export type NamespaceStatus = "running" | "completed" | "failed" | "interrupted" | "cancelled";
export type TextField = "content" | "reasoning" | "args_text";

/** How far a call or a node has come; `fraction` is from 0 to 1. */
export interface Progress {
  fraction: number;
  text?: string;
}

export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  total_tokens?: number;
}

/** One row of the conversation; `seq` is its handle on the wire. */
export interface Record {
  id: string;
  type: RecordType;
  namespace: string[];
  speaker: string;
  seq: number;
  order: number;
  status: string;
  content: string;
  started_at: number;
  ended_at?: number;
  // ai
  reasoning?: string;
  blocks?: unknown[];
  usage?: Usage;
  model?: string;
  // tool_call
  tool_call_id?: string;
  name?: string;
  args?: { [name: string]: unknown };
  args_text?: string;
  error?: string;
  attempt?: number;
  artifacts?: string[];
  spawned?: string[];
  progress?: Progress;
  // artifact
  title?: string;
  kind?: string;
  mime?: { [type: string]: unknown };
  created_by?: string;
  version?: number;
  // interrupt
  value?: unknown;
  actions?: unknown[];
  response_schema?: unknown;
  answer?: unknown;
  // error
  error_type?: string;
  message?: string;
  traceback?: string;
  // custom
  data?: unknown;
}

/** One agent or subgraph: a box. The root stands under the key `""`. */
export interface Namespace {
  key: string;
  namespace: string[];
  label: string;
  parent: string | null;
  spawned_by: string | null;
  status: NamespaceStatus;
  is_agent: boolean;
  seq: number;
  order: number;
  started_at: number;
  ended_at?: number;
  note?: "handoff" | "cached";
  usage?: Usage;
  progress?: Progress;
  /** Of this namespace alone: tools, failed, artifacts, trouble. */
  counts?: { [name: string]: number };
}

export interface RunState {
  status: RunStatus;
  turn: number;
  now: number;
  started_at?: number;
  ended_at?: number;
  /** Seconds in which it was active before it waited for an answer. */
  active_before?: number;
  thread_id?: string;
  problems?: number;
  /** Records that the kernel no longer keeps. */
  left_out?: number;
}

/** Fields to change; null removes one. */
export type Fields = { [name: string]: unknown };

export interface Patch {
  type: "patch";
  epoch: string;
  n: number;
  run?: RunState;
  /** By the key of their namespace. */
  drop?: { [key: string]: number[] };
  namespaces?: { [key: string]: Fields | null };
  add?: Record[];
  set?: [number, Fields][];
  append?: ([number, string] | [number, string, TextField])[];
}

export interface Missed {
  type: "missed";
  patches: Patch[];
}

export interface Snapshot {
  type: "snapshot";
  epoch: string;
  n: number;
  run: RunState;
  namespaces: { [key: string]: Namespace };
  chat_history: Record[];
  live_chat: Record[];
  floor: number;
  earlier: { [key: string]: number };
  /** Namespace -> number of boxes right inside of it that are not here. */
  closed?: { [key: string]: number };
}

export interface Rows {
  type: "rows";
  epoch: string;
  n: number;
  namespace: string | null;
  /** As it was asked for: `records` stand right before this `seq`. */
  before: number;
  records: Record[];
  earlier: number;
  /** From this `seq` on all of it is here; absent: from the first of `records` on. */
  floor?: number;
}

/** To one question of one page; others drop it. */
export interface Answer {
  type: "answer";
  ask: string;
  [name: string]: unknown;
}

/** What Python shows in all displays: boxes, all or those of a label, or one row. */
export interface Show {
  type: "show";
  open?: boolean;
  label?: string;
  key?: string;
  seq?: number;
}

export type Message = Patch | Missed | Snapshot | Rows | Answer | Show;

export interface Hello {
  type: "hello";
  epoch: string | null;
  have: number;
}

export interface RowsRequest {
  type: "rows";
  namespace: string | null;
  before: number;
  limit: number;
  /** Number of boxes of this namespace that are not here. */
  closed?: number | undefined;
}

export interface Stop {
  type: "stop";
}

export interface Ask {
  type: "ask";
  /** Names this question; its answer bears the same. */
  ask: string;
  [name: string]: unknown;
}

export type Command = Hello | RowsRequest | Stop | Ask;

/** Traits that the page reads. */
export interface Traits {
  snapshot: Snapshot | null;
  mode: "nested" | "log";
  collapse: "auto" | "all" | "none";
  theme: "auto" | "light" | "dark";
  max_height: string | null;
  follow: boolean;
  static_key: string;
  announce: "milestones" | "all";
  timeline: boolean;
  structure: boolean;
  /** Start and end, in seconds since the epoch. */
  time_range: [number, number] | null;
  /** Id of a record. */
  selection: string | null;
}
