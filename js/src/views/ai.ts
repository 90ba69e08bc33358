import { attribute, h, on, setText, show } from "../dom.ts";
import { icon } from "../icons.ts";
import type { Record } from "../protocol.ts";
import { MarkdownStream } from "../stream.ts";
import { label } from "../wording.ts";
import { Bounded } from "./bounded.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

/** An agent's message: who, what it thought, what it said. */
export function aiRow(record: Record, stage: Stage): Row {
  const namespace = stage.namespaceOf(record);
  const inOwnBox = stage.mode === "nested" && namespace?.parent != null;
  const named = stage.mode === "nested" && !(inOwnBox && namespace?.label === record.speaker);
  const content = h("div", { class: "nst-md", "data-part": "content" });
  const caret = h("span", { class: "nst-caret", "aria-hidden": "true" });
  const stream = new MarkdownStream(content, stage.signal, caret);
  const note = h("span", "nst-note");
  const blocks = h("div", "nst-mut");
  const el = h(
    "div",
    // said by a model that a tool asked: it belongs to the row above
    record.created_by === undefined ? "nst-ai" : "nst-ai nst-intool",
    named && h("div", "nst-who", h("bdi", null, label(record.speaker))),
    content,
    blocks,
    note,
  );
  let thought: Thought | null = null;
  return {
    el,
    update(changed) {
      const writing = changed.status === "streaming";
      if (changed.reasoning && !thought) {
        thought = new Thought(stage);
        content.before(thought.el);
      }
      thought?.update(changed);
      stream.update(changed.content, !writing);
      show(content, changed.content !== "");
      setText(blocks, names(changed.blocks));
      show(blocks, blocks.textContent !== "");
      show(note, changed.status === "aborted");
      setText(note, changed.status === "aborted" ? "Not finished" : "");
    },
  };
}

/** `[image]` for what a message holds beside its text. */
function names(blocks: unknown[] = []): string {
  return blocks
    .map((block) => (block as { type?: unknown } | null)?.type)
    .filter((type) => type !== undefined && !/^(?:text|reasoning|thinking|tool_)/.test(String(type)))
    .map((type) => `[${label(type)}]`)
    .join(" ");
}

/** Open while the model thinks; closes a second later. */
class Thought {
  readonly el: HTMLElement;
  #button: HTMLButtonElement;
  #word = h("span");
  #time = h("span", "nst-num");
  #body = h("div", { class: "nst-text", "data-part": "reasoning" });
  #text: Bounded;
  #thinking = false;
  #touched = false;
  #seconds: number | null = null;

  constructor(readonly stage: Stage) {
    this.#text = new Bounded(this.#body, stage.signal);
    this.#button = h(
      "button",
      { class: "nst-think", "aria-expanded": "false" },
      icon("bulb"),
      h("span", null, this.#word, this.#time),
      icon("closed", "nst-chev"),
    );
    this.el = h("div", "nst-thought", this.#button, this.#body, this.#text.more);
    on(this.#button, "click", stage.signal, () => {
      this.#touched = true;
      this.#open(this.#body.hidden === true);
    });
    this.#open(stage.collapse === "none");
  }

  update(record: Record) {
    const thinking = record.status === "streaming" && !record.content && this.stage.live;
    this.#text.set(record.reasoning ?? "");
    if (thinking && !this.#thinking) this.#open(true);
    if (!thinking && this.#thinking) {
      this.#seconds = this.stage.store.now() - record.started_at;
      if (this.stage.collapse !== "none")
        this.stage.later(1000, () => {
          if (!this.#touched && !this.#thinking) this.#open(false);
        });
    }
    if (!record.content && record.ended_at) this.#seconds = record.ended_at - record.started_at;
    this.#thinking = thinking;
    const seconds = this.#seconds;
    const known = !thinking && seconds !== null;
    setText(this.#word, thinking ? "Thinking…" : "Thought");
    setText(this.#time, known ? ` for ${Math.max(1, Math.round(seconds))} s` : "");
  }

  #open(open: boolean) {
    show(this.#body, open);
    attribute(this.#button, "aria-expanded", String(open));
  }
}
