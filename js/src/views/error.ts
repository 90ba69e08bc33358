import { confirm, copyText } from "../copy.ts";
import { attribute, h, on, setText } from "../dom.ts";
import { icon } from "../icons.ts";
import type { Record } from "../protocol.ts";
import { clean, label } from "../wording.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

interface Frame {
  where: string;
  name: string;
  line: number;
  source: string[];
}

/** An exception where it happened: what, why, the innermost frame, and the way to more. */
export function errorRow(_record: Record, stage: Stage): Row {
  const name = h("b", { dir: "ltr" });
  const message = h("span");
  const text = h("div", { "data-part": "content" }, name, " ", message);
  const el = h("div", { class: "nst-err", role: "group", "aria-label": "Error" });
  el.append(h("div", "nst-eh", icon("cross", "nst-bad"), text));
  let drawn: string | undefined;
  return {
    el,
    update(changed) {
      const said = changed.message ?? changed.content;
      setText(name, changed.error_type ? label(changed.error_type) : "Error");
      setText(message, clean(said));
      if (!changed.traceback || changed.traceback === drawn) return;
      drawn = changed.traceback;
      el.append(...traceback(drawn, stage));
    },
  };
}

function traceback(text: string, stage: Stage): HTMLElement[] {
  const frames = parseTraceback(text);
  const inner = frames.at(-1);
  const rest = frames.slice(0, -1);
  const copy = h("button", "nst-btn", icon("copy"), "Copy traceback");
  on(copy, "click", stage.signal, async () => confirm(copy, await copyText(text)));
  const all = h("pre", "nst-frames");
  all.hidden = true;
  if (inner) for (const frame of rest) all.append(...lines(frame), "\n");
  else all.textContent = clean(text);
  const count = rest.length;
  const word = inner ? `${count} more frame${count === 1 ? "" : "s"}` : "Traceback";
  const more = h("button", { class: "nst-btn nst-ghost", "aria-expanded": "false" }, word, icon("open"));
  on(more, "click", stage.signal, () => {
    all.hidden = !all.hidden;
    attribute(more, "aria-expanded", String(!all.hidden));
  });
  const actions = h("div", "nst-act", copy, (count > 0 || !inner) && more);
  return inner ? [all, h("pre", null, ...lines(inner)), actions] : [all, actions];
}

function lines(frame: Frame): Node[] {
  const nodes: Node[] = [h("i", null, `${frame.where}, in`), document.createTextNode(` ${frame.name}`)];
  frame.source.forEach((source, i) => {
    const last = i === frame.source.length - 1;
    const at = frame.line - frame.source.length + 1 + i;
    const line = `${last ? "  → " : "    "}${String(at).padStart(4)}   ${source}`;
    nodes.push(document.createTextNode("\n"), last ? h("u", null, line) : h("i", null, line));
  });
  return nodes;
}

/** Python's own format: `File "x.py", line 3, in f`, then the source, the line itself last. */
export function parseTraceback(text: string): Frame[] {
  const frames: Frame[] = [];
  let inside: Frame | null = null;
  for (const line of clean(text).split("\n")) {
    const head = /^ *File "([^"]{1,500})", line (\d+)(?:, in (.{1,200}))?$/.exec(line);
    if (head) {
      const file = head[1]?.split(/[\\/]/).at(-1) ?? "";
      inside = { where: `${file}:${head[2]}`, name: head[3] ?? "", line: Number(head[2]), source: [] };
      frames.push(inside);
    } else if (/^ {4}[\s^~]*[\^~][\s^~]*$/.test(line)) inside = null;
    else if (inside && /^ {4,}\S/.test(line)) inside.source.push(line.slice(4));
    else if (inside?.source.length && !line.trim()) inside.source.push("");
    else if (line && !line.startsWith(" ")) inside = null;
  }
  for (const { source } of frames) while (source.at(-1) === "") source.pop();
  return frames;
}
