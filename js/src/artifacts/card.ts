import { confirm } from "../copy.ts";
import { openDialog } from "../dialog.ts";
import { ended, h, on, setText, show } from "../dom.ts";
import { changeIcon, type Icon, icon } from "../icons.ts";
import type { Record } from "../protocol.ts";
import { iconOf, nameOf } from "../views/made.ts";
import type { Row } from "../views/row.ts";
import type { Display } from "../views/run.ts";
import { clean, label } from "../wording.ts";
import { drawBundle } from "./mimebundle.ts";
import { canCopy, canSave, copyArtifact, saveArtifact } from "./save.ts";
import { scrolls } from "./scrolls.ts";

/** A card with the artifact itself. */
export function artifactCard(record: Record, display: Display): Row {
  const { signal } = display.stage;
  let mark = icon(iconOf(record.kind), "nst-mut");
  let current = record;
  let drawn: unknown;
  let end = new AbortController();
  const title = h("b");
  const kind = h("span");
  const body = h("div", "nst-ab");
  const buttons = {
    open: act("Open", "out", signal, () => openLarge(current, display)),
    copy: act("Copy", "copy", signal, async (button) => confirm(button, await copyArtifact(current))),
    save: act("Save", "save", signal, () => saveArtifact(current)),
  };
  const head = h("div", "nst-ah", mark, title, kind, ...Object.values(buttons));
  // No landmark: titles repeat.
  const el = h("div", { class: "nst-art", role: "group", "data-artifact": record.id }, head, body);
  ended(signal, () => end.abort());
  const row = {
    el,
    update(changed: Record) {
      current = changed;
      mark = changeIcon(mark, iconOf(changed.kind), "nst-mut");
      const name = nameOf(changed);
      el.dataset.kind = changed.kind ?? "";
      el.setAttribute("aria-label", name);
      setText(title, name);
      title.title = name;
      setText(kind, label(changed.kind));
      if (changed.mime === drawn) return;
      drawn = changed.mime;
      end.abort();
      end = new AbortController();
      const nodes = contents(changed, display, end.signal);
      show(buttons.open, nodes !== null);
      show(buttons.copy, canCopy(changed));
      show(buttons.save, canSave(changed));
      body.replaceChildren(...(nodes ?? [nothing(changed)]));
      scrolls(body, `Content of ${name}`, end.signal);
    },
  };
  row.update(record);
  return row;
}

function act(
  name: string,
  picture: Icon,
  signal: AbortSignal,
  does: (button: HTMLButtonElement) => void,
): HTMLButtonElement {
  const button = h("button", { class: "nst-ib", "aria-label": name, title: name }, icon(picture));
  on(button, "click", signal, () => does(button));
  return button;
}

function contents(record: Record, display: Display, signal: AbortSignal): Node[] | null {
  const nodes = drawBundle(record.mime ?? {}, nameOf(record), display, signal);
  return nodes.length ? nodes : null;
}

function nothing(record: Record): HTMLElement {
  return h("p", "nst-mut", clean(record.content) || "Nothing to show here.");
}

/** The artifact alone, in front of the page. */
function openLarge(record: Record, display: Display) {
  const name = nameOf(record);
  openDialog(display, name, (signal) => {
    const copy = act("Copy", "copy", signal, async (button) => confirm(button, await copyArtifact(record)));
    const save = act("Save", "save", signal, () => saveArtifact(record));
    show(copy, canCopy(record));
    show(save, canSave(record));
    const mark = icon(iconOf(record.kind), "nst-mut");
    return {
      head: [mark, h("b", null, name), h("span", null, label(record.kind)), copy, save],
      body: contents(record, display, signal) ?? [nothing(record)],
    };
  });
}
