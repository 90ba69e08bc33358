import { build, type Environment, markdown, parse, pieces } from "./markdown.ts";
import { clean } from "./wording.ts";

/** Tails over this are not parsed anew for every token. */
const LONG_TAIL = 8_000;

/**
 * Markdown that is still being written. Blocks that cannot change any more stay as they
 * are; only the tail behind them is parsed again, and an open code block not even that.
 * `finish` parses the whole once and replaces what differs.
 */
export class MarkdownStream {
  #raw = "";
  #text = "";
  /** Where the tail begins, in text and in nodes. */
  #stable = 0;
  #stableNodes = 0;
  #parsed = 0;
  #env: Environment = {};
  #fence: { text: Text; close: RegExp; line: number } | null = null;
  #done = false;

  constructor(
    readonly el: HTMLElement,
    readonly signal: AbortSignal,
    /** Stands behind the last character while text arrives. */
    readonly caret: HTMLElement | null = null,
  ) {}

  get text(): string {
    return this.#text;
  }

  update(raw: string, done: boolean) {
    if (raw === this.#raw && done === this.#done) return;
    if (raw.startsWith(this.#raw)) this.#text += clean(raw.slice(this.#raw.length));
    else this.#restart(clean(raw));
    this.#raw = raw;
    this.#done = done;
    if (done) this.#finish();
    else this.#grow();
  }

  #restart(text: string) {
    this.el.replaceChildren();
    this.#text = text;
    this.#stable = this.#stableNodes = this.#parsed = 0;
    this.#env = {};
    this.#fence = null;
  }

  #grow() {
    if (this.#fence && this.#growFence(this.#fence)) return;
    const tail = this.#text.length - this.#stable;
    const fresh = this.#text.length - this.#parsed;
    if (tail > LONG_TAIL && fresh < tail / 8 && this.#parsed > this.#stable) {
      this.#appendPlain();
      return;
    }
    this.#parseTail();
  }

  #parseTail() {
    const tail = this.#text.slice(this.#stable);
    const tokens = parse(tail, this.#env);
    this.caret?.remove();
    settle(this.el, this.#stableNodes, build(tokens, this.signal));
    this.#parsed = this.#text.length;
    this.#fence = null;
    // Where each block begins.
    const starts: number[] = [];
    let [line, at] = [0, 0];
    for (const token of tokens) {
      if (token.level !== 0 || token.nesting < 0 || !token.map) continue;
      for (; line < token.map[0]; line++) at = tail.indexOf("\n", at) + 1;
      starts.push(at);
    }
    // What stands before a block that has begun for sure, behind an empty line, is settled.
    for (let i = starts.length - 1; i > 0; i--) {
      const from = starts[i] as number;
      if (tail.indexOf("\n", from) < 0 || !/\n[ \t]*\n$/.test(tail.slice(0, from))) continue;
      this.#stable += from;
      this.#stableNodes += i;
      break;
    }
    const from = starts.at(-1);
    if (from === undefined) return;
    const open = tokens.at(-1);
    const alone = open?.type === "fence" && open.content !== "" && /^[`~]/.test(tail.slice(from));
    if (alone && tail.endsWith(open.content)) {
      const text = (this.el.lastChild as Element).querySelector("code")?.lastChild?.firstChild;
      const mark = open.markup[0] === "`" ? "`" : "~";
      const close = new RegExp(`^[ ]{0,3}${mark}{${open.markup.length},}[ \t]*$`, "m");
      if (text instanceof Text) this.#fence = { text, close, line: this.#text.lastIndexOf("\n") + 1 };
    }
    this.#placeCaret();
  }

  /** An open code block only grows, as long as no line could close it. */
  #growFence(fence: { text: Text; close: RegExp; line: number }): boolean {
    if (fence.close.test(this.#text.slice(fence.line))) {
      this.#fence = null;
      return false;
    }
    fence.text.appendData(this.#text.slice(this.#parsed));
    const parts = pieces(fence.text.data);
    if (parts.length > 1) {
      fence.text.parentElement?.replaceWith(...parts);
      fence.text = parts.at(-1)?.firstChild as Text;
    }
    this.#parsed = this.#text.length;
    fence.line = this.#text.lastIndexOf("\n") + 1;
    return true;
  }

  /** Shows new text of a long block at once; its marks are read with the next parse. */
  #appendPlain() {
    const shown = this.el.lastChild;
    const rest = this.#text.slice(this.#parsed);
    if (shown instanceof HTMLElement && shown.dataset.part === "rest") shown.textContent = rest;
    else {
      const span = document.createElement("span");
      span.dataset.part = "rest";
      span.textContent = rest;
      this.el.append(span);
    }
  }

  #placeCaret() {
    if (!this.caret) return;
    let at: Node = this.el;
    while (
      at.lastChild instanceof HTMLElement &&
      !/^(?:DIV|TABLE|HR|IMG|BUTTON|BR)$/.test(at.lastChild.tagName)
    )
      at = at.lastChild;
    at.appendChild(this.caret);
  }

  #finish() {
    this.caret?.remove();
    settle(this.el, 0, markdown(this.#text, this.signal));
    this.#fence = null;
    this.#parsed = this.#text.length;
    // Growing again after this (a late edit) starts from the beginning.
    this.#stable = this.#stableNodes = 0;
  }
}

/** Puts fresh nodes in the place of those from one on, but keeps what is the same. */
function settle(parent: Node, from: number, fresh: Node) {
  const wanted = [...fresh.childNodes];
  const shown = [...parent.childNodes].slice(from);
  for (const node of shown.slice(wanted.length)) node.remove();
  wanted.forEach((node, i) => {
    const old = shown[i];
    if (!old) parent.appendChild(node);
    else if (old.isEqualNode(node)) return;
    else if (node.firstChild && node.nodeName !== "BUTTON" && old.cloneNode().isEqualNode(node.cloneNode()))
      settle(old, 0, node);
    else old.replaceWith(node);
  });
}
