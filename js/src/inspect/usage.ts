import { h } from "../dom.ts";
import { icon } from "../icons.ts";
import type { Namespace } from "../protocol.ts";
import { duration, label, number } from "../wording.ts";
import { dollars, type Metrics, rate, type Used } from "./metrics.ts";

/** So many agents stand in the table. */
const ROWS = 200;

interface Column {
  name: string;
  value(used: Used): number | undefined;
  say(value: number): string;
  /** It is an estimate where the tokens are. */
  guessed?: boolean;
}

const COLUMNS: Column[] = [
  { name: "Tokens in", value: (used) => used.input_tokens, say: number, guessed: true },
  { name: "Tokens out", value: (used) => used.output_tokens, say: number, guessed: true },
  { name: "First token", value: (used) => used.first_token_seconds, say: duration },
  { name: "Tokens/s", value: (used) => used.tokens_per_second, say: rate, guessed: true },
  { name: "Tools", value: (used) => used.tools, say: number },
  { name: "Tool time", value: (used) => used.tool_seconds, say: duration },
  { name: "Wall", value: (used) => used.wall_seconds, say: duration },
  { name: "Waiting", value: (used) => used.waiting_seconds, say: duration },
  { name: "Cost", value: (used) => used.cost, say: dollars },
];

/** The table of all agents and its head; columns of which nothing is known are left out. */
export function usageTable(metrics: Metrics, close: () => void): HTMLElement[] {
  const { store } = metrics.display;
  const boxes = [...store.namespaces.values()].filter((box) => box.parent !== null);
  boxes.sort((a, b) => a.seq - b.seq);
  const inOrder = nested(boxes);
  const { whole } = metrics;
  const every = [whole, ...[...store.namespaces.keys()].map((key) => metrics.of(key))];
  const columns = COLUMNS.filter((column) => every.some((used) => column.value(used)));
  const root = store.namespaces.get("");
  const body = h("tbody");
  const line = (name: Node, used: Used, depth: number) => {
    const head = h("th", { scope: "row", style: `--depth: ${depth}` }, name);
    body.append(h("tr", null, head, ...columns.map((column) => h("td", null, cell(column, used)))));
  };
  if (root) line(h("bdi", null, label(root.label)), metrics.of(""), 0);
  for (const box of inOrder.slice(0, ROWS)) {
    const name = h("bdi", { style: `color: ${metrics.display.stage.hue(box.label)}` }, label(box.label));
    line(name, metrics.of(box.key), box.namespace.length);
  }
  const all = h("tr", null, h("th", { scope: "row" }, "In all"));
  all.append(...columns.map((column) => h("td", null, cell(column, whole))));
  const button = h(
    "button",
    { class: "nst-ib", "aria-label": "Close usage", title: "Close usage" },
    icon("cross"),
  );
  button.addEventListener("click", close);
  const names = columns.map(({ name }) => h("th", { scope: "col" }, name));
  const table = h(
    "table",
    "nst-num",
    h("thead", null, h("tr", null, h("th", { scope: "col" }, "Agent"), ...names)),
    body,
    h("tfoot", null, all),
  );
  const left = inOrder.length - ROWS;
  const notes = [
    every.some((used) => used.estimated) && "≈ is an estimate: no provider counted these tokens.",
    left > 0 && `${number(left)} more agents: see view.usage.namespaces.`,
  ].filter(Boolean);
  return [
    h(
      "div",
      "nst-usagehead",
      h("b", null, "Usage by agent"),
      h("span", "nst-sp"),
      h("code", null, "view.usage"),
      button,
    ),
    h("div", { class: "nst-scroll", role: "group", "aria-label": "Usage table", tabindex: 0 }, table),
    h("div", "nst-note", notes.join(" ")),
  ];
}

/** What is not known says nothing. */
function cell({ value, say, guessed }: Column, used: Used): string {
  const amount = value(used);
  if (!amount) return "";
  return (guessed && used.estimated ? "≈" : "") + say(amount);
}

/** Each behind the one it stands in. */
function nested(boxes: Namespace[]): Namespace[] {
  const inside = new Map<string, Namespace[]>();
  for (const box of boxes) {
    const parent = box.parent ?? "";
    const siblings = inside.get(parent);
    if (siblings) siblings.push(box);
    else inside.set(parent, [box]);
  }
  const below = (key: string): Namespace[] =>
    (inside.get(key) ?? []).flatMap((box) => [box, ...below(box.key)]);
  return below("");
}
