import { attribute, ended } from "../dom.ts";

/** What scrolls can be reached by the keyboard, and what does not is no stop on the way. */
export function scrolls(el: HTMLElement, name: string, signal: AbortSignal) {
  const look = () => {
    const more = el.scrollHeight > el.clientHeight + 1 || el.scrollWidth > el.clientWidth + 1;
    attribute(el, "tabindex", more ? 0 : null);
    attribute(el, "role", more ? "group" : null);
    attribute(el, "aria-label", more ? name : null);
  };
  const observer = new ResizeObserver(look);
  observer.observe(el);
  for (const child of el.children) observer.observe(child);
  ended(signal, () => observer.disconnect());
}
