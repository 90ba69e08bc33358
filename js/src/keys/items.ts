/** What the arrow keys go through: rows, headers of boxes, and the buttons between them. */
const ITEMS = [".nst-row", ".nst-boxline", ".nst-fold > .nst-line", ".nst-earlier", ".nst-gap"].join();
const CONTROLS = "button, a[href], input, select, textarea, summary, iframe, [tabindex='0']";

/** In the order in which they are seen; what is hidden is left out. */
export function items(log: HTMLElement): HTMLElement[] {
  return [...log.querySelectorAll<HTMLElement>(ITEMS)].filter(isSeen);
}

export function itemAround(el: Element | null): HTMLElement | null {
  return el?.closest<HTMLElement>(`${ITEMS}, .nst-boxhead`) ?? null;
}

/** The next or previous item that is seen, from one on, without looking at all the others. */
export function neighbour(log: HTMLElement, from: HTMLElement, step: 1 | -1): HTMLElement | null {
  const walker = document.createTreeWalker(log, NodeFilter.SHOW_ELEMENT, (node) => {
    const el = node as HTMLElement;
    if (el.hidden) return NodeFilter.FILTER_REJECT;
    return el.matches(ITEMS) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP;
  });
  walker.currentNode = from;
  for (;;) {
    const next = (step > 0 ? walker.nextNode() : walker.previousNode()) as HTMLElement | null;
    if (!next || isSeen(next)) return next;
  }
}

export function controls(item: HTMLElement): HTMLElement[] {
  return [...item.querySelectorAll<HTMLElement>(CONTROLS)].filter(
    (el) => isSeen(el) && !el.matches(":disabled"),
  );
}

/** An item's own button if it has one: Enter then does what it says. */
export function handle(item: HTMLElement): HTMLElement {
  if (item.matches("button")) return item;
  const button = item.querySelector<HTMLElement>(":scope > .nst-line, :scope > h6 > button");
  if (button) return button;
  if (!item.hasAttribute("tabindex")) item.tabIndex = -1;
  return item;
}

export function isSeen(el: HTMLElement): boolean {
  if (el.classList.contains("nst-hid")) return false;
  return el.checkVisibility?.() ?? !el.closest("[hidden]");
}
