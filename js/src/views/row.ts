import { attribute, h } from "../dom.ts";
import type { Record } from "../protocol.ts";
import { keyOf } from "../tree.ts";
import { label } from "../wording.ts";
import { aiRow } from "./ai.ts";
import { errorRow } from "./error.ts";
import { interruptRow } from "./interrupt.ts";
import { artifactRow } from "./made.ts";
import { customRow, systemRow, updateRow, userRow } from "./plain.ts";
import type { Stage } from "./stage.ts";
import { toolRow } from "./tool.ts";

/** A drawn record. `update` is called once per frame at most, when the record changed. */
export interface Row {
  el: HTMLElement;
  update(record: Record): void;
}

const ROWS: { [type: string]: (record: Record, stage: Stage) => Row } = {
  user: userRow,
  ai: aiRow,
  tool_call: toolRow,
  artifact: artifactRow,
  interrupt: interruptRow,
  error: errorRow,
  system: systemRow,
  update: updateRow,
  custom: customRow,
};

export function makeRow(record: Record, stage: Stage): Row {
  const row = (ROWS[record.type] ?? customRow)(record, stage);
  row.el.classList.add("nst-row");
  row.el.style.setProperty("--c", stage.hueOf(record));
  if (stage.mode === "log") row.el.prepend(agentPath(record, stage));
  const draw = row.update;
  row.update = (changed) => {
    mark(row.el, changed);
    draw(changed);
    stage.dress?.(row.el, changed);
  };
  row.update(record);
  return row;
}

/** The attributes by which users and tests find a row. */
export function mark(el: Element, record: Record) {
  attribute(el, "data-id", record.id);
  attribute(el, "data-type", record.type);
  attribute(el, "data-status", record.status);
  attribute(el, "data-namespace", keyOf(record.namespace));
}

/** `analysis_team › stats_agent`, each in its colour: in the log every row says whose it is. */
function agentPath(record: Record, stage: Stage): HTMLElement {
  const path = stage.path(keyOf(record.namespace));
  const root = stage.store.namespaces.get("")?.label ?? "";
  const names = path.length
    ? path.map((namespace) => ({ name: namespace.label, hue: stage.hue(namespace.label) }))
    : [{ name: root, hue: "var(--nst-a0)" }];
  const last = names.at(-1);
  // A person says who they are; a node of a graph is named behind its graph.
  if (record.type === "user" && path.length === 0) names.pop();
  else if (record.type === "ai" && last && record.speaker !== last.name)
    names.push({ name: record.speaker, hue: last.hue });
  const el = h("div", "nst-path");
  names.forEach(({ name, hue }, i) => {
    if (i) el.append(h("span", "nst-mut", "›"));
    el.append(h("bdi", { style: `--c: ${hue}` }, label(name)));
  });
  return el;
}
