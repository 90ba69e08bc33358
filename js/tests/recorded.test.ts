import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { Comm } from "../src/comm.ts";
import type { Patch, Snapshot } from "../src/protocol.ts";
import { Store } from "../src/store.ts";
import { drawn, FakeModel, stand } from "./builders.ts";
import { treeOf } from "./tree.ts";

/** Runs that the Python side recorded: the same file is read by both ends of the wire. */
const FOLDER = `${import.meta.dirname}/../../tests/runs`;
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith(".wire.jsonl")) : [];

function load(name: string) {
  const lines = readFileSync(`${FOLDER}/${name}`, "utf8").trim().split("\n");
  const messages = lines.map((line) => JSON.parse(line));
  const tree = messages.pop() as { text: string };
  const [snapshot, ...patches] = messages as [Snapshot, ...Patch[]];
  // JSON of Python tells 80.0 from 80; here the text of such numbers is taken over.
  const floats = (text: string) => text.replace(/(\d)\.0(?=[,}\]])/g, "$1");
  return { snapshot, patches, text: floats(tree.text).trim() };
}

function state(snapshot: Snapshot, patches: Patch[]) {
  const model = new FakeModel({ snapshot: structuredClone(snapshot) });
  const store = new Store();
  new Comm(model as never, store, new AbortController().signal);
  for (const patch of patches) model.receive(patch);
  return store;
}

afterEach(() => document.body.replaceChildren());

/** Cut lines differ where a number is shorter here: compare what both show. */
const cut = (text: string) => text.split("\n").map((line) => line.replace(/…$/, "").slice(0, 90));

describe.runIf(files.length > 0).each(files)("the recorded run %s", (name) => {
  const { snapshot, patches, text } = load(name);

  it("is drawn as its text tree at once", async () => {
    const { model, el, end } = stand({ snapshot: structuredClone(snapshot) });
    for (const patch of patches) model.receive(patch);
    await drawn();
    expect(cut(treeOf(el, state(snapshot, patches)))).toEqual(cut(text));
    end.abort();
  });

  it("is drawn as its text tree piece by piece, whatever was lost in between", async () => {
    const { model, el, end } = stand({ snapshot: structuredClone(snapshot) });
    for (const [i, patch] of patches.entries()) {
      if (i % 3 === 1) model.receive(patches[i - 1]);
      else if (i % 3 === 2 && patches[i + 1]) model.receive(patches[i + 1]);
      model.receive(patch);
      await drawn();
    }
    expect(cut(treeOf(el, state(snapshot, patches)))).toEqual(cut(text));
    end.abort();
  });

  it("shows the same after a log view in between", async () => {
    const { model, el, end } = stand({ snapshot: structuredClone(snapshot), collapse: "none" });
    for (const [i, patch] of patches.entries()) {
      if (i % 4 === 0) model.set("mode", i % 8 ? "nested" : "log");
      model.receive(patch);
      await drawn();
    }
    model.set("mode", "nested");
    expect(cut(treeOf(el, state(snapshot, patches)))).toEqual(cut(text));
    expect(el.querySelector(".nst-spin")).toBeNull();
    end.abort();
  });
});
