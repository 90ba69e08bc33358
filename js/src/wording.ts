/** How numbers, times and foreign text are written. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from outside without control characters (newline and tab stay). */
export function clean(text: string): string {
  return text.replace(CONTROLS, "");
}

/** Text from outside that must not lie: characters that turn the reading direction are shown. */
export function revealed(text: unknown): string {
  return clean(String(text ?? "")).replace(
    BIDI,
    (c) => `U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
}

/** The same on one line, for a name. */
export function label(text: unknown): string {
  return revealed(text).replace(/\s+/g, " ");
}

/** `0.8 s`, `12 s`, `1:04`, `1:04:07`. */
export function duration(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 59.5) return `${Math.round(s)} s`;
  return clock(s);
}

/** `0:42`, `1:04:07`. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes}:${two(s % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}

export function spoken(seconds: number): string {
  const s = Math.round(seconds);
  const minutes = Math.floor(s / 60);
  const rest = many(s % 60, "second");
  return minutes ? `${many(minutes, "minute")} ${rest}` : rest;
}

export function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

export function number(n: number): string {
  return n.toLocaleString("en-US");
}

/** `1 tool`, `2 tools`. */
export function many(n: number, noun: string): string {
  return `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${Math.round(n / 1000)} kB`;
  return `${(n / 1e6).toFixed(1)} MB`;
}

/** JSON as a person reads it; never throws. */
export function json(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, null, indent) ?? String(value);
  } catch {
    return String(value);
  }
}

/** `path="q3.parquet", n=4`, cut short. */
export function argsPreview(args: { [name: string]: unknown }, limit = 240): string {
  let text = "";
  for (const [name, value] of Object.entries(args)) {
    if (text.length > limit) return `${text.slice(0, limit)}…`;
    text += `${text ? ", " : ""}${name}=${short(value)}`;
  }
  return label(text.length > limit ? `${text.slice(0, limit)}…` : text);
}

/** Arguments that are still being written: `{"a": "x", "b` -> `a="x", b`. */
export function partialArgs(text: string, limit = 240): string {
  const start = text.slice(0, limit).replace(/^\s*\{\s*/, "");
  return label(start.replace(/"([\w-]{1,60})"\s*:\s*/g, "$1=").replace(/\s*\}\s*$/, ""));
}

/** A value in a few words: long texts and lists are cut inside. */
export function short(value: unknown, limit = 80): string {
  const text = json(value);
  if (text.length <= limit) return spaced(text);
  if (Array.isArray(value))
    return `[${value
      .slice(0, 2)
      .map((v) => short(v, 30))
      .join(", ")}, …]`;
  return `${text.slice(0, limit)}…`;
}

function spaced(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|([:,])/g, (_, quoted, mark) => quoted ?? `${mark} `);
}

/** The first sentence of a Markdown text, without its marks. */
export function firstSentence(text: string, limit = 160): string {
  const line = clean(text.slice(0, 2000))
    .split("\n")
    .map((l) => l.replace(/^\s*(?:#{1,6}\s+|[-*+]\s+|>\s?|\d+[.)]\s+)/, "").trim())
    .find((l) => l && !/^(?:[-*_=]{3,}|[`~]{3,}.*)$/.test(l));
  if (!line) return "";
  const plain = line
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/(\*\*|__|\*|`|~~)(?=\S)(.*?\S)\1/g, "$2");
  const sentence = /^.*?[.?!…](?=\s|$)/.exec(plain)?.[0] ?? plain;
  return sentence.length > limit ? `${sentence.slice(0, limit)}…` : sentence;
}
