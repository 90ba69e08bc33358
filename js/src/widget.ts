import type { AnyModel } from "@anywidget/types";
import { Comm, type Model } from "./comm.ts";
import { ended, listen } from "./dom.ts";
import type * as Explore from "./explore.ts";
import { hideStatic } from "./fallback.ts";
import { load } from "./parts.ts";
import { Store } from "./store.ts";
import "./styles/index.css";
import { runView } from "./views/run.ts";

/** `early`: messages that came before this module was there. */
type Initialize = { model: AnyModel; signal: AbortSignal; early?: unknown[] };
type Render = Initialize & { el: HTMLElement };

/**
 * A function, so that every model gets its own store: it listens from the start, whether
 * the view is displayed or not, and all displays draw it. `explore`: the part that comes a
 * moment later.
 */
export default function widget(
  explore = (model: Model) => load<typeof Explore>(model.get("_explore") as string),
) {
  let room: { store: Store; comm: Comm; signal: AbortSignal } | null = null;

  function open(model: Model, signal: AbortSignal, early: unknown[] = []) {
    if (!room || room.signal.aborted) {
      const store = new Store();
      room = { store, comm: new Comm(model, store, signal, early), signal };
    }
    return room;
  }

  return {
    initialize({ model, signal, early }: Initialize) {
      open(model as Model, signal, early);
    },

    render({ model, el, signal }: Render) {
      const typed = model as Model;
      const { store, comm } = open(typed, signal);
      const key = () => typed.get("static_key") ?? "";
      let unhide = hideStatic(key());
      const rekey = () => {
        unhide();
        unhide = hideStatic(key());
      };
      listen(typed, signal, [["change:static_key", rekey]]);
      ended(signal, () => unhide());
      runView(typed, store, comm, el, signal, explore(typed));
    },
  };
}
