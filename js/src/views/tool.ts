import { copyButton } from "../copy.ts";
import { attribute, h, on, setText, show } from "../dom.ts";
import { changeIcon, type Icon, icon } from "../icons.ts";
import { markdown } from "../markdown.ts";
import type { Record } from "../protocol.ts";
import { argsPreview, clean, duration, json, label, partialArgs } from "../wording.ts";
import { Bounded, SHOWN } from "./bounded.ts";
import { Bar } from "./progress.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

interface Look {
  icon: Icon;
  tone: string;
  word: string;
}

/** Under a call that was not over when the kernel went. */
const LOST: Look = { icon: "dot", tone: "nst-mut", word: "" };

/** How each state of a call looks; never by colour alone. */
export function lookOf(record: Record, live: boolean): Look {
  if (!live && (record.status === "calling" || record.status === "executing")) return LOST;
  switch (record.status) {
    case "calling":
      if (record.args_text === undefined && record.args)
        return { icon: "ring", tone: "nst-mut nst-dash nst-pulse", word: "queued" };
      return { icon: "ring", tone: "nst-mut nst-dash nst-pulse", word: "calling…" };
    case "executing":
      return { icon: "running", tone: "nst-run nst-spin", word: "executing" };
    case "interrupted":
      return { icon: "bars", tone: "nst-wait", word: "waiting for you" };
    case "failed":
      return { icon: "cross", tone: "nst-bad", word: "failed" };
    case "rejected":
      return { icon: "slashed", tone: "nst-mut", word: "rejected" };
    case "cancelled":
      return { icon: "slashed", tone: "nst-mut", word: "stopped" };
    default:
      return { icon: "check", tone: "nst-ok", word: "" };
  }
}

/** The text of a call's end: its result, or what went wrong. */
export function resultOf(record: Record): string {
  return record.content || record.error || "";
}

/** One line per call; a click shows its arguments and the whole result. */
export function toolRow(record: Record, stage: Stage): Row {
  let mark = icon("ring");
  let current = record;
  const name = h("bdi", "nst-tn", label(record.name));
  const args = h("span", "nst-args");
  const caret = h("span", { class: "nst-caret", "aria-hidden": "true" });
  const before = h("span");
  const word = h("span", "nst-st");
  const done = h("span", "nst-vh");
  const time = h("span", "nst-num");
  const button = h(
    "button",
    { class: "nst-line", "aria-expanded": "false" },
    mark,
    name,
    args,
    h("span", "nst-d", before, word, done, " ", time),
  );
  const bar = new Bar();
  const details = new CallDetails(stage);
  const el = h("div", "nst-tool", button, bar.el, details.el);

  const id = `${record.namespace.join("|")} ${record.id}`;
  const open = (opened: boolean) => {
    attribute(button, "aria-expanded", String(opened));
    el.classList.toggle("nst-open", opened);
    details.open(opened, current);
  };
  on(button, "click", stage.signal, () => {
    const opened = button.getAttribute("aria-expanded") !== "true";
    if (opened) stage.reader.rows.add(id);
    else stage.reader.rows.delete(id);
    open(opened);
  });

  const seconds = () => {
    if (current.status === "calling") return "";
    const goesOn = current.status === "executing" && stage.live;
    const end = current.ended_at ?? (goesOn ? stage.store.now() : undefined);
    return end === undefined ? "" : duration(end - current.started_at);
  };

  const row: Row = {
    el,
    update(changed) {
      current = changed;
      const look = lookOf(changed, stage.live);
      mark = changeIcon(mark, look.icon, look.tone);
      setText(name, label(changed.name));
      const writing = changed.status === "calling" && changed.args_text !== undefined;
      const preview = writing ? "" : argsPreview(changed.args ?? {});
      setText(args, preview || (changed.args && !writing ? "" : partialArgs(changed.args_text ?? "")));
      if (writing) args.append(caret);
      else caret.remove();
      const attempt = (changed.attempt ?? 1) > 1 ? `attempt ${changed.attempt}` : "";
      setText(before, attempt && `${attempt}${look.word && " · "}`);
      setText(word, look.word);
      setText(done, look.word || look === LOST ? "" : "completed");
      word.className = `nst-st ${look.tone.split(" ")[0]}`;
      setText(time, seconds());
      stage.ticking(
        row,
        changed.status === "executing" && stage.live ? () => setText(time, seconds()) : null,
      );
      bar.update(changed.progress, changed.name);
      details.update(changed);
    },
  };
  if (stage.reader.rows.has(id)) open(true);
  return row;
}

/** Arguments and result, of a row or in the header of a box. */
export class CallDetails {
  readonly el: HTMLElement;
  readonly content = h("div", { class: "nst-result", "data-part": "content" });
  #args = h("pre", "nst-json");
  #error = h("div", "nst-result nst-bad");
  #above: HTMLElement;
  #below: HTMLElement;
  #text: Bounded;
  #argsText: Bounded;
  #record: Record | null = null;
  #opened = false;
  #rendered = "";

  constructor(
    readonly stage: Stage,
    /** The result is what an agent said. */
    readonly isProse = false,
  ) {
    const { signal } = stage;
    this.#text = new Bounded(this.content, signal);
    this.#argsText = new Bounded(this.#args, signal);
    const copyArgs = copyButton("Copy arguments", () => json(this.#record?.args, 2), signal);
    const copyResult = copyButton("Copy result", () => this.#record?.content ?? "", signal);
    this.#above = h(
      "div",
      null,
      h("div", "nst-cap2", "Arguments", copyArgs),
      this.#args,
      this.#argsText.more,
    );
    this.#below = h("div", "nst-cap2", "Result", copyResult);
    const more = h("div", "nst-moreline", this.#text.more);
    this.el = h("div", "nst-call", this.#above, this.#below, this.content, more, this.#error);
    this.open(false, null);
  }

  update(record: Record) {
    this.#record = record;
    const text = resultOf(record);
    if (text !== this.#rendered) this.#text.set(text);
    this.content.classList.toggle("nst-bad", record.status === "failed");
    show(this.content, text !== "");
    const error = record.error && record.error !== text ? clean(record.error) : "";
    setText(this.#error, error);
    show(this.#error, error !== "");
    if (this.#opened) this.open(true, record);
  }

  #render({ content, status }: Record) {
    const prose = this.isProse && status === "completed" && content.length <= SHOWN;
    this.content.classList.toggle("nst-md", prose);
    if (!prose || content === this.#rendered) return;
    this.#rendered = content;
    this.content.replaceChildren(markdown(clean(content), this.stage.signal));
  }

  open(opened: boolean, record: Record | null) {
    this.#opened = opened;
    show(this.#above, opened);
    show(this.#below, opened && Boolean(record && resultOf(record)));
    (this.#text.more.parentElement as HTMLElement).hidden = !opened;
    if (opened && record) this.#render(record);
    if (opened && record) this.#argsText.set(record.args ? json(record.args, 2) : (record.args_text ?? ""));
  }
}
