import { h, setText } from "../dom.ts";
import { changeIcon, type Icon, icon } from "../icons.ts";
import type { Record } from "../protocol.ts";
import { label } from "../wording.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

export function iconOf(kind: string | undefined): Icon {
  if (/figure|image|plot|chart/i.test(kind ?? "")) return "figure";
  return /frame|table|series/i.test(kind ?? "") ? "table" : "page";
}

export function nameOf(record: Record): string {
  const version = (record.version ?? 1) > 1 ? ` v${record.version}` : "";
  return `${label(record.title || "Untitled")}${version}`;
}

/** The quiet mark where an artifact came into being; the card stands at the end. */
export function artifactRow(record: Record, _stage: Stage): Row {
  let mark = icon(iconOf(record.kind), "nst-mut");
  const title = h("bdi", { "data-part": "content" });
  const kind = h("span", "nst-mut");
  const el = h("div", "nst-made", mark, title, kind);
  return {
    el,
    update(changed) {
      mark = changeIcon(mark, iconOf(changed.kind), "nst-mut");
      setText(title, nameOf(changed));
      setText(kind, label(changed.kind));
    },
  };
}
