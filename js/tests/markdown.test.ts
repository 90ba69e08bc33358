import MarkdownIt from "markdown-it";
import { describe, expect, it, vi } from "vitest";
import { drawIcons } from "../src/icons.ts";
import { markdown } from "../src/markdown.ts";
import { PATHS } from "../src/paths.ts";
import { MarkdownStream } from "../src/stream.ts";
import { CASES } from "./cases.ts";

drawIcons(PATHS);

const never = new AbortController().signal;

function html(node: Node): string {
  const holder = document.createElement("div");
  holder.append(node.cloneNode(true));
  return holder.innerHTML;
}

const whole = (text: string) => html(markdown(text.replaceAll("\r", ""), never));

describe("streamed Markdown ends as a full parse", () => {
  for (const [name, text] of Object.entries(CASES)) {
    it(`for ${name}, cut at every character`, () => {
      const expected = whole(text);
      for (let cut = 0; cut <= text.length; cut++) {
        const el = document.createElement("div");
        const stream = new MarkdownStream(el, never, document.createElement("span"));
        stream.update(text.slice(0, cut), false);
        stream.update(text, false);
        stream.update(text, true);
        expect(el.innerHTML).toBe(expected);
      }
    });

    it(`for ${name}, one character at a time`, () => {
      const el = document.createElement("div");
      const stream = new MarkdownStream(el, never);
      for (let end = 1; end <= text.length; end++) stream.update(text.slice(0, end), false);
      stream.update(text, true);
      expect(el.innerHTML).toBe(whole(text));
    });
  }

  it("for all of them in one message, in pieces of 1, 2, 3, 5, 8... characters", () => {
    const text = Object.values(CASES)
      .filter((c) => !c.startsWith("```js") && !c.includes("\r"))
      .join("\n\n");
    const el = document.createElement("div");
    const stream = new MarkdownStream(el, never);
    let [step, next] = [1, 2];
    for (let end = 0; end < text.length; end += step) {
      stream.update(text.slice(0, end), false);
      [step, next] = step > 60 ? [1, 2] : [next, step + next];
    }
    stream.update(text, true);
    expect(el.innerHTML).toBe(whole(text));
  });
});

describe("lists and quotes", () => {
  it("stand on the side where their text begins", () => {
    const el = document.createElement("div");
    el.append(markdown("- مرحبا\n\n1. one\n\n> quoted", never));
    expect([...el.children].map((e) => [e.tagName, (e as HTMLElement).dir])).toEqual([
      ["UL", "auto"],
      ["OL", "auto"],
      ["BLOCKQUOTE", "auto"],
    ]);
  });
});

describe("while text streams", () => {
  const shownAfter = (text: string) => {
    const el = document.createElement("div");
    const stream = new MarkdownStream(el, never);
    for (let end = 1; end <= text.length; end++) stream.update(text.slice(0, end), false);
    return el;
  };

  it("what is shown is what is there so far", () => {
    for (const name of ["a paragraph", "a loose list", "a fence", "a table", "a nested list", "a quote"]) {
      const text = CASES[name] as string;
      for (let end = 1; end <= text.length; end++)
        expect(shownAfter(text.slice(0, end)).textContent?.replace(/\s+/g, "")).toBe(
          markdown(text.slice(0, end), never).textContent?.replace(/\s+/g, ""),
        );
    }
  });

  it("finished blocks keep their elements", () => {
    const el = document.createElement("div");
    const stream = new MarkdownStream(el, never);
    stream.update("One.\n\nTwo.\n\nThr", false);
    const first = el.firstChild;
    stream.update("One.\n\nTwo.\n\nThree.\n\nFour", false);
    expect(el.firstChild).toBe(first);
    stream.update("One.\n\nTwo.\n\nThree.\n\nFour", true);
    expect(el.firstChild).toBe(first);
  });

  it("items and rows that are over keep their elements", () => {
    const stream = new MarkdownStream(document.createElement("div"), never);
    const items = () => [...stream.el.querySelectorAll("li, tr")];
    for (const text of ["- a\n- **b**\n- c", "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4"]) {
      stream.update(text, false);
      const before = items();
      const more = `${text}5`;
      for (const done of [false, true]) {
        stream.update(more, done);
        expect(items().every((item, i) => item === before[i])).toBe(true);
      }
      expect(stream.el.innerHTML).toBe(whole(more));
    }
  });

  it("the caret stands behind the last word and goes at the end", () => {
    const el = document.createElement("div");
    const caret = document.createElement("i");
    const stream = new MarkdownStream(el, never, caret);
    stream.update("- a\n- b", false);
    expect(caret.parentElement?.tagName).toBe("LI");
    stream.update("- a\n- b", true);
    expect(el.contains(caret)).toBe(false);
  });

  it("a token costs no more in a long message than in a short one", () => {
    const paragraph = `${"word ".repeat(80)}\n\n`;
    const parsed = vi.spyOn(MarkdownIt.prototype, "parse");
    const cost = (size: number) => {
      const stream = new MarkdownStream(document.createElement("div"), never);
      let text = paragraph.repeat(size);
      stream.update(text, false);
      stream.update((text += "x\n\ny"), false);
      parsed.mockClear();
      for (let i = 0; i < 50; i++) stream.update((text += " more"), false);
      return parsed.mock.calls.reduce((sum, [read]) => sum + read.length, 0);
    };
    expect(cost(10)).toBeGreaterThan(0);
    expect(cost(500)).toBe(cost(10));
    parsed.mockRestore();
  });

  it("a long code block is not parsed again for every token", () => {
    const stream = new MarkdownStream(document.createElement("div"), never);
    let text = `\`\`\`py\n${"x = 1\n".repeat(3000)}`;
    stream.update(text, false);
    const code = stream.el.querySelector("code");
    for (let i = 0; i < 50; i++) stream.update((text += "y = 2\n"), false);
    expect(stream.el.querySelector("code")).toBe(code);
    expect(stream.el.querySelector("code")?.textContent).toBe(text.slice(6));
  });

  it("a line of a long code block touches the last hundred lines only", () => {
    const text = `\`\`\`py\n${"x = 1\n".repeat(350)}y`;
    const stream = new MarkdownStream(document.createElement("div"), never);
    const parts = () => [...(stream.el.querySelector("code")?.children ?? [])];
    let first: Element | undefined;
    for (let end = 10; end <= text.length; end += 7) {
      stream.update(text.slice(0, end), false);
      if (parts().length > 1) first ??= parts()[0];
    }
    stream.update(text, false);
    expect(parts().map((part) => part.textContent.split("\n").length)).toEqual([101, 101, 101, 51]);
    expect(parts()[0]).toBe(first);
    stream.update(text, true);
    expect(parts()[0]).toBe(first);
    expect(stream.el.innerHTML).toBe(whole(text));
  });
});
