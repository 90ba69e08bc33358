import { arrange } from "./arrange.ts";
import type { Record } from "./protocol.ts";
import type { Store } from "./store.ts";
import { argsPreview, clean } from "./wording.ts";

/** The run as Markdown, boxes as nested quotes. */
export function asMarkdown(store: Store): string {
  const title = store.namespaces.get("")?.label ?? "Run";
  const missing = store.earlier(null) + (store.run.left_out ?? 0);
  const note = missing ? `*${missing} earlier entries are not in this page.*\n\n` : "";
  return `# ${title} (${store.run.status})\n\n${note}${inside(store, "", 0)}`;
}

function inside(store: Store, key: string, depth: number): string {
  const quote = (text: string) => text.replace(/^/gm, depth ? "> " : "");
  let text = "";
  for (const item of arrange(store, key, 0, false)) {
    if (item.kind === "row") {
      const record = store.records.get(item.seq);
      if (record) text += quote(`${row(record)}\n\n`);
      continue;
    }
    for (const { key: inner } of item.kind === "group" ? item.boxes : item.kind === "box" ? [item] : []) {
      const box = store.namespaces.get(inner);
      const body = depth > 20 ? "" : inside(store, inner, depth + 1);
      text += quote(`**${box?.label}** (${box?.status})\n\n${body}\n`);
    }
  }
  return text;
}

function row(record: Record): string {
  const content = clean(record.content);
  switch (record.type) {
    case "user":
    case "ai":
      return `**${record.speaker}:** ${content}`;
    case "tool_call":
      return `- \`${record.name}(${argsPreview(record.args ?? {})})\` [${record.status}] ${content.split("\n")[0]}`;
    case "error":
      return `**Error:** ${content}`;
    case "artifact":
      return `*Artifact: ${record.title}*`;
    case "interrupt":
      return `*Waiting for an answer (${record.status})*`;
    default:
      return `· ${content}`;
  }
}
