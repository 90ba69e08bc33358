import { ended, h, on, rect, setText, show } from "../dom.ts";
import { clock, label } from "../wording.ts";
import type { Stage } from "./stage.ts";

const SOON = 100;

/** Says in which box the first visible line stands, once its header has scrolled away. */
export class Crumb {
  readonly el = h("nav", { class: "nst-crumb", "aria-label": "Position" });
  #key = "";
  #end = h("span", "nst-num");

  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly area: HTMLElement,
    readonly stage: () => Stage | null,
    signal: AbortSignal,
  ) {
    show(this.el, false);
    ended(signal, () => clearTimeout(this.#timer));
  }

  /** Looks soon: finding out what stands at the top is too dear for every frame. */
  update() {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, SOON);
  }

  #look() {
    const box = this.#innermost();
    const key = box?.dataset.namespace ?? "";
    const stage = this.stage();
    const namespace = stage?.store.namespaces.get(key);
    show(this.el, key !== "" && namespace !== undefined);
    if (!stage || !key || !namespace) {
      this.#key = "";
      this.el.replaceChildren();
      return;
    }
    if (key !== this.#key) this.#draw(stage, key);
    const running = namespace.status === "running" && stage.live;
    setText(this.#end, running ? `running ${clock(stage.store.now() - namespace.started_at)}` : "");
  }

  #innermost(): HTMLElement | null {
    if (this.area.scrollTop < 8 || !this.stage()?.boxes.size) return null;
    const { left, top, width } = rect(this.area);
    const root = this.area.getRootNode() as Document | ShadowRoot;
    // Right of the rules of the outer boxes, below the breadcrumb itself.
    for (const x of [left + width / 2, left + 40]) {
      const at = root.elementFromPoint?.(x, top + 34);
      let box = at && this.area.contains(at) ? at.closest<HTMLElement>("article[data-namespace]") : null;
      while (box && rect(box.firstElementChild as Element).bottom > top + 8)
        box = box.parentElement?.closest<HTMLElement>("article[data-namespace]") ?? null;
      if (box) return box;
    }
    return null;
  }

  #draw(stage: Stage, key: string) {
    this.#key = key;
    this.el.replaceChildren();
    const root = stage.store.namespaces.get("");
    const path = [...(root ? [root] : []), ...stage.path(key)];
    path.forEach((namespace, i) => {
      if (i) this.el.append(h("span", { "aria-hidden": "true" }, "›"));
      const crumb = h(
        "button",
        i === path.length - 1 ? "nst-here" : null,
        h("bdi", null, label(namespace.label)),
      );
      on(crumb, "click", stage.signal, () => {
        const box = stage.boxes.get(namespace.key)?.el;
        if (!namespace.key) this.area.scrollTop = 0;
        else if (box) this.area.scrollTop += rect(box).top - rect(this.area).top - 8;
      });
      this.el.append(crumb);
    });
    this.el.append(h("span", "nst-sp"), this.#end);
  }
}
