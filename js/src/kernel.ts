import type { Model } from "./comm.ts";
import { ended, listen } from "./dom.ts";

/** So long may a connection be away before the page says so. */
const PATIENCE = 1500;
const ENDS = new Set(["restarting", "autorestarting", "terminating", "dead"]);

type Slot = (sender: unknown, value: string) => void;
type Signal = { connect?(slot: Slot): unknown; disconnect?(slot: Slot): unknown };
type Watched = {
  comm_live?: boolean;
  widget_manager?: {
    kernel?: { statusChanged?: Signal; connectionStatusChanged?: Signal; disposed?: Signal } | null;
  };
};

/**
 * Tells of what happens to the kernel behind a model, as far as the notebook lets one see it:
 * `gone` when it has ended or cannot be reached, `back` when it may be there again.
 */
export function watchKernel(model: Model, gone: () => void, back: () => void, signal: AbortSignal) {
  const watched = model as Watched;
  const kernel = watched.widget_manager?.kernel;
  let away: ReturnType<typeof setTimeout> | undefined;
  const status: Slot = (_, value) => {
    if (ENDS.has(value)) gone();
  };
  const connection: Slot = (_, value) => {
    if (value === "connecting") away ??= setTimeout(gone, PATIENCE);
    else {
      clearTimeout(away);
      away = undefined;
      if (value === "connected") back();
      else gone();
    }
  };
  const slots: [Signal | undefined, Slot][] = [
    [kernel?.statusChanged, status],
    [kernel?.connectionStatusChanged, connection],
    [kernel?.disposed, gone],
  ];
  for (const [changed, slot] of slots) changed?.connect?.(slot);
  listen(model, signal, [
    // anywidget hides whether it is; then the answer, or a send that throws, will tell.
    ["comm_live_update", () => (watched.comm_live === false ? gone() : back())],
    ["comm:close", gone],
  ]);
  ended(signal, () => {
    clearTimeout(away);
    for (const [changed, slot] of slots) changed?.disconnect?.(slot);
  });
}
