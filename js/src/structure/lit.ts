import type { Store } from "../store.ts";
import { keyOf } from "../tree.ts";
import type { Graph } from "./layout.ts";

export type NodeState = "running" | "interrupted" | "failed" | "completed";

const WEIGHT: { [state: string]: number } = { completed: 1, failed: 2, interrupted: 3, running: 4 };
const OPEN = new Set(["streaming", "calling", "executing", "running"]);
/** What the nodes of an agent are called that call its model, and its tools. */
const MODELS = ["model", "agent", "call_model", "chatbot"];

/**
 * How the nodes of a graph are, by what the page knows of the run; `running`: ids of nodes of which
 * the kernel says so, that have nothing to show yet.
 */
export function statesOf(
  graph: Graph,
  store: Store,
  running: readonly string[] = [],
): Map<string, NodeState> {
  const known = new Set(graph.nodes.map((node) => node.id));
  const states = new Map<string, NodeState>();
  const paths = new Map<string, string[]>();
  const live = store.connection === "live" && store.run.status === "running";
  const set = (id: string, status: string) => {
    const state = OPEN.has(status) ? (live ? "running" : undefined) : STATES[status];
    if (state && (WEIGHT[state] as number) > (WEIGHT[states.get(id) ?? ""] ?? 0)) states.set(id, state);
  };
  // A subgraph may be drawn as one node, or as those inside it.
  const setInnermost = (path: string[], status: string) => {
    for (let length = path.length; length > 0; length--) {
      const id = path.slice(0, length).join(":");
      if (known.has(id)) return set(id, status);
    }
  };
  for (const { namespace, status } of store.namespaces.values()) {
    const path = namespace.map(nameOf);
    paths.set(keyOf(namespace), path);
    setInnermost(path, status);
  }
  for (const id of running) setInnermost(id.split(":"), "running");
  const broken = new Set<string>();
  for (const { namespace, type } of store.records.values())
    if (type === "error") broken.add(keyOf(namespace));
  for (const { namespace, type, speaker, status } of store.records.values()) {
    const path = paths.get(keyOf(namespace)) ?? namespace.map(nameOf);
    const inside = (name: string) => [...path, name].join(":");
    const names =
      type === "tool_call" ? ["tools", speaker] : type === "ai" ? [speaker, ...MODELS] : [speaker];
    const name = type === "user" ? undefined : names.find((each) => known.has(inside(each)));
    if (name === undefined) continue;
    // An error that a tool answers with is a result: its node went well unless something was raised.
    const answered = type === "tool_call" && status === "failed" && !broken.has(keyOf(namespace));
    set(inside(name), answered ? "completed" : status);
  }
  return states;
}

const STATES: { [status: string]: NodeState } = {
  completed: "completed",
  rejected: "completed",
  failed: "failed",
  interrupted: "interrupted",
  pending: "interrupted",
};

/** `agent:0f3a…` -> `agent`. */
function nameOf(segment: string): string {
  return segment.split(":")[0] as string;
}
