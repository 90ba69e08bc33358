export type Attributes = { [name: string]: string | number | boolean | null | undefined };
export type Content = Node | string | null | undefined | false;

/** Makes an element; null, undefined and false leave an attribute or a child out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes | string | null = null,
  ...children: Content[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (typeof attributes === "string") element.className = attributes;
  else if (attributes)
    for (const [name, value] of Object.entries(attributes)) attribute(element, name, value);
  if (tag === "button" && !element.hasAttribute("type")) element.setAttribute("type", "button");
  for (const child of children) if (child || child === "") element.append(child);
  return element;
}

/** Sets, or removes for null, undefined and false; does nothing when it is so already. */
export function attribute(element: Element, name: string, value: Attributes[string]) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

export function setText(node: Element | Text, text: string) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(element: HTMLElement, shown: boolean) {
  if (element.hidden === shown) element.hidden = !shown;
}

/** Listens until the signal ends. */
export function on<K extends keyof HTMLElementEventMap>(
  target: HTMLElement,
  type: K,
  signal: AbortSignal,
  listener: (event: HTMLElementEventMap[K]) => void,
  options: AddEventListenerOptions = {},
) {
  target.addEventListener(type, listener, { ...options, signal });
}

/** What is done when a display or a model ends. */
export function ended(signal: AbortSignal, act: () => void) {
  signal.addEventListener("abort", act, { once: true });
}

/** Hears of a model's events until the signal ends. */
export function listen(
  model: { on(event: never, act: never): void; off(event: never, act: never): void },
  signal: AbortSignal,
  events: [string, (value: never) => void][],
) {
  for (const [event, act] of events) model.on(event as never, act as never);
  ended(signal, () => {
    for (const [event, act] of events) model.off(event as never, act as never);
  });
}

/** What has the focus in the document, or the shadow, of an element. */
export function focusedBeside(element: Element): HTMLElement | null {
  return (element.getRootNode() as Document).activeElement as HTMLElement | null;
}

export function rect(element: Element): DOMRect {
  return element.getBoundingClientRect();
}

type Movable = ParentNode & { moveBefore?: (node: Node, before: Node | null) => void };

/** Puts a node in place; one that stands elsewhere keeps its focus, scroll and frames. */
export function place(parent: Element, node: Element, before: Node | null) {
  const { moveBefore } = parent as Movable;
  if (moveBefore && node.isConnected && parent.isConnected) {
    moveBefore.call(parent, node, before);
    return;
  }
  const focused = (node.getRootNode() as Document | ShadowRoot).activeElement;
  parent.insertBefore(node, before);
  if (focused instanceof HTMLElement && node.contains(focused) && focused !== document.activeElement)
    focused.focus({ preventScroll: true });
}
