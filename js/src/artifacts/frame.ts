import { ended, h } from "../dom.ts";

/** No network, no script; drawn inside a frame without an origin. */
const CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
const COLOUR = /^[a-z0-9#.,%/\s()+-]+$/i;

/** HTML of others, in the colours of the page around it. */
export function frame(html: string, title: string, root: HTMLElement, signal: AbortSignal): HTMLElement {
  const element = h("iframe", { sandbox: "", title, loading: "lazy", referrerpolicy: "no-referrer" });
  const draw = () => {
    const { color, backgroundColor } = getComputedStyle(root);
    const [ink, paper] = [color, backgroundColor].map((value) => (COLOUR.test(value) ? value : ""));
    const scheme = root.dataset.theme === "dark" ? "dark" : "light";
    const style =
      `:root{color-scheme:${scheme}}body{margin:8px;font:13px/1.5 system-ui,sans-serif;` +
      `color:${ink || "#111"};background:${paper || "#fff"}}table{border-collapse:collapse}` +
      "td,th{padding:2px 8px;text-align:end}";
    element.srcdoc =
      `<!doctype html><meta http-equiv="Content-Security-Policy" content="${CSP}">` +
      `<style>${style}</style>${html}`;
  };
  const themed = new MutationObserver(draw);
  themed.observe(root, { attributeFilter: ["data-theme"] });
  ended(signal, () => themed.disconnect());
  draw();
  return element;
}
