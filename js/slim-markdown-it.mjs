// Leaves out of markdown-it what this page never runs: 34 kB instead of 52, minified.
//
// The package is one file with a comment around each of its modules. Rules that are
// switched off become empty functions, and the class around the parsers (presets, HTML
// renderer, plugins) becomes the few lines below. A version that is laid out otherwise
// stops the build here.
const REPLACED = {
  "src/renderer.ts": "",
  "src/rules_core/linkify.ts": "function linkify$1() {}",
  "src/rules_core/replacements.ts": "function replace() {}",
  "src/rules_core/smartquotes.ts": "function smartquotes() {}",
  "src/common/html_blocks.ts": "",
  "src/common/html_re.ts": "",
  "src/rules_block/html_block.ts": "function html_block() { return false; }",
  "src/rules_inline/linkify.ts": "function linkify() { return false; }",
  "src/rules_inline/html_inline.ts": "function html_inline() { return false; }",
  "src/markdownit.ts": `
class MarkdownIt {
  inline = new ParserInline();
  block = new ParserBlock();
  core = new ParserCore();
  helpers = helpers_exports;
  options = { maxNesting: 24 };
  // Addresses are judged where their elements are made.
  validateLink = () => true;
  normalizeLink = (url) => url;
  normalizeLinkText = (url) => url;
  parse(src, env) {
    const state = new this.core.State(src, this, env);
    this.core.process(state);
    return state.tokens;
  }
}`,
  "helpers/esm/typeof.js": "",
  "helpers/esm/toPrimitive.js": "",
  "helpers/esm/toPropertyKey.js": "",
  "helpers/esm/defineProperty.js": "",
  // The same rules always, in the same order.
  "src/ruler.ts": `
class Ruler {
  names = [];
  rules = [];
  alternatives = {};
  push(name, rule, { alt = [] } = {}) {
    this.names.push(name);
    this.rules.push(rule);
    for (const chain of alt) (this.alternatives[chain] ??= []).push(rule);
  }
  getRules(chain) {
    return chain ? (this.alternatives[chain] ?? []) : this.rules;
  }
}`,
  "src/index.ts": "var MarkdownItCallable = MarkdownIt;",
};

/** Names that only the parser uses: esbuild may shorten them. The built bundle is tested for it. */
export const INTERNAL = new RegExp(
  `^(${[
    "bMarks eMarks tShift sCount bsCount blkIndent parentType listIndent lineMax posMax",
    "pending pendingLevel delimiters tokens_meta backticks backticksScanned linkLevel",
    "getLines skipSpaces skipSpacesBack skipEmptyLines skipChars skipCharsBack isEmpty",
    "pushPending scanDelims inlineMode parseLinkDestination parseLinkLabel parseLinkTitle",
    "tokenize postProcess getRules alternatives skipToken attrJoin attrPush attrIndex attrSet",
    "can_open can_close maxNesting validateLink normalizeLink normalizeLinkText skipHtmlSpecial",
    "ruler ruler2 tight helpers ddIndent references _prev_delimiters",
  ]
    .join(" ")
    .replaceAll(" ", "|")})$`,
);

export function slim(source) {
  for (const [name, code] of Object.entries(REPLACED)) {
    const start = source.search(new RegExp(`//#region [^\\n]*${name.replaceAll(".", "\\.")}\\n`));
    const end = source.indexOf("//#endregion", start);
    if (start < 0 || end < 0)
      throw new Error(`markdown-it has no ${name} any more: see slim-markdown-it.mjs`);
    source = source.slice(0, start) + code + source.slice(end);
  }
  // Fields are set by their names, which can be shortened and are found at once.
  return source.replace(/_defineProperty\(\s*this,\s*(?:\/\*\*[\s\S]*?\*\/\s*)?"(\w+)",/g, "(this.$1 =");
}

const FILE = /markdown-it[\\/]dist[\\/]markdown-it\.mjs$/;

export const esbuildPlugin = {
  name: "slim-markdown-it",
  setup(build) {
    build.onLoad({ filter: FILE }, async ({ path }) => {
      const { readFile } = await import("node:fs/promises");
      return { contents: slim(await readFile(path, "utf8")), loader: "js" };
    });
  },
};

export const vitePlugin = {
  name: "slim-markdown-it",
  enforce: "pre",
  transform(code, id) {
    return FILE.test(id.split("?")[0]) ? { code: slim(code), map: null } : undefined;
  },
};
