import type { AnyModel } from "@anywidget/types";
import { load } from "./parts.ts";
import type widget from "./widget.ts";

type Page = { default: typeof widget };
type Props = { model: AnyModel; signal: AbortSignal };

/** What every view carries as its module; the page itself comes as a trait. */
export default () => {
  let made: Promise<ReturnType<typeof widget>> | undefined;
  const make = (model: AnyModel) => (made ??= load<Page>(model.get("_page")).then((page) => page.default()));
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
