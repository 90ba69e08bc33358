import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ai, drawn, namespace, restart, running, snapshot, stand, T0 } from "./builders.ts";

beforeEach(restart);
afterEach(() => document.body.replaceChildren());

const over = { status: "completed", ended_at: T0 + 1 } as const;

/** A finished run of two closed boxes, one in the other, in two displays. */
async function team() {
  const boxes = [
    namespace(["lead:1"], { label: "lead", ...over }),
    namespace(["lead:1", "writer:2"], { label: "writer", parent: "lead:1", ...over }),
  ];
  const said = ai("Hello", { namespace: ["lead:1", "writer:2"] });
  const made = stand({ snapshot: snapshot({ run: running(over), chat_history: [said] }, boxes) });
  const els = [made.el, made.display().el];
  await drawn();
  await drawn();
  return { ...made, els, said };
}

const open = (el: HTMLElement) =>
  [...el.querySelectorAll<HTMLElement>("article")]
    .filter((box) => box.querySelector('.nst-boxline[aria-expanded="true"]'))
    .map((box) => box.dataset.label);

describe("what Python shows", () => {
  it("is a box with what it stands in, then none, in every display", async () => {
    const { model, els } = await team();
    expect(els.map(open)).toEqual([[], []]);
    model.receive({ type: "show", open: true, label: "writer" });
    await drawn();
    expect(els.map(open)).toEqual(Array(2).fill(["lead", "writer"]));
    model.receive({ type: "show", open: false });
    expect(els.map(open)).toEqual([[], []]);
  });

  it("is a row in closed boxes, which is not selected", async () => {
    const { model, els, said } = await team();
    model.receive({ type: "show", key: "lead:1|writer:2", seq: said.seq });
    await drawn();
    expect(els.map(open)).toEqual(Array(2).fill(["lead", "writer"]));
    expect(model.traits.selection).toBeUndefined();
  });

  it("is the graph above the run, and gone again", async () => {
    const { model, els } = await team();
    const hidden = () => els.map((el) => el.querySelector<HTMLElement>(".nst-structure")?.hidden);
    expect(hidden()).toEqual([true, true]);
    model.set("structure", true);
    expect(hidden()).toEqual([false, false]);
    model.set("structure", false);
    expect(hidden()).toEqual([true, true]);
  });
});
