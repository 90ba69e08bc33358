import { h, setText, show } from "../dom.ts";
import { changeIcon, icon } from "../icons.ts";
import type { Record } from "../protocol.ts";
import { json, label, revealed, short } from "../wording.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

interface Action {
  name: string;
  args: { [name: string]: unknown };
}

/** The graph waits for an answer; what it asks, and how to answer from a cell. */
export function interruptRow(_record: Record, stage: Stage): Row {
  let mark = icon("warning", "nst-wait");
  const title = h("span", "nst-t");
  const explanation = h("span", "nst-mut");
  const content = h("div", { "data-part": "content" });
  const answer = h("span", "nst-mut");
  const line = h("code");
  const python = h("div", "nst-py", "From a cell: ", line);
  const el = h(
    "div",
    { class: "nst-ask", role: "group", "aria-label": "Waiting for you" },
    h("div", "nst-askhead", mark, title, explanation, answer),
    content,
    python,
  );
  return {
    el,
    update(changed) {
      const pending = changed.status === "pending";
      const actions = (changed.actions ?? []) as Action[];
      const [only] = actions;
      title.replaceChildren();
      if (pending && only && actions.length === 1)
        title.append("Approve ", h("code", null, label(only.name)), "?");
      else if (pending) title.append(actions.length ? `Approve ${actions.length} calls?` : "The graph asks");
      else title.append(changed.status === "answered" ? "Answered" : "Not answered");
      setText(line, pending ? howToAnswer(changed, stage) : "");
      const asker = stage.namespaceOf(changed)?.label ?? changed.speaker;
      setText(explanation, pending && actions.length ? `${label(asker)} wants to run this.` : "");
      setText(
        answer,
        pending || changed.answer === undefined ? "" : label(short(told(changed, actions), 160)),
      );
      mark = changeIcon(
        mark,
        pending ? "warning" : changed.status === "answered" ? "check" : "slashed",
        pending ? "nst-wait" : changed.status === "answered" ? "nst-ok" : "nst-mut",
      );
      el.classList.toggle("nst-pending", pending);
      if (actions.length) content.replaceChildren(...actions.map(actionForm));
      else content.replaceChildren(h("div", "nst-text nst-asked", asked(changed)));
      show(content, pending);
      show(python, pending);
    },
  };
}

function actionForm(action: Action): HTMLElement {
  const form = h("dl", "nst-form");
  for (const [name, value] of Object.entries(action.args ?? {}))
    form.append(h("dt", null, label(name)), h("dd", null, label(json(value))));
  return form;
}

/** What to write in a cell. */
function howToAnswer(record: Record, stage: Stage): string {
  if (!record.actions?.length) return "view.resume(…)";
  const which = [...waitingIn("", stage)].indexOf(record.seq);
  return `view.pending[${Math.max(which, 0)}].approve()`;
}

/** What waits, in the order in which it is drawn. */
function* waitingIn(key: string, stage: Stage): Generator<number> {
  for (const child of stage.store.tree.children(key)) {
    if ("key" in child) yield* waitingIn(child.key, stage);
    else {
      const record = stage.store.records.get(child.seq);
      if (record?.type === "interrupt" && record.status === "pending") yield child.seq;
    }
  }
}

interface Decision {
  type?: string;
  message?: string;
  edited_action?: { args?: { [name: string]: unknown } };
}

/** `Approved with 1 edit: amount 24.9 → 19.9`, or the answer as it was given. */
function told(record: Record, actions: Action[]): unknown {
  const { answer } = record;
  const listed = (answer as { decisions?: Decision[] } | null)?.decisions;
  const decisions = Array.isArray(listed) ? listed : [answer as Decision];
  if (!actions.length || decisions.length !== actions.length) return answer;
  const words = decisions.map((decision, i) => wordOf(decision, actions[i] as Action));
  return words.includes(undefined) ? answer : words.join(" · ");
}

function wordOf(decision: Decision | null, action: Action): string | undefined {
  const said = decision?.message ? `: ${decision.message}` : "";
  if (decision?.type === "approve") return "Approved";
  if (decision?.type === "reject") return `Rejected${said}`;
  if (decision?.type === "respond") return `Responded${said}`;
  if (decision?.type !== "edit") return undefined;
  const args = decision.edited_action?.args ?? {};
  const edits = Object.keys(args).filter((name) => json(args[name]) !== json(action.args?.[name]));
  const changes = edits.map((name) => `${name} ${json(action.args?.[name])} → ${json(args[name])}`);
  const count = `${edits.length} edit${edits.length === 1 ? "" : "s"}`;
  return edits.length ? `Approved with ${count}: ${changes.join(", ")}` : "Approved";
}

function asked(record: Record): string {
  const { value } = record;
  if (typeof value === "string") return revealed(value);
  if (value === undefined) return revealed(record.content);
  return revealed(json(value, 2));
}
