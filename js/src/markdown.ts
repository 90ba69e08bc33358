import MarkdownIt from "markdown-it";
import { copyButton } from "./copy.ts";
import { h, on } from "./dom.ts";
import { label } from "./wording.ts";

/** What this page reads of a markdown-it token. */
export interface Token {
  type: string;
  tag: string;
  nesting: -1 | 0 | 1;
  level: number;
  content: string;
  markup: string;
  info: string;
  hidden: boolean;
  map: [number, number] | null;
  children: Token[] | null;
  attrGet(name: string): string | number | null;
}

/** Longer text is shown as it is. */
const LONGEST = 2_000_000;
const IMAGE = /^data:image\/(?:png|jpeg|gif|webp);base64,[a-z0-9+/=\s]*$/i;

// Only its block and inline rules are in the bundle: see slim-markdown-it.mjs.
const parser = new MarkdownIt();

/** The only elements that text can become; attributes are never taken over by name. */
const ELEMENTS = new Set(
  "p h1 h2 h3 h4 h5 h6 ul ol li blockquote hr table thead tbody tr th td em strong s".split(" "),
);

export type Environment = { references?: object };

export function parse(text: string, env: Environment = {}): Token[] {
  return parser.parse(text, env as never) as unknown as Token[];
}

/** Markdown -> nodes. Untrusted text meets neither an HTML parser nor an attribute. */
export function markdown(text: string, signal: AbortSignal): DocumentFragment {
  if (text.length > LONGEST) {
    const fragment = document.createDocumentFragment();
    fragment.append(h("pre", null, text));
    return fragment;
  }
  return build(parse(text), signal);
}

/** Tokens -> nodes, with a stack instead of recursion. */
export function build(tokens: Token[], signal: AbortSignal): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let parent: Node = fragment;
  for (const token of tokens) {
    if (token.hidden) continue;
    if (token.nesting === 1) parent = parent.appendChild(element(token));
    else if (token.nesting === -1) parent = parent.parentNode ?? fragment;
    else if (token.type === "inline") inline(parent, token.children ?? [], signal);
    else if (token.type === "fence" || token.type === "code_block") parent.appendChild(code(token, signal));
    else if (token.type === "hr") parent.appendChild(h("hr"));
    else parent.appendChild(document.createTextNode(token.content));
  }
  return fragment;
}

function inline(block: Node, tokens: Token[], signal: AbortSignal) {
  let parent = block;
  for (const token of tokens) {
    if (token.nesting === 1) parent = parent.appendChild(token.tag === "a" ? link(token) : element(token));
    else if (token.nesting === -1) parent = parent.parentNode ?? block;
    else if (token.type === "code_inline") parent.appendChild(h("code", null, token.content));
    else if (token.type === "hardbreak") parent.appendChild(h("br"));
    else if (token.type === "softbreak") parent.appendChild(document.createTextNode("\n"));
    else if (token.type === "image") parent.appendChild(image(token, signal));
    else if (token.content) parent.appendChild(document.createTextNode(token.content));
  }
}

function element(token: Token): HTMLElement {
  if (!ELEMENTS.has(token.tag)) return h("span");
  const made = h(token.tag as "p");
  // Bullets stand on the side where the text begins.
  if (/^(?:ul|ol|blockquote)$/.test(token.tag)) made.dir = "auto";
  const start = token.tag === "ol" ? Number(token.attrGet("start") ?? 1) : 1;
  if (start !== 1 && Number.isSafeInteger(start)) made.setAttribute("start", String(start));
  const align = /^text-align:(left|center|right)$/.exec(String(token.attrGet("style") ?? ""))?.[1];
  if (align) made.dataset.align = align;
  return made;
}

/** An absolute http, https or mailto address; null for all others. */
function address(href: string): URL | null {
  try {
    const url = new URL(href);
    return /^(?:https?|mailto):$/.test(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

function link(token: Token): HTMLElement {
  const href = String(token.attrGet("href") ?? "");
  const url = address(href);
  if (!url)
    return h("span", { class: "nst-nolink", title: `Not a web address: ${label(href.slice(0, 200))}` });
  return h("a", {
    href: url.href,
    rel: "noopener noreferrer nofollow",
    target: "_blank",
    title: label(url.host || url.href),
  });
}

/** Pictures inside the text are drawn; others are named, and fetched on a click at most. */
function image(token: Token, signal: AbortSignal): HTMLElement {
  const src = String(token.attrGet("src") ?? "");
  const alt = label(token.content);
  if (IMAGE.test(src)) return h("img", { src, alt });
  const url = address(src);
  if (!url || url.protocol === "mailto:") return h("span", "nst-nolink", `[image: ${alt || "not shown"}]`);
  const button = h(
    "button",
    { class: "nst-chip", title: label(url.href.slice(0, 500)) },
    `Load image${alt ? ` “${alt}”` : ""} from ${label(url.host)}`,
  );
  on(button, "click", signal, () =>
    button.replaceWith(h("img", { src: url.href, alt, referrerpolicy: "no-referrer" })),
  );
  return button;
}

function code(token: Token, signal: AbortSignal): HTMLElement {
  const language = label(token.info).split(" ")[0];
  const text = h("code", null, ...pieces(token.content));
  const button = copyButton("Copy code", () => text.textContent, signal);
  return h(
    "div",
    { class: "nst-code", "data-language": language ? language.slice(0, 30) : null },
    h("pre", null, text),
    button,
  );
}

/** Code, a hundred lines in an element: browsers lay out the whole of one that grows. */
export function pieces(code: string): HTMLElement[] {
  return (code.match(/(?:[^\n]*\n){100}|.+$/gs) ?? []).map((lines) => h("span", null, lines));
}
