import type { Model } from "../comm.ts";
import { ended, h, on } from "../dom.ts";

export const WIDGET = "application/vnd.jupyter.widget-view+json";

type Message = { type: string; isConflatable: boolean; conflate(): boolean };
type Lumino = { processMessage?(message: Message): void };
type WidgetView = { el: HTMLElement; remove(): void; luminoWidget?: Lumino; pWidget?: Lumino };
type Manager = {
  get_model?(id: string): Promise<unknown>;
  create_view?(model: unknown): Promise<WidgetView>;
};

/** The id of the widget in a mimebundle, where this notebook can draw widgets. */
export function widgetIn(mime: { [type: string]: unknown }, model: Model): string | null {
  const id = Object.hasOwn(mime, WIDGET) ? (mime[WIDGET] as { model_id?: unknown })?.model_id : undefined;
  return typeof id === "string" && managerOf(model)?.create_view ? id : null;
}

function managerOf(model: Model): Manager | undefined {
  return (model as { widget_manager?: Manager }).widget_manager;
}

/** A live widget of the kernel; `otherwise` is drawn when it is gone. */
export function widget(id: string, model: Model, signal: AbortSignal, otherwise: () => Node[]): HTMLElement {
  const host = h("div", "nst-widget");
  // Letters that are typed into it are its own.
  on(host, "keydown", signal, (event) => event.stopPropagation());
  const draw = async () => {
    const manager = managerOf(model) as Required<Manager>;
    const view = await manager.create_view(await manager.get_model(id));
    if (signal.aborted) return view.remove();
    ended(signal, () => view.remove());
    host.append(view.el);
    // What JupyterLab tells the widgets that it attaches itself.
    const lumino = view.luminoWidget ?? view.pWidget;
    for (const type of ["before-attach", "after-attach"])
      lumino?.processMessage?.({ type, isConflatable: false, conflate: () => false });
  };
  draw().catch(() => {
    if (!signal.aborted) host.replaceChildren(...otherwise());
  });
  return host;
}
