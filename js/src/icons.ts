const NS = "http://www.w3.org/2000/svg";

/** 16 px strokes; a leading `!` fills the shape, a `*` draws it thick. */
const PATHS = {
  open: ["M4 6l4 4 4-4"],
  closed: ["M6 4l4 4-4 4"],
  check: ["M3.5 8.5l3 3 6-7"],
  cross: ["M4.5 4.5l7 7m0-7l-7 7"],
  running: ["M8 2.4A5.6 5.6 0 0 1 13.6 8"],
  ring: ["M8 2.4a5.6 5.6 0 1 1 0 11.2a5.6 5.6 0 1 1 0-11.2"],
  slashed: ["M8 2.4a5.6 5.6 0 1 1 0 11.2a5.6 5.6 0 1 1 0-11.2", "M4.2 11.8l7.6-7.6"],
  dot: ["M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6"],
  bars: ["*M5.8 4v8M10.2 4v8"],
  parallel: ["M5.5 3v10M10.5 3v10"],
  timeline: ["*M2.5 4h6M5 8h7M8 12h5.5"],
  more: ["*M3.5 8h.01M8 8h.01M12.5 8h.01"],
  stop: [
    "!M5.2 4h5.6a1.2 1.2 0 0 1 1.2 1.2v5.6a1.2 1.2 0 0 1-1.2 1.2H5.2A1.2 1.2 0 0 1 4 10.8V5.2A1.2 1.2 0 0 1 5.2 4z",
  ],
  down: ["M8 3v9.5M4 8.8l4 4 4-4"],
  copy: [
    "M6.9 5.5h5.2a1.4 1.4 0 0 1 1.4 1.4v5.2a1.4 1.4 0 0 1-1.4 1.4H6.9a1.4 1.4 0 0 1-1.4-1.4V6.9a1.4 1.4 0 0 1 1.4-1.4z",
    "M10.5 3.2V3a.8.8 0 0 0-.8-.8H3A.8.8 0 0 0 2.2 3v6.7c0 .4.4.8.8.8h.2",
  ],
  out: ["M9.2 2.8h4v4M13 3L8 8M11.5 9.5v3.7H2.8V4.5h3.7"],
  save: ["M8 2.5v7.5M4.8 7l3.2 3.2L11.2 7M3 13.2h10"],
  bulb: ["M6.2 13.4h3.6M5.9 11.2C4.6 10.2 4 9.1 4 7.5a4 4 0 0 1 8 0c0 1.6-.6 2.7-1.9 3.7z"],
  warning: ["M8 2.6l6 10.6H2z", "M8 6.6v3M8 11.4h.01"],
  call: [
    "M6 3.5C4.6 3.5 5 5 5 6.2S4.6 8 3.4 8C4.6 8 5 8.6 5 9.8s-.4 2.7 1 2.7",
    "M10 3.5c1.4 0 1 1.5 1 2.7S11.4 8 12.6 8c-1.2 0-1.6.6-1.6 1.8s.4 2.7-1 2.7",
  ],
  search: ["M7 2.8a4.2 4.2 0 1 1 0 8.4a4.2 4.2 0 1 1 0-8.4", "M10.2 10.2l3.3 3.3"],
  figure: ["M2.5 2.5v11h11", "M5 10l2.6-3 2.2 1.8 3.2-4.4"],
  table: [
    "M3.4 3h9.2a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H3.4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z",
    "M2.4 6.4h11.2M2.4 9.7h11.2M6.4 3v10",
  ],
  panel: ["M3.4 3h9.2a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H3.4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z", "M9.6 3v10"],
  page: ["M4 2.2h5.2L12.5 5.5v8.3H4z", "M6.2 8h4M6.2 10.6h4"],
} as const;

export type Icon = keyof typeof PATHS;

/** An icon that says nothing to a screen reader: a word always stands beside it. */
export function icon(name: Icon, tone = ""): SVGSVGElement {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `nst-i ${tone}`.trim());
  svg.dataset.icon = name;
  if (name === "running") svg.append(path(PATHS.ring[0], "0.22"));
  for (const d of PATHS[name]) svg.append(path(d));
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
