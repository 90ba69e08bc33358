/**
 * Modules that come as traits, packed. Browsers never let go of a module once it was imported,
 * so each is imported once for all views of a page that bring the same.
 */
const shared = globalThis as { [name: symbol]: Map<string, Promise<unknown>> | undefined };
const parts = (shared[Symbol.for("nestling")] ??= new Map());

export function load<T>(packed: string): Promise<T> {
  let part = parts.get(packed);
  if (!part) {
    part = unpack(packed);
    part.catch(() => parts.delete(packed));
    parts.set(packed, part);
  }
  return part as Promise<T>;
}

/** `packed`: JavaScript, compressed by gzip, as base64. */
async function unpack(packed: string): Promise<unknown> {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const source = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const code = new Blob([await new Response(source).text()], { type: "text/javascript" });
  const url = URL.createObjectURL(code);
  return import(url).finally(() => URL.revokeObjectURL(url));
}
