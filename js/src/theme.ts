import { ended } from "./dom.ts";

type Theme = "light" | "dark";

/** `r, g, b` of a colour that hides what is behind it, else null. */
function opaque(color: string): [number, number, number] | null {
  const parts = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)(?:[\s,/]+([\d.]+))?/.exec(color);
  if (!parts || (parts[4] !== undefined && Number(parts[4]) < 0.9)) return null;
  return [Number(parts[1]), Number(parts[2]), Number(parts[3])];
}

function detect(el: HTMLElement): Theme {
  const { body, documentElement: html } = document;
  const jupyter = body.dataset.jpThemeLight;
  if (jupyter !== undefined) return jupyter === "false" ? "dark" : "light";
  const code = body.dataset.vscodeThemeKind;
  if (code !== undefined) return code.includes("dark") || code === "vscode-high-contrast" ? "dark" : "light";
  const colab = html.getAttribute("theme");
  if (colab) return colab === "dark" ? "dark" : "light";
  for (let at: Element | null = el.parentElement; at; at = at.parentElement) {
    const color = opaque(getComputedStyle(at).backgroundColor);
    if (color) return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 128 ? "dark" : "light";
  }
  // Last of all: notebooks inside VS Code report the wrong preference.
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Keeps `data-theme` right while the host switches; returns what the trait's change calls. */
export function followTheme(root: HTMLElement, wish: () => "auto" | Theme, signal: AbortSignal): () => void {
  const set = () => {
    const wanted = wish();
    root.dataset.theme = wanted === "auto" ? detect(root) : wanted;
    root.toggleAttribute("data-forced-theme", wanted !== "auto" && wanted !== detect(root));
    const name = document.body.dataset.jpThemeName ?? "";
    root.toggleAttribute("data-high-contrast", /high contrast/i.test(name));
  };
  const observer = new MutationObserver(set);
  observer.observe(document.body, {
    attributeFilter: [
      "data-jp-theme-light",
      "data-jp-theme-name",
      "data-vscode-theme-kind",
      "class",
      "style",
    ],
  });
  observer.observe(document.documentElement, { attributeFilter: ["theme", "class", "style"] });
  set();
  // The background of the place is known only once the element is in it.
  const frame = requestAnimationFrame(set);
  ended(signal, () => {
    cancelAnimationFrame(frame);
    observer.disconnect();
  });
  return set;
}
