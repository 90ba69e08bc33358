// Builds the widget that the Python package ships: what draws a run, what explores it, what
// loads the two, and one style sheet.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import { minify } from "terser";
import { aliases } from "./aliases.mjs";
import { esbuildPlugin, INTERNAL } from "./slim-markdown-it.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(here, "../src/nestling/static");
const LIMITS = { "widget.js": 100_000, "explore.js": 100_000, "loader.js": 1_000, "widget.css": 47_000 };
// What every view carries of scripts, packed as `view.py` packs them.
const CARRIED = 100_000;

// Names of ours that neither the wire nor the browser uses: they may be shortened.
const OWN = [
  "stage store tally tree reader area boxesOf placeBox placeRecord removeBox removeRow updateCall",
  "floorOf fetchEarlier namespaceOf hueOf hue isShort listening changed boxes collapse following",
  "isAbove pin toggled closing ticking waiting newest hides setCall byId seen rows added dropped",
  "evict settle hues connection resumed scrolled skew later tick hold live seqs place child sync",
  "reach stay",
].join(" ");

const options = {
  absWorkingDir: here,
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox128", "safari16.4"],
  legalComments: "none",
  charset: "utf8",
  alias: aliases,
  plugins: [esbuildPlugin],
  mangleProps: new RegExp(`${INTERNAL.source}|^(${OWN.replaceAll(" ", "|")})$`),
  metafile: true,
};

const names = ["widget", "explore", "loader"];

/** `cache`: the short names that the parts share, for they use each other's objects. */
async function build(name, cache, act = esbuild.build) {
  const made = await act({ ...options, entryPoints: { [name]: `src/${name}.ts` }, mangleCache: cache });
  if (made.metafile && process.argv.includes("--sizes"))
    console.log(await esbuild.analyzeMetafile(made.metafile));
  return made.mangleCache;
}

let cache = {};
for (const name of names) cache = await build(name, cache);
if (process.argv.includes("--watch")) {
  for (const name of names)
    await build(name, cache, async (each) => {
      await (await esbuild.context(each)).watch();
      return {};
    });
  console.log("watching src");
} else {
  for (const name of names.map((each) => `${each}.js`)) {
    // A kilobyte less than esbuild leaves.
    const path = resolve(out, name);
    const { code } = await minify(readFileSync(path, "utf8"), {
      module: true,
      ecma: 2020,
      compress: { passes: 2 },
    });
    writeFileSync(path, code);
  }
  for (const [name, limit] of Object.entries(LIMITS)) {
    const { size } = statSync(resolve(out, name));
    console.log(`${name}  ${(size / 1000).toFixed(1)} kB of ${limit / 1000}`);
    if (size > limit) throw new Error(`${name} is over its limit of ${limit} bytes`);
  }
  const packed = ["widget.js", "explore.js"].map((name) =>
    gzipSync(readFileSync(resolve(out, name)), { level: 9 }),
  );
  const carried = packed.reduce((sum, { length }) => sum + Math.ceil(length / 3) * 4, 0);
  console.log(`carried  ${(carried / 1000).toFixed(1)} kB of ${CARRIED / 1000}`);
  if (carried > CARRIED) throw new Error("A view carries too much");
  if (/https?:\/\/(?!www\.w3\.org)/.test(readFileSync(resolve(out, "widget.css"), "utf8")))
    throw new Error("widget.css must not load anything");
}
