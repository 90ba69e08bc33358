import { confirm, copyText, saveFile } from "../copy.ts";
import { h, on, setText } from "../dom.ts";
import { changeIcon, icon } from "../icons.ts";
import type { markdown } from "../markdown.ts";
import type { Record } from "../protocol.ts";
import { clean, json, label } from "../wording.ts";
import { iconOf, nameOf } from "./made.ts";
import { Bounded } from "./plain.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

const BINARY = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/** No network, no script; drawn inside a frame without an origin. */
const CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
const EXTENSIONS: { [type: string]: string } = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/svg+xml": "svg",
  "text/markdown": "md",
  "text/html": "html",
  "text/plain": "txt",
  "application/json": "json",
};

/** A card with the artifact itself. */
export function artifactCard(record: Record, stage: Stage, read: typeof markdown): Row {
  let mark = icon(iconOf(record.kind), "nst-mut");
  let current = record;
  let drawn: unknown;
  const title = h("b");
  const kind = h("span");
  const body = h("div", "nst-ab");
  const copy = h("button", { class: "nst-ib", "aria-label": "Copy", title: "Copy" }, icon("copy"));
  const save = h("button", { class: "nst-ib", "aria-label": "Save", title: "Save" }, icon("save"));
  on(copy, "click", stage.signal, async () => confirm(copy, await copyText(textOf(current))));
  on(save, "click", stage.signal, () => saveArtifact(current));
  const head = h("div", "nst-ah", mark, title, kind, h("span", "nst-sp"), copy, save);
  const el = h(
    "section",
    { class: "nst-art", "data-artifact": record.id, "data-kind": record.kind },
    head,
    body,
  );
  const row = {
    el,
    update(changed: Record) {
      current = changed;
      mark = changeIcon(mark, iconOf(changed.kind), "nst-mut");
      el.setAttribute("aria-label", nameOf(changed));
      setText(title, nameOf(changed));
      setText(kind, label(changed.kind));
      copy.hidden = textOf(changed) === "";
      save.hidden = Object.keys(changed.mime ?? {}).length === 0;
      if (changed.mime === drawn) return;
      drawn = changed.mime;
      body.replaceChildren(...draw(changed, stage, read));
    },
  };
  row.update(record);
  return row;
}

function draw(record: Record, stage: Stage, read: typeof markdown): Node[] {
  const mime = record.mime ?? {};
  const text = (type: string) => (Object.hasOwn(mime, type) ? String(mime[type]) : undefined);
  const alt = nameOf(record);
  for (const type of BINARY) {
    const data = Object.hasOwn(mime, type) ? mime[type] : undefined;
    const pictures = Array.isArray(data) ? data : data === undefined ? [] : [data];
    const images = pictures
      .map((picture) => String(picture).replace(/\s/g, ""))
      .filter((picture) => /^[a-z0-9+/]+=*$/i.test(picture))
      .map((picture) => h("img", { src: `data:${type};base64,${picture}`, alt }));
    if (images.length) return images;
  }
  const svg = text("image/svg+xml");
  // An <img> runs no script and loads nothing.
  if (svg) return [h("img", { src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`, alt })];
  const html = text("text/html");
  if (html) return [frame(html, alt)];
  const md = text("text/markdown");
  if (md) return [h("div", "nst-md", read(clean(md), stage.signal))];
  const value = mime["application/json"];
  const plain = value === undefined ? text("text/plain") : typeof value === "string" ? value : json(value, 2);
  if (plain === undefined) return [h("p", "nst-mut", clean(record.content) || "Nothing to show here.")];
  const pre = h("pre", "nst-json");
  const bounded = new Bounded(pre, stage.signal);
  bounded.set(plain);
  return [pre, bounded.more];
}

function frame(html: string, title: string): HTMLElement {
  const policy = `<meta http-equiv="Content-Security-Policy" content="${CSP}">`;
  const style =
    "<style>body{margin:8px;font:13px/1.5 system-ui,sans-serif;color:#111;background:#fff}</style>";
  return h("iframe", {
    sandbox: "",
    srcdoc: `<!doctype html>${policy}${style}${html}`,
    title,
    loading: "lazy",
  });
}

function textOf(record: Record): string {
  const mime = record.mime ?? {};
  for (const type of ["text/markdown", "application/json", "text/plain", "text/html", "image/svg+xml"])
    if (Object.hasOwn(mime, type))
      return typeof mime[type] === "string" ? (mime[type] as string) : json(mime[type], 2);
  return "";
}

function saveArtifact(record: Record) {
  const mime = record.mime ?? {};
  const type = Object.keys(EXTENSIONS).find((t) => Object.hasOwn(mime, t)) ?? Object.keys(mime)[0];
  if (!type) return;
  const name = (record.title ?? "")
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60);
  const values =
    Array.isArray(mime[type]) && BINARY.includes(type) ? (mime[type] as unknown[]) : [mime[type]];
  values.forEach((value, i) => {
    const data = typeof value === "string" ? value : json(value, 2);
    const numbered = values.length > 1 ? `-${i + 1}` : "";
    saveFile(
      `${name || "artifact"}${numbered}.${EXTENSIONS[type] ?? "txt"}`,
      type,
      data,
      BINARY.includes(type),
    );
  });
}
