import type { AnyModel } from "@anywidget/types";
import type widget from "./widget.ts";

/**
 * What every view carries as its module. Browsers never let go of a module once it was
 * imported, so the page itself, half a megabyte of a browser's memory, is imported once for
 * all views that bring the same.
 */
type Page = typeof widget;
type Props = { model: AnyModel; signal: AbortSignal };

const shared = globalThis as { [name: symbol]: Map<string, Promise<Page>> | undefined };
const pages = (shared[Symbol.for("nestling")] ??= new Map());

function load(source: string): Promise<Page> {
  let page = pages.get(source);
  if (!page) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    page = (import(url) as Promise<{ default: Page }>).then((module) => module.default);
    page.catch(() => pages.delete(source)).finally(() => URL.revokeObjectURL(url));
    pages.set(source, page);
  }
  return page;
}

export default () => {
  let made: Promise<ReturnType<Page>> | undefined;
  const make = (model: AnyModel) => (made ??= load(model.get("_page")).then((page) => page()));
  return {
    async initialize({ model, signal }: Props) {
      const early: unknown[] = [];
      const hear = (message: unknown) => early.push(message);
      model.on("msg:custom", hear);
      const view = await make(model);
      model.off("msg:custom", hear);
      if (!signal.aborted) view.initialize({ model, signal, early });
    },
    async render(props: Props & { el: HTMLElement }) {
      const view = await make(props.model);
      if (!props.signal.aborted) view.render(props);
    },
  };
};
