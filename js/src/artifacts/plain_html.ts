import { h } from "../dom.ts";
import { clean } from "../wording.ts";

/** Longer HTML, or more cells, are for a frame. */
const LONGEST = 400_000;
const MOST = 12_000;
const ELEMENTS = new Set(
  (
    "p pre code kbd samp b i u s em strong small sub sup mark br hr ul ol li dl dt dd blockquote div span " +
    "h1 h2 h3 h4 h5 h6 table caption thead tbody tfoot tr th td"
  ).split(" "),
);
/** Attributes that are left out without a loss. */
const IGNORED = new Set(["class", "border", "dir", "lang", "scope", "align", "colspan", "rowspan"]);
const NUMBER = /^[+\-−]?[\d.,\s]*\d[\d.,\s]*(?:e[+-]?\d+)?\s*%?$|^(?:nan|none|<na>|nat)$/i;

/**
 * HTML that needs no frame: text, lists and tables, as elements of this page without any of its
 * attributes. Null for all other HTML. What is parsed here is in a document that runs and loads
 * nothing, and only names of elements and text are taken from it.
 */
export function plainHtml(html: string): DocumentFragment | null {
  if (html.length > LONGEST || /<(?:script|iframe|img|svg|form|input|object|link)\b/i.test(html)) return null;
  const { body, head } = new DOMParser().parseFromString(html, "text/html");
  if (head.querySelector(":not(style[scoped])")) return null;
  const fragment = document.createDocumentFragment();
  const waiting: [Node, Node][] = [[body, fragment]];
  let count = 0;
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [from, to] = next;
    const inner: [Node, Node][] = [];
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) to.appendChild(text(node.textContent ?? "", to));
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      const element = node as Element;
      const name = element.localName;
      // As pandas writes above a table.
      if (name === "style" && element.hasAttribute("scoped")) continue;
      if (++count > MOST || !ELEMENTS.has(name) || !isBare(element)) return null;
      inner.push([element, to.appendChild(made(element, name))]);
    }
    waiting.push(...inner);
  }
  for (const cell of fragment.querySelectorAll<HTMLElement>("td"))
    cell.classList.toggle("nst-num", NUMBER.test(cell.textContent.trim()));
  for (const table of [...fragment.querySelectorAll("table")]) {
    const first = table.querySelector("tbody tr")?.children;
    const names = [...table.querySelectorAll("thead tr")].at(-1)?.children ?? [];
    for (const [i, name] of [...names].entries())
      name.classList.toggle("nst-num", Boolean(first?.[i]?.classList.contains("nst-num")));
    const scrolled = h("div", "nst-table");
    table.replaceWith(scrolled);
    scrolled.append(table);
  }
  return fragment;
}

function isBare(element: Element): boolean {
  for (const { name, value } of element.attributes) {
    const aligns = name === "style" && /^\s*text-align:\s*\w+;?\s*$/.test(value);
    if (!IGNORED.has(name) && !aligns) return false;
  }
  return true;
}

function made(element: Element, name: string): HTMLElement {
  // The corner of a table of pandas heads nothing.
  const heads = name === "th" && element.textContent.trim() !== "";
  const copy = h((name === "th" && !heads ? "td" : name) as "td");
  for (const side of ["colspan", "rowspan"]) {
    const span = Number(element.getAttribute(side));
    if (Number.isInteger(span) && span > 1 && span <= 1000) copy.setAttribute(side, String(span));
  }
  if (heads) copy.setAttribute("scope", element.closest("thead") ? "col" : "row");
  return copy;
}

/** Between the parts of a table there is no text. */
function text(content: string, parent: Node): Text {
  const between = /^(?:TABLE|THEAD|TBODY|TFOOT|TR|UL|OL|DL)$/.test(parent.nodeName);
  return document.createTextNode(between ? "" : clean(content));
}

/** A table as tab-separated lines, for a spreadsheet. */
export function cellsOf(table: Element): string {
  const lines = [...table.querySelectorAll("tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent.trim().replace(/\s+/g, " ")).join("\t"),
  );
  return lines.join("\n");
}
