import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cellsOf, plainHtml } from "../src/artifacts/plain_html.ts";
import type { Fields } from "../src/protocol.ts";
import {
  ai,
  drawn,
  namespace,
  patch,
  record,
  restart,
  running,
  type Stand,
  snapshot,
  stand,
  tool,
} from "./builders.ts";

const PANDAS = `<div>
<style scoped>.dataframe tbody tr th { vertical-align: top; }</style>
<table border="1" class="dataframe">
  <thead><tr style="text-align: right;"><th></th><th>region</th><th>slope</th></tr></thead>
  <tbody><tr><th>0</th><td>North</td><td>0.5</td></tr><tr><th>1</th><td>&lt;b&gt;</td><td>-2</td></tr></tbody>
</table>
</div>`;
const PNG = "iVBORw0KGgo=";

const ended = { run: { status: "completed" as const, turn: 1, now: 0 } };

beforeEach(restart);
afterEach(() => document.body.replaceChildren());

async function shown(rows: ReturnType<typeof record>[], fields: Fields = {}): Promise<Stand> {
  const made = stand({ snapshot: snapshot({ live_chat: rows, ...fields }) });
  await drawn();
  await drawn();
  return made;
}

describe("HTML without a frame", () => {
  it("is drawn when it is a table of pandas, with its numbers to one side", () => {
    const table = plainHtml(PANDAS)?.querySelector("table") as HTMLElement;
    expect(table.textContent).not.toContain("vertical-align");
    expect(
      [...table.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent)),
    ).toEqual([
      ["", "region", "slope"],
      ["0", "North", "0.5"],
      ["1", "<b>", "-2"],
    ]);
    const numbers = [...table.querySelectorAll(".nst-num")].map((cell) => cell.textContent);
    expect(numbers).toEqual(["slope", "0.5", "-2"]);
    expect(cellsOf(table)).toBe("\tregion\tslope\n0\tNorth\t0.5\n1\t<b>\t-2");
  });

  it("has no cell that heads nothing", () => {
    const cells = plainHtml(PANDAS)?.querySelectorAll("th") ?? [];
    expect([...cells].map((cell) => [cell.textContent, cell.scope])).toEqual([
      ["region", "col"],
      ["slope", "col"],
      ["0", "row"],
      ["1", "row"],
    ]);
  });

  it("takes over no attribute but spans", () => {
    const html =
      '<table class="nestling" dir="rtl"><tr><td colspan="2" rowspan="-3" class="x">a</td></tr></table>';
    const cell = plainHtml(html)?.querySelector("td");
    expect([...(cell?.attributes ?? [])].map(({ name, value }) => `${name}=${value}`)).toEqual([
      "colspan=2",
      "class=",
    ]);
  });

  it.each([
    ["a script", "<p>x</p><script>1</script>"],
    ["an event handler", '<p onclick="1">x</p>'],
    ["a style", '<p style="position:fixed">x</p>'],
    ["an id", '<p id="approve">x</p>'],
    ["a link", '<p><a href="https://x.y">x</a></p>'],
    ["a button", "<button>Approve</button>"],
    ["an image", "<p><img src=x></p>"],
    ["MathML", "<math><mi>x</mi></math>"],
    ["a style sheet", "<style>p{}</style><p>x</p>"],
    ["a base address", '<base href="https://x.y"><p>x</p>'],
    ["too many elements", "<p>x</p>".repeat(13_000)],
  ])("is not for HTML with %s", (_, html) => expect(plainHtml(html)).toBeNull());
});

describe("progress", () => {
  it("is a bar on the row of a call that runs, and gone with its end", async () => {
    const call = tool("draw", { status: "executing", progress: { fraction: 0.62, text: "drawing 3" } });
    const { el, model } = await shown([call]);
    const bar = el.querySelector(".nst-tool [role=progressbar]") as HTMLElement;
    expect(bar.getAttribute("aria-valuenow")).toBe("62");
    expect(bar.getAttribute("aria-valuetext")).toBe("62 %, drawing 3");
    expect(bar.getAttribute("aria-label")).toBe("draw");
    expect(bar.parentElement?.textContent).toBe("drawing 3");
    model.receive(patch(1, { set: [[call.seq, { status: "completed", progress: null }]] }));
    await drawn();
    expect(bar.parentElement?.hidden).toBe(true);
  });

  it("of a node stands in the header of its box, of the root in that of the view", async () => {
    const made = snapshot({}, [namespace(["agent:1"], { progress: { fraction: 7 } })]);
    (made.namespaces[""] as { progress?: object }).progress = { fraction: 0.5 };
    const { el } = stand({ snapshot: made });
    await drawn();
    const values = [...el.querySelectorAll(".nst-head [role=progressbar], .nst-boxhead [role=progressbar]")];
    expect(values.map((bar) => bar.getAttribute("aria-valuenow"))).toEqual(["50", "100"]);
  });
});

describe("what a renderer made", () => {
  const rendered = (el: HTMLElement) =>
    [...el.querySelectorAll<HTMLElement>("[data-part=rendered]")].map((slot) => slot.textContent);

  it.each(["nested", "log"])("stands in the place of the content (%s)", async (mode) => {
    const rows = [
      tool("run_sql", { content: "3 rows", mime: { "text/html": "<pre>select 1</pre>" } }),
      record("custom", { content: "{}", mime: { "text/markdown": "**24 €** to Ada" } }),
      ai("Hello", { mime: { "text/plain": "hi" } }),
    ];
    const { el } = stand({ mode, snapshot: snapshot({ live_chat: rows }) });
    await drawn();
    await drawn();
    expect(rendered(el)).toEqual(["select 1", "24 € to Ada", "hi"]);
    expect(el.querySelectorAll(".nst-dressed").length).toBe(3);
  });

  it("comes after the row, changes, and goes", async () => {
    const call = tool("run_sql", { content: "3 rows" });
    const { el, model } = await shown([call]);
    expect(rendered(el)).toEqual([]);
    model.receive(patch(1, { set: [[call.seq, { mime: { "text/markdown": "one" } }]] }));
    await drawn();
    expect(rendered(el)).toEqual(["one"]);
    model.receive(patch(2, { set: [[call.seq, { mime: { "text/markdown": "two" } }]] }));
    await drawn();
    expect(rendered(el)).toEqual(["two"]);
    model.receive(patch(3, { set: [[call.seq, { mime: null }]] }));
    await drawn();
    expect(rendered(el)).toEqual([]);
    expect(el.querySelector(".nst-dressed")).toBeNull();
  });

  it("leaves the default row when nothing of it can be drawn", async () => {
    const { el } = await shown([tool("x", { content: "3 rows", mime: { "application/x-other": "…" } })]);
    expect(rendered(el)).toEqual([]);
    expect(el.querySelector(".nst-dressed")).toBeNull();
  });

  it("is a widget where the notebook has it, else its text", async () => {
    const mime = {
      "application/vnd.jupyter.widget-view+json": { model_id: "m1" },
      "text/plain": "Button(description='Buy')",
    };
    const call = tool("shop");
    const { el, model } = await shown([call]);
    let removed = 0;
    model.widget_manager = {
      get_model: async (id: string) => (id === "m1" ? { id } : Promise.reject(Error("gone"))),
      create_view: async () => {
        const button = document.createElement("button");
        button.textContent = "Buy";
        return { el: button, remove: () => removed++ };
      },
    };
    model.receive(patch(1, { set: [[call.seq, { mime }]] }));
    await drawn();
    expect(el.querySelector("[data-part=rendered] button")?.textContent).toBe("Buy");
    const gone = { ...mime, "application/vnd.jupyter.widget-view+json": { model_id: "m2" } };
    model.receive(patch(2, { set: [[call.seq, { mime: gone }]] }));
    await drawn();
    await drawn();
    expect(removed).toBe(1);
    expect(rendered(el)[0]).toContain("Button(description='Buy')");
  });

  it("in the call of a box is seen while the box is closed", async () => {
    const call = tool("agent", { content: "long", mime: { "text/markdown": "short" } });
    const box = namespace(["agent:1"], { spawned_by: call.id, status: "completed" });
    const { el } = stand({ collapse: "all", snapshot: snapshot({ live_chat: [call] }, [box]) });
    await drawn();
    await drawn();
    expect(rendered(el)).toEqual(["short"]);
    expect((el.querySelector(".nst-boxhead > .nst-call") as HTMLElement).hidden).toBe(false);
  });
});

describe("cards of artifacts", () => {
  const cards = (el: HTMLElement) => [...el.querySelectorAll<HTMLElement>(".nst-art")];
  const button = (el: HTMLElement, name: string) =>
    el.querySelector<HTMLButtonElement>(`[aria-label="${name}"]`);

  it("show a table as one, and a figure as a picture", async () => {
    const rows = [
      record("artifact", {
        title: "trends",
        kind: "DataFrame 2 × 2",
        version: 2,
        mime: { "text/html": PANDAS },
      }),
      record("artifact", { title: "Plot", kind: "figure", mime: { "image/png": PNG } }),
    ];
    const { el } = await shown(rows, ended);
    const [table, figure] = cards(el) as [HTMLElement, HTMLElement];
    expect(table.getAttribute("aria-label")).toBe("trends v2");
    expect(table.querySelector(".nst-ah")?.textContent).toBe("trends v2DataFrame 2 × 2");
    expect(table.querySelectorAll("tbody td").length).toBe(4);
    expect(table.querySelector("iframe")).toBeNull();
    expect(table.matches("section, [role=region]")).toBe(false);
    expect(figure.querySelector("img")?.alt).toBe("Plot");
  });

  it("show code and what was too large as text", async () => {
    const rows = [
      record("artifact", { title: "q.py", kind: "code", mime: { "text/x-python": "a = 1" } }),
      record("artifact", {
        title: "big",
        kind: "image",
        mime: { "text/plain": "Too large to embed (12 MB)." },
      }),
    ];
    const { el } = await shown(rows, ended);
    expect(cards(el).map((card) => card.querySelector("pre")?.textContent)).toEqual([
      "a = 1",
      "Too large to embed (12 MB).",
    ]);
  });

  it("open in front of the page; Escape leads back to the button", async () => {
    const rows = [
      record("artifact", { title: "Report", kind: "markdown", mime: { "text/markdown": "# Hi" } }),
    ];
    const { el } = await shown(rows, ended);
    const open = button(cards(el)[0] as HTMLElement, "Open") as HTMLButtonElement;
    open.focus();
    open.click();
    const dialog = el.querySelector("dialog") as HTMLDialogElement;
    expect(dialog.open).toBe(true);
    expect(dialog.getAttribute("aria-label")).toBe("Report");
    expect(dialog.textContent).toContain("Hi");
    expect(document.activeElement).toBe(button(dialog, "Close"));
    dialog.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(el.querySelector("dialog")).toBeNull();
    expect(document.activeElement).toBe(open);
  });

  it("with nothing to draw have nothing to open or save", async () => {
    const { el } = await shown([record("artifact", { title: "x", kind: "Torn", mime: {} })], {
      run: { ...running(), status: "completed" },
    });
    const card = cards(el)[0] as HTMLElement;
    expect(card.textContent).toContain("Nothing to show here.");
    for (const name of ["Open", "Copy", "Save"]) expect(button(card, name)?.hidden).toBe(true);
  });
});
