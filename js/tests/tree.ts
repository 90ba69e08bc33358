import type { Namespace, Record } from "../src/protocol.ts";
import type { Store } from "../src/store.ts";

const WIDTH = 100;

interface Branch {
  line: string;
  children: Branch[];
}

/** The text tree of a run, read off the page: its boxes and rows by their attributes. */
export function treeOf(el: HTMLElement, store: Store): string {
  const root = el.querySelector("section.nestling") as HTMLElement;
  const titles = [...store.records.values()].filter((r) => r.type === "artifact").map((r) => r.title);
  const count = `${titles.length} artifact${titles.length === 1 ? "" : "s"}: ${titles.join(", ")}`;
  return [
    `${root.dataset.label} [${root.dataset.status}]`,
    ...draw(inside(root.querySelector(".nst-rootbody") as Element, store), ""),
    ...(titles.length ? [count] : []),
  ].join("\n");
}

function inside(body: Element, store: Store): Branch[] {
  const branches: Branch[] = [];
  const calls = new Map<string, Branch>();
  const visit = (parent: Element) => {
    for (const element of parent.children as Iterable<HTMLElement> & HTMLCollection) {
      if (element.tagName === "ARTICLE") {
        const key = element.dataset.namespace as string;
        const box: Branch = {
          line: `${element.dataset.label} [${element.dataset.status}]`,
          children: inside(element.lastElementChild as Element, store),
        };
        const head = element.firstElementChild as HTMLElement;
        if (head.dataset.id) {
          const line = lineOf(store.byId(head.dataset.id) as Record, head);
          const call = { line: line as string, children: [] };
          calls.set(head.dataset.id, call);
          branches.push(call);
        }
        const caller = (store.namespaces.get(key) as Namespace).spawned_by;
        const above = caller === null ? undefined : calls.get(caller);
        (above ? above.children : branches).push(box);
      } else if (element.dataset.id) {
        const record = store.byId(element.dataset.id) as Record;
        const line = lineOf(record, element);
        if (line === null) continue;
        const branch: Branch = { line, children: [] };
        calls.set(record.id, branch);
        const above = record.type === "ai" ? calls.get(record.created_by ?? "") : undefined;
        (above ? above.children : branches).push(branch);
      } else visit(element);
    }
  };
  visit(body);
  return branches;
}

function draw(branches: Branch[], indent: string): string[] {
  return branches.flatMap((branch, i) => {
    const last = i === branches.length - 1;
    return [
      `${indent}${last ? "└─ " : "├─ "}${branch.line}`,
      ...draw(branch.children, indent + (last ? "   " : "│  ")),
    ];
  });
}

function lineOf(record: Record, row: HTMLElement): string | null {
  const { type, speaker, content, status } = record;
  const said = row.querySelector("[data-part=content]")?.textContent ?? "";
  if (row.dataset.type !== type || row.dataset.status !== status)
    throw new Error(`${record.id} is out of date`);
  let line: string;
  if (type === "artifact") return null;
  if (type === "user" || type === "ai" || type === "system") {
    if (!content.trim()) return null;
    if (said.replace(/\s/g, "") === "") throw new Error(`${record.id} shows nothing`);
    line = `${speaker}: ${content}`;
  } else if (type === "tool_call") {
    const result = content || record.error || "";
    if (said !== result) throw new Error(`${record.id} shows ${said}`);
    const args = record.args ? python(record.args) : record.args_text;
    line = `${record.name}(${args}) [${status}]${result ? ` -> ${result}` : ""}`;
  } else if (type === "interrupt") line = `? ${content}`;
  else if (type === "error") line = `! ${content}`;
  else if (type === "update") {
    const keys = Object.keys(record.data ?? {}).join(", ");
    line = keys ? `· ${speaker}: ${keys}` : `· ${speaker}`;
  } else line = `· ${content}`;
  const flat = line.replace(/\s+/g, " ").trim();
  return flat.length > WIDTH ? `${flat.slice(0, WIDTH - 1)}…` : flat;
}

/** JSON as Python's `json.dumps(sort_keys=True)` writes it. */
function python(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (value && typeof value === "object")
    return `{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}: ${python((value as { [key: string]: unknown })[key])}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}
