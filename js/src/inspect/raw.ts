import { h } from "../dom.ts";
import { icon } from "../icons.ts";
import type { Namespace, Record } from "../protocol.ts";
import { label, many } from "../wording.ts";
import { caption, type Heard, type Page, type Told } from "./pages.ts";
import { jsonTree } from "./tree.ts";

/** The record as it is, and the events that it was made of. */
export function rawPage(subject: Record | Namespace, told: Told | null): Page {
  const events = told?.events ?? [];
  const record = { ...subject };
  const json = () => (events.length ? { record, events } : record);
  return {
    name: "Raw",
    of: [JSON.stringify(record), events],
    draw: (signal) => {
      const parts: Node[] = [caption("id" in subject ? "Record" : "Namespace"), jsonTree(record, signal)];
      if (events.length) parts.push(caption(many(events.length, "event")));
      for (const event of events) parts.push(eventNode(event, subject.started_at, signal));
      return parts;
    },
    json,
  };
}

function eventNode(event: Heard, since: number, signal: AbortSignal): HTMLElement {
  const { type, at, data } = event;
  const seconds = at - since;
  const sign = seconds <= -0.005 ? "−" : "+";
  const el = h(
    "details",
    "nst-event",
    h(
      "summary",
      null,
      icon("closed", "nst-chev"),
      h("code", null, label(type)),
      h("span", null, label(told(type, data))),
      h("span", "nst-mut nst-num", `${sign}${Math.abs(seconds).toFixed(2)} s`),
    ),
  );
  const fill = () => el.append(jsonTree(data, signal));
  el.addEventListener("toggle", fill, { once: true, signal });
  return el;
}

/** What an event is about, in a word. */
function told(type: string, data: unknown): string {
  const fields = Object(data) as { [name: string]: unknown };
  if (type === "tasks")
    return `${"result" in fields || "error" in fields ? "end" : "start"} of ${fields.name}`;
  if (type === "tools") return String(fields.event ?? "");
  if (type === "updates") return Object.keys(fields).join(", ");
  return "";
}
