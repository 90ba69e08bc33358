import { copyText, saveFile } from "../copy.ts";
import type { Record } from "../protocol.ts";
import { json } from "../wording.ts";
import { BINARY, partOf, picturesOf, textIn } from "./mimebundle.ts";
import { cellsOf, plainHtml } from "./plain_html.ts";

const FILE = "application/octet-stream";
const EXTENSIONS: { [type: string]: string } = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/svg+xml": "svg",
  "text/csv": "csv",
  "text/markdown": "md",
  "text/html": "html",
  "application/json": "json",
  "text/x-python": "py",
  "text/plain": "txt",
};

/** What Copy puts on the clipboard: cells of a table, or the text; empty for a picture. */
export function textOf({ mime = {} }: Record): string {
  if (pictureOf(mime)) return "";
  const html = partOf(mime, "text/html");
  const table = html && plainHtml(html)?.querySelector("table");
  if (table) return cellsOf(table);
  for (const type of ["text/markdown", "application/json"]) {
    const text = partOf(mime, type);
    if (text !== undefined) return text;
  }
  return textIn(mime) ?? html ?? partOf(mime, "image/svg+xml") ?? "";
}

function pictureOf(mime: NonNullable<Record["mime"]>): [type: string, data: string] | undefined {
  for (const type of BINARY) {
    const data = picturesOf(mime, type)[0];
    if (data !== undefined) return [type, data];
  }
  return undefined;
}

/** Whether there is something that this browser can copy. */
export function canCopy(record: Record): boolean {
  return textOf(record) !== "" || (record.mime?.["image/png"] !== undefined && "ClipboardItem" in globalThis);
}

/** Copies the first picture, or the text. */
export async function copyArtifact(record: Record): Promise<boolean> {
  const [type, data] = pictureOf(record.mime ?? {}) ?? [];
  if (type !== "image/png" || data === undefined) return copyText(textOf(record));
  try {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    await navigator.clipboard.write([new ClipboardItem({ [type]: new Blob([bytes], { type }) })]);
    return true;
  } catch {
    return false;
  }
}

/** What Save would write: the type, and its parts. */
function saved(record: Record): [type: string, parts: string[]] | undefined {
  const mime = record.mime ?? {};
  const types = Object.keys(mime);
  const type =
    [FILE, ...Object.keys(EXTENSIONS)].find((name) => Object.hasOwn(mime, name)) ??
    types.find((name) => name.startsWith("text/"));
  if (type === undefined) return undefined;
  if (BINARY.includes(type)) return [type, picturesOf(mime, type)];
  return [type, [partOf(mime, type) ?? json(mime[type])]];
}

export function canSave(record: Record): boolean {
  return saved(record) !== undefined;
}

export function saveArtifact(record: Record) {
  const [type, parts] = saved(record) ?? ["", []];
  const title = record.title ?? "";
  // A file has its own ending, which says what it is.
  const ending = record.kind === "file" || record.kind === "code" ? /\.(\w{1,8})$/.exec(title) : null;
  const name = (ending ? title.slice(0, ending.index) : title)
    .replace(/[^\p{L}\p{N}_]+/gu, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60);
  const extension = ending?.[1] ?? EXTENSIONS[type] ?? (type === FILE ? "bin" : "txt");
  parts.forEach((data, i) => {
    const numbered = parts.length > 1 ? `-${i + 1}` : "";
    saveFile(
      `${name || "artifact"}${numbered}.${extension}`,
      type,
      data,
      BINARY.includes(type) || type === FILE,
    );
  });
}
