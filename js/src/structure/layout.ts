/** A graph as `structure.py` tells it. */
export interface Graph {
  nodes: { id: string; name: string }[];
  edges: { source: string; target: string; conditional: boolean }[];
}

export interface Placed {
  id: string;
  name: string;
  x: number;
  y: number;
  width: number;
}

export interface Line {
  source: string;
  target: string;
  conditional: boolean;
  /** It leads back to an earlier rank. */
  back: boolean;
  path: string;
}

export interface Layout {
  width: number;
  height: number;
  nodes: Placed[];
  lines: Line[];
}

export const HEIGHT = 24;
const GAP_X = 30;
const GAP_Y = 10;
const PAD = 10;
/** Characters of a name that are drawn. */
const LONGEST = 26;

export function shortName(name: string): string {
  return name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
}

/** The strip, from left to right: rank by the longest way from the start, cycles opened. */
export function layout(graph: Graph): Layout {
  const ids = graph.nodes.map((node) => node.id);
  const known = new Set(ids);
  const edges = graph.edges.filter(({ source, target }) => known.has(source) && known.has(target));
  const back = cyclic(ids, edges);
  const forward = edges.filter((edge) => !back.has(edge) && edge.source !== edge.target);
  const rank = ranks(ids, forward);
  const columns: string[][] = [];
  for (const id of ids) (columns[rank.get(id) as number] ??= []).push(id);
  const order = ordered(columns, forward);
  const widths = new Map(graph.nodes.map(({ id, name }) => [id, 30 + shortName(name).length * 7.4]));
  const tallest = Math.max(0, ...order.map((column) => column.length));
  const rows = tallest * HEIGHT + Math.max(0, tallest - 1) * GAP_Y;
  const names = new Map(graph.nodes.map(({ id, name }) => [id, name]));
  const placed = new Map<string, Placed>();
  let x = PAD;
  for (const column of order) {
    const width = Math.max(...column.map((id) => widths.get(id) as number));
    let y = PAD + (rows - column.length * HEIGHT - (column.length - 1) * GAP_Y) / 2;
    for (const id of column) {
      placed.set(id, { id, name: names.get(id) as string, x, y, width: widths.get(id) as number });
      y += HEIGHT + GAP_Y;
    }
    x += width + GAP_X;
  }
  let under = 0;
  const lines = edges.map((edge): Line => {
    const [from, to] = [placed.get(edge.source) as Placed, placed.get(edge.target) as Placed];
    const isBack = back.has(edge) || edge.source === edge.target;
    const span = (rank.get(edge.target) as number) - (rank.get(edge.source) as number);
    // What passes over a column, or leads back, goes below all nodes.
    const below = isBack || span > 1 ? PAD + rows + 8 + (under++ % 4) * 5 : null;
    return { ...edge, back: isBack, path: path(from, to, below, isBack) };
  });
  const height = PAD * 2 + rows + (under ? 8 + Math.min(under, 4) * 5 : 0);
  return { width: Math.max(0, x - GAP_X + PAD), height, nodes: [...placed.values()], lines };
}

/** Edges that close a circle, found on a walk from the first nodes on. */
function cyclic(ids: string[], edges: Graph["edges"]): Set<Graph["edges"][number]> {
  const from = grouped(edges);
  const targets = new Set(edges.map((edge) => edge.target));
  const state = new Map<string, "open" | "done">();
  const found = new Set<Graph["edges"][number]>();
  const starts = [...ids.filter((id) => !targets.has(id)), ...ids];
  for (const start of starts) {
    if (state.has(start)) continue;
    const stack = [{ id: start, next: 0 }];
    state.set(start, "open");
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const edge = from.get(top.id)?.[top.next++];
      if (!edge) {
        state.set(top.id, "done");
        stack.pop();
      } else if (state.get(edge.target) === "open") found.add(edge);
      else if (!state.has(edge.target)) {
        state.set(edge.target, "open");
        stack.push({ id: edge.target, next: 0 });
      }
    }
  }
  return found;
}

function ranks(ids: string[], edges: Graph["edges"]): Map<string, number> {
  const from = grouped(edges);
  const into = new Map(ids.map((id) => [id, 0]));
  for (const { target } of edges) into.set(target, (into.get(target) as number) + 1);
  const rank = new Map(ids.map((id) => [id, 0]));
  const ready = ids.filter((id) => into.get(id) === 0);
  for (let id = ready.shift(); id !== undefined; id = ready.shift())
    for (const { target } of from.get(id) ?? []) {
      rank.set(target, Math.max(rank.get(target) as number, (rank.get(id) as number) + 1));
      into.set(target, (into.get(target) as number) - 1);
      if (into.get(target) === 0) ready.push(target);
    }
  return rank;
}

/** Each column by the mean place of what leads to its nodes. */
function ordered(columns: string[][], edges: Graph["edges"]): string[][] {
  const place = new Map<string, number>();
  return columns.filter(Boolean).map((column) => {
    const mean = (id: string) => {
      const before = edges.flatMap((edge) => (edge.target === id ? (place.get(edge.source) ?? []) : []));
      return before.length ? before.reduce((a, b) => a + b, 0) / before.length : 0;
    };
    const weights = new Map(column.map((id) => [id, mean(id)]));
    const sorted = [...column].sort((a, b) => (weights.get(a) as number) - (weights.get(b) as number));
    sorted.forEach((id, i) => {
      place.set(id, i - (sorted.length - 1) / 2);
    });
    return sorted;
  });
}

function grouped(edges: Graph["edges"]): Map<string, Graph["edges"]> {
  const from = new Map<string, Graph["edges"]>();
  for (const edge of edges) {
    const list = from.get(edge.source);
    if (list) list.push(edge);
    else from.set(edge.source, [edge]);
  }
  return from;
}

function path(from: Placed, to: Placed, below: number | null, back: boolean): string {
  const middle = HEIGHT / 2;
  if (below === null) {
    const [x1, y1, x2, y2] = [from.x + from.width, from.y + middle, to.x, to.y + middle];
    const bend = (x2 - x1) / 2;
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  }
  // From the bottom of one to the bottom of the other, apart from each other where they are one.
  const x1 = from.x + from.width * (back ? 0.35 : 0.65);
  const x2 = to.x + to.width * (back ? 0.65 : 0.35);
  const [y1, y2] = [from.y + HEIGHT, to.y + HEIGHT];
  const turn = Math.min(8, Math.abs(x2 - x1) / 2);
  const step = x2 > x1 ? turn : -turn;
  return (
    `M${x1} ${y1}V${below - turn}Q${x1} ${below} ${x1 + step} ${below}` +
    `H${x2 - step}Q${x2} ${below} ${x2} ${below - turn}V${y2}`
  );
}
