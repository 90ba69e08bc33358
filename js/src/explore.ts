import { Rendered } from "./artifacts/rendered.ts";
import { copyText } from "./copy.ts";
import { listen } from "./dom.ts";
import { Search } from "./find/search.ts";
import { drawIcons } from "./icons.ts";
import { Inspector } from "./inspect/inspector.ts";
import { Metrics } from "./inspect/metrics.ts";
import { Keys } from "./keys/keys.ts";
import type { Show } from "./protocol.ts";
import { bring, reveal } from "./reveal.ts";
import type { Changes } from "./store.ts";
import { Structure } from "./structure/strip.ts";
import { Timeline } from "./timeline/timeline.ts";
import { asMarkdown } from "./transcript.ts";
import { menu } from "./views/menu.ts";
import type { Display } from "./views/run.ts";
import { Shelf } from "./views/shelf.ts";

/** One way to explore a display. */
export interface Feature {
  /** Everything was drawn anew, on another `display.stage`. */
  built(): void;
  /** A frame was drawn. */
  drawn(changes: Changes): void;
}

/** What is not needed to watch a run: it comes when the run is drawn already. */
export class Explorer implements Feature {
  readonly search: Search;
  readonly metrics: Metrics;
  readonly inspector: Inspector;
  #features: Feature[];
  readonly timeline: Timeline;
  readonly keys: Keys;
  #structure: Structure;

  constructor(readonly display: Display) {
    drawIcons(display.icons);
    this.#structure = new Structure(display);
    display.header.tools.prepend(this.#menu());
    this.timeline = new Timeline(display);
    this.search = new Search(display);
    this.metrics = new Metrics(display);
    this.inspector = new Inspector(display, this.metrics);
    this.keys = new Keys(display, this);
    const { model, signal } = display;
    listen(model, signal, [["msg:custom", (message) => void this.#show(message as Show)]]);
    const drawn = [new Shelf(display), new Rendered(display)];
    const panels = [this.#structure, this.timeline, this.search, this.metrics, this.inspector];
    this.#features = [...drawn, ...panels, this.keys];
  }

  built() {
    for (const feature of this.#features) feature.built();
  }

  drawn(changes: Changes) {
    for (const feature of this.#features) feature.drawn(changes);
  }

  /** Opens or closes all boxes; those of one label with what they stand in. */
  #openBoxes(open: boolean, label?: string) {
    const { store, stage, reader } = this.display;
    for (const box of store.namespaces.values())
      if (label === undefined || box.label === label)
        for (const { key } of label === undefined ? [box] : stage.path(box.key))
          if (key) reader.boxes.set(key, open);
    for (const box of stage.boxes.values()) box.update();
  }

  /** What Python wants to be seen. */
  async #show({ type, open, label, key, seq }: Show) {
    if (type !== "show") return;
    if (open !== undefined) return this.#openBoxes(open, label);
    const el = await reveal(this.display, key ?? "", seq ?? null);
    if (el) bring(this.display, el);
  }

  #menu(): HTMLElement {
    const { display } = this;
    const { model, store, signal } = display;
    const mode = () => (model.get("mode") === "log" ? "log" : "nested");
    return menu(
      "More actions",
      [
        {
          choices: [
            { label: "Expand all", act: () => this.#openBoxes(true) },
            { label: "Collapse all", act: () => this.#openBoxes(false) },
            {
              label: () => (mode() === "nested" ? "Log view" : "Nested view"),
              act: () => display.choose("mode", mode() === "nested" ? "log" : "nested"),
            },
            {
              label: () => (this.timeline.tableShown ? "Close timeline table" : "Timeline as table"),
              act: () => this.timeline.showTable(!this.timeline.tableShown),
            },
            {
              label: () => (this.#structure.shown ? "Hide structure" : "Show structure"),
              act: () => this.#structure.toggle(),
            },
            { label: "Usage by agent", act: () => this.metrics.toggle() },
            { label: "Copy as Markdown", act: () => void copyText(asMarkdown(store)) },
            { label: "Keyboard shortcuts", act: () => this.keys.help() },
          ],
        },
        {
          title: "Theme",
          choices: (["auto", "light", "dark"] as const).map((theme) => ({
            label: theme[0]?.toUpperCase() + theme.slice(1),
            checked: () => (model.get("theme") ?? "auto") === theme,
            act: () => display.choose("theme", theme),
          })),
        },
      ],
      signal,
    );
  }
}
