import { h } from "./dom.ts";

const shown = new Map<string, { count: number; style: HTMLStyleElement }>();

/**
 * Hides the static outputs that the kernel leaves for readers without a kernel, while a
 * living view of the same runs is on the page. `keys` are separated by spaces.
 */
export function hideStatic(keys: string): () => void {
  const ends = keys
    .split(" ")
    .filter((key) => /^[a-z0-9-]+$/i.test(key))
    .map(hide);
  return () => {
    for (const end of ends.splice(0)) end();
  };
}

function hide(key: string): () => void {
  const known = shown.get(key);
  if (known) known.count++;
  else {
    const name = `.nestling-static-${key}`;
    const style = h("style", { "data-nestling": key });
    style.textContent = `.jp-OutputArea-child:has(${name}), ${name} { display: none !important; }`;
    document.head.append(style);
    shown.set(key, { count: 1, style });
  }
  return () => {
    const entry = shown.get(key);
    if (!entry || --entry.count > 0) return;
    entry.style.remove();
    shown.delete(key);
  };
}
