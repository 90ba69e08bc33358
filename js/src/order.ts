import { isHere } from "./reveal.ts";
import type { Display } from "./views/run.ts";

/**
 * Some rows (`seq` -> namespace) as they stand one below the other; those that only the kernel
 * has stand first in their box.
 */
export function inOrder({ stage, store }: Display, rows: ReadonlyMap<number, string>): number[] {
  if (stage.mode === "log") return [...rows.keys()].sort(byNumber);
  /** Those that are not in the page, by namespace. */
  const missing = new Map<string, number[]>();
  for (const [seq, key] of rows) {
    if (isHere(store, seq)) continue;
    const at = store.namespaces.has(key) ? key : "";
    const seqs = missing.get(at);
    if (seqs) seqs.push(seq);
    else missing.set(at, [seq]);
  }
  const order: number[] = [];
  const walk = (key: string) => {
    for (const seq of missing.get(key)?.sort(byNumber) ?? []) order.push(seq);
    for (const child of store.tree.children(key))
      if ("key" in child) walk(child.key);
      else if (rows.has(child.seq) && isHere(store, child.seq)) order.push(child.seq);
  };
  walk("");
  return order;
}

function byNumber(a: number, b: number): number {
  return a - b;
}
