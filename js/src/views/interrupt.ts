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
  const python = h(
    "div",
    "nst-py",
    "From a cell: ",
    h("code", null, "view.invoke(Command(resume=…), config)"),
  );
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
      const asker = stage.namespaceOf(changed)?.label ?? changed.speaker;
      setText(explanation, pending && actions.length ? `${label(asker)} wants to run this.` : "");
      setText(answer, pending || changed.answer === undefined ? "" : label(short(changed.answer, 160)));
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

function asked(record: Record): string {
  const { value } = record;
  if (typeof value === "string") return revealed(value);
  if (value === undefined) return revealed(record.content);
  return revealed(json(value, 2));
}
