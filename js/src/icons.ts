import type { PATHS } from "./paths.ts";

const NS = "http://www.w3.org/2000/svg";

export type Paths = typeof PATHS;
export type Icon = keyof Paths;

/** How they are drawn is in one of the scripts only: the other is given it. */
let paths: Paths;

export function drawIcons(given: Paths) {
  paths = given;
}

/** An icon that says nothing to a screen reader: a word always stands beside it. */
export function icon(name: Icon, tone = ""): SVGSVGElement {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `nst-i ${tone}`.trim());
  svg.dataset.icon = name;
  if (name === "running") svg.append(path(paths.ring[0], "0.22"));
  for (const d of paths[name]) svg.append(path(d));
  return svg;
}

function path(d: string, opacity?: string): SVGPathElement {
  const element = document.createElementNS(NS, "path");
  const kind = d[0];
  element.setAttribute("d", d.replace(/^[!*]/, ""));
  if (kind === "!") {
    element.setAttribute("fill", "currentColor");
    element.setAttribute("stroke", "none");
  }
  if (kind === "*") element.setAttribute("stroke-width", "2.2");
  if (opacity) element.setAttribute("opacity", opacity);
  return element;
}

/** Replaces an icon only when it is another one, so that a spinner does not jump. */
export function changeIcon(old: SVGSVGElement, name: Icon, tone: string): SVGSVGElement {
  const wanted = `nst-i ${tone}`.trim();
  if (old.dataset.icon === name) {
    if (old.getAttribute("class") !== wanted) old.setAttribute("class", wanted);
    return old;
  }
  const fresh = icon(name, tone);
  old.replaceWith(fresh);
  return fresh;
}
