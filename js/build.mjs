// Builds the widget that the Python package ships: one ES module and one style sheet.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { minify } from "terser";
import { aliases } from "./aliases.mjs";
import { esbuildPlugin, INTERNAL } from "./slim-markdown-it.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(here, "../src/nestling/static");
// The bundle travels with every widget and into saved notebooks.
const LIMITS = { "widget.js": 100_000, "loader.js": 1_000, "widget.css": 30_000 };

// Names of ours that neither the wire nor the browser uses: they may be shortened.
const OWN = [
  "stage store tally tree reader area boxesOf placeBox placeRecord removeBox updateCall",
  "floorOf fetchEarlier namespaceOf hueOf hue isShort listening changed boxes collapse following",
  "isAbove pin toggled closing ticking waiting newest hides setCall byId seen rows added dropped",
  "evict settle hues connection resumed scrolled skew later tick hold",
].join(" ");

const options = {
  absWorkingDir: here,
  entryPoints: { widget: "src/widget.ts", loader: "src/loader.ts" },
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

if (process.argv.includes("--watch")) {
  const context = await esbuild.context(options);
  await context.watch();
  console.log("watching src");
} else {
  const { metafile } = await esbuild.build(options);
  if (process.argv.includes("--sizes")) console.log(await esbuild.analyzeMetafile(metafile));
  for (const name of ["widget.js", "loader.js"]) {
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
  if (/https?:\/\/(?!www\.w3\.org)/.test(readFileSync(resolve(out, "widget.css"), "utf8")))
    throw new Error("widget.css must not load anything");
}
