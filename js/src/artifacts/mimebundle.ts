import { h } from "../dom.ts";
import type { Record } from "../protocol.ts";
import { Bounded } from "../views/bounded.ts";
import type { Display } from "../views/run.ts";
import { clean, json } from "../wording.ts";
import { frame } from "./frame.ts";
import { plainHtml } from "./plain_html.ts";
import { widget, widgetIn } from "./widgets.ts";

export type Bundle = NonNullable<Record["mime"]>;

export const BINARY = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** The part of a bundle as text; undefined when it has none. */
export function partOf(mime: Bundle, type: string): string | undefined {
  if (!Object.hasOwn(mime, type)) return undefined;
  const part = mime[type];
  if (Array.isArray(part) && type !== "application/json") return part.join("");
  return typeof part === "string" ? part : json(part, 2);
}

/** Base64 of the pictures of one type in a bundle. */
export function picturesOf(mime: Bundle, type: string): string[] {
  const data = Object.hasOwn(mime, type) ? mime[type] : [];
  return (Array.isArray(data) ? data : [data])
    .map((picture) => String(picture).replace(/\s/g, ""))
    .filter((picture) => /^[a-z0-9+/]+=*$/i.test(picture));
}

/** What a mimebundle looks like, by the richest part of it that is safe; nothing for none. */
export function drawBundle(mime: Bundle, alt: string, display: Display, signal: AbortSignal): Node[] {
  const id = widgetIn(mime, display.model);
  if (id !== null) return [widget(id, display.model, signal, () => drawStill(mime, alt, display, signal))];
  return drawStill(mime, alt, display, signal);
}

function drawStill(mime: Bundle, alt: string, display: Display, signal: AbortSignal): Node[] {
  for (const type of BINARY) {
    const pictures = picturesOf(mime, type);
    if (pictures.length) return pictures.map((data) => h("img", { src: `data:${type};base64,${data}`, alt }));
  }
  const svg = partOf(mime, "image/svg+xml");
  // An <img> runs no script and loads nothing.
  if (svg) return [h("img", { src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`, alt })];
  const html = partOf(mime, "text/html");
  if (html) {
    const plain = plainHtml(html);
    return [plain ? h("div", "nst-html", plain) : frame(html, alt, display.root, signal)];
  }
  const md = partOf(mime, "text/markdown");
  if (md) return [h("div", "nst-md", display.markdown(clean(md), signal))];
  const data = Object.hasOwn(mime, "application/json") ? mime["application/json"] : undefined;
  const text = data !== undefined ? (typeof data === "string" ? data : json(data, 2)) : textIn(mime);
  if (text === undefined) return [];
  const pre = h("pre", "nst-json");
  const bounded = new Bounded(pre, signal);
  bounded.set(text);
  return [pre, bounded.more];
}

/** Code and other text, before what stands for the object. */
export function textIn(mime: Bundle): string | undefined {
  const types = Object.keys(mime).filter((type) => type.startsWith("text/") && type !== "text/html");
  const type = types.find((name) => name !== "text/plain") ?? types[0];
  return type === undefined ? undefined : partOf(mime, type);
}
