import { h } from "../dom.ts";
import type { Record } from "../protocol.ts";
import { json, label, timeOfDay } from "../wording.ts";
import { Bounded } from "./bounded.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

/** What a person, or the calling agent, said. */
export function userRow(record: Record, stage: Stage): Row {
  const time = h("time", { datetime: new Date(record.started_at * 1000).toISOString() });
  time.textContent = timeOfDay(record.started_at);
  const content = h("div", { class: "nst-text", "data-part": "content" });
  const text = new Bounded(content, stage.signal);
  const el = h(
    "div",
    "nst-user",
    h("div", "nst-who", h("bdi", null, label(record.speaker)), time),
    content,
    text.more,
  );
  return { el, update: (changed) => text.set(changed.content) };
}

export function systemRow(record: Record, stage: Stage): Row {
  return quiet(record, stage, (r) => r.content);
}

/** `· retrieve: documents = [3]`: a step that showed nothing else. */
export function updateRow(record: Record, stage: Stage): Row {
  return quiet(
    record,
    stage,
    (r) => r.content,
    (r) => r.speaker,
  );
}

/** What the graph wrote to its stream, and anything that this page does not know. */
export function customRow(record: Record, stage: Stage): Row {
  return quiet(record, stage, (r) => r.content || (r.data === undefined ? "" : json(r.data)));
}

function quiet(
  record: Record,
  stage: Stage,
  text: (record: Record) => string,
  name: (record: Record) => string = () => "",
): Row {
  const content = h("span", { "data-part": "content" });
  const bounded = new Bounded(content, stage.signal);
  const named = label(name(record));
  const el = h(
    "div",
    "nst-quiet",
    h("span", { "aria-hidden": "true" }, "· "),
    named && h("b", null, text(record) ? `${named}: ` : named),
    content,
    bounded.more,
  );
  return { el, update: (changed) => bounded.set(text(changed)) };
}
