import { isDrawn } from "../arrange.ts";
import type { Comm, Model } from "../comm.ts";
import { attribute, ended, h, listen, on, rect, setText, show } from "../dom.ts";
import type * as Explore from "../explore.ts";
import { drawIcons, type Paths } from "../icons.ts";
import { markdown } from "../markdown.ts";
import { PATHS } from "../paths.ts";
import type { Record } from "../protocol.ts";
import type { Changes, Store } from "../store.ts";
import { followTheme } from "../theme.ts";
import { label, number } from "../wording.ts";
import { Announcer } from "./announce.ts";
import { Body } from "./body.ts";
import { Crumb } from "./crumb.ts";
import { WINDOW } from "./earlier.ts";
import { Follow } from "./follow.ts";
import { Header, statusWord } from "./header.ts";
import { LogBody } from "./log.ts";
import { type Reader, Stage } from "./stage.ts";

drawIcons(PATHS);

/** The rows and boxes of one stage, in either mode. */
interface Drawing {
  draw(changes: Changes): void;
  /** Says how much is not drawn. */
  update(): void;
  /** Gives up what is older than `seq`. */
  trim(seq: number): void;
}

/** One display of a run, as the part that explores it needs it. */
export interface Display {
  readonly model: Model;
  readonly store: Store;
  readonly comm: Comm;
  readonly root: HTMLElement;
  readonly header: Header;
  /** Header above, log and what stands beside it. */
  readonly main: HTMLElement;
  /** What scrolls, and the rows in it. */
  readonly area: HTMLElement;
  readonly log: HTMLElement;
  readonly follow: Follow;
  readonly reader: Reader;
  /** The present one: it is replaced when everything is drawn anew. */
  readonly stage: Stage;
  readonly signal: AbortSignal;
  readonly markdown: typeof markdown;
  readonly icons: Paths;
  /** Sets a trait, for all displays of the view and for Python. */
  choose(trait: string, value: unknown): void;
  /** Tells a screen reader, politely. */
  announce(text: string): void;
}

/** One display of a run: draws the store into `el` until the signal ends. */
export function runView(
  model: Model,
  store: Store,
  comm: Comm,
  el: HTMLElement,
  signal: AbortSignal,
  part: Promise<typeof Explore>,
) {
  const header = new Header(store, () => comm.stop(), signal);
  const announcer = new Announcer(store, () => model.get("announce") === "all", signal);
  const log = h("div", "nst-log");
  const area = h(
    "div",
    { class: "nst-area", role: "log", "aria-live": "off", "aria-label": "Run log", tabindex: 0 },
    log,
  );
  const body = h("div", "nst-rootbody");
  const leftOut = h("div", "nst-leftout");
  const empty = h("div", "nst-empty", "Ready. Run it with ", h("code", null, "view.invoke(…)"));
  const foot = h("div", "nst-foot", "In Python: ", h("code", null, "view.error"), " is the exception.");

  let stage: Stage | null = null;
  let ending: AbortController | null = null;
  let wasLost = false;
  let drawing: Drawing | null = null;
  let explorer: Explore.Explorer | null = null;
  let trimAt = 2 * WINDOW;
  let evictAt = trimAt;
  const crumb = new Crumb(area, () => stage, signal);
  const follow = new Follow(area, signal, {
    live: () => store.run.status === "running" && store.connection === "live",
    scrolled: () => crumb.update(),
    resumed: () => stage?.settle(),
  });
  const main = h("div", "nst-main", crumb.el, area, follow.pill);
  const root = h(
    "section",
    { class: "nestling", role: "region", "data-namespace": "" },
    header.el,
    main,
    announcer.polite,
    announcer.alert,
  );
  const reader: Reader = {
    boxes: new Map(),
    rows: new Set(),
    pin: (element) => follow.pin(element),
    following: () => follow.on,
    isAbove: (element) => rect(element).top < rect(area).bottom,
  };
  const hues = new Map<string, number>();
  function mode() {
    return model.get("mode") === "log" ? "log" : "nested";
  }

  /** Draws everything anew: at first, after a snapshot, in another mode. */
  function build() {
    ending?.abort();
    ending = new AbortController();
    const collapse = model.get("collapse") ?? "auto";
    const made = new Stage(store, comm, mode(), collapse, reader, hues, ending.signal);
    stage = made;
    for (const namespace of [...store.namespaces.values()].sort((a, b) => a.seq - b.seq))
      if (namespace.parent !== null) made.hue(namespace.label);
    follow.hold();
    const top = area.scrollTop;
    body.replaceChildren();
    log.replaceChildren(leftOut, empty, body, foot);
    root.dataset.mode = made.mode;
    drawing = made.mode === "nested" ? nested(made) : flat(made);
    trimAt = 2 * WINDOW;
    made.ticking(header, () => {
      header.tick();
      crumb.update();
    });
    explorer?.built();
    if (!follow.on) area.scrollTop = top;
    frame([], 0);
  }

  function nested(made: Stage): Drawing {
    const top = new Body(body, "", made);
    top.show(true);
    const bodies = () => [top, ...[...made.boxes.values()].map((box) => box.body)];
    made.reach = (key, seq) => (key === "" ? top : made.boxes.get(key)?.body)?.reach(seq);
    let short = made.isShort;
    const draw = (changes: Changes) => {
      if (short && !made.isShort) {
        short = false;
        for (const box of made.boxes.values()) box.body.show(box.open);
      }
      for (const seq of changes.records) updateRow(made, seq);
      // Before they are arranged: a group asks its boxes how they are.
      for (const key of changes.namespaces) made.boxes.get(key)?.update();
      for (const [key, from] of changes.children) (key === "" ? top : made.boxes.get(key)?.body)?.sync(from);
    };
    return {
      draw,
      update() {
        for (const each of bodies()) each.update();
      },
      trim(seq) {
        for (const each of bodies()) each.trim(seq);
      },
    };
  }

  function flat(made: Stage): Drawing {
    const all = new LogBody(body, made);
    made.reach = (_, seq) => all.reach(seq as number);
    const draw = (changes: Changes) => {
      if (changes.dropped.length) all.remove(new Set(changes.dropped));
      let from = Number.POSITIVE_INFINITY;
      for (const seq of changes.records) {
        const record = store.records.get(seq);
        if (record && isDrawn(record) && !made.rows.has(seq) && seq >= all.first) from = Math.min(from, seq);
        else updateRow(made, seq);
      }
      if (from < Number.POSITIVE_INFINITY) all.sync(from);
    };
    return { draw, update: () => all.update(), trim: (seq) => all.trim(seq) };
  }

  /** Gives up what is far above the end that the reader follows. */
  function trim(made: Stage) {
    if (!follow.on) return;
    const size = () => made.rows.size + made.boxes.size;
    if (size() >= trimAt) {
      const seqs = [...made.rows.keys(), ...[...made.boxes.keys()].map((key) => store.newest(key))];
      drawing?.trim(seqs.sort((a, b) => b - a)[WINDOW] as number);
      trimAt = Math.max(2 * WINDOW, size() + WINDOW / 4);
    }
    // Another display may have older ones in sight.
    if (store.records.size < evictAt || store.listening > 1) return;
    store.evict(WINDOW, made.rows, made.mode === "log");
    drawing?.update();
    evictAt = Math.max(2 * WINDOW, store.records.size + WINDOW / 4);
  }

  function updateRow(made: Stage, seq: number) {
    const record = store.records.get(seq);
    if (!record) return;
    made.rows.get(seq)?.update(record);
    if (record.type !== "tool_call") return;
    for (const key of store.tree.boxesOf(record.id) ?? []) made.boxes.get(key)?.updateCall();
  }

  /** What is not over looks different without a kernel: nobody knows how it goes on. */
  function redrawOpen(made: Stage) {
    for (const record of store.records.values()) if (isOpen(record)) updateRow(made, record.seq);
    for (const box of made.boxes.values()) box.update();
    drawing?.update();
  }

  /** What belongs to the run as a whole. */
  function frame(changed: Record[], rows: number) {
    const name = store.namespaces.get("")?.label ?? "";
    attribute(root, "data-label", name);
    attribute(root, "data-status", store.run.status);
    const lost = store.connection === "lost";
    attribute(root, "data-connection", lost ? "lost" : null);
    attribute(root, "aria-label", `Agent run ${label(name)}, ${statusWord(store).toLowerCase()}`);
    attribute(area, "aria-busy", String(store.run.status === "running" && !lost));
    header.update();
    if (lost !== wasLost && stage) redrawOpen(stage);
    wasLost = lost;
    announcer.update(changed);
    show(empty, store.records.size === 0 && store.namespaces.size <= 1 && store.run.status === "idle");
    show(foot, store.run.status === "failed");
    const { left_out = 0 } = store.run;
    show(leftOut, left_out > 0);
    setText(leftOut, `${number(left_out)} older ${left_out === 1 ? "entry is" : "entries are"} left out`);
    follow.drawn(rows);
    crumb.update();
  }

  store.subscribe((changes) => {
    if (changes.all || !drawing || !stage) build();
    else {
      follow.hold();
      for (const gone of changes.dropped)
        if (typeof gone === "number") stage.removeRow(gone);
        else stage.removeBox(gone);
      // Before rows are given up: those that came with this frame may be among them.
      const { added } = changes;
      const news = [...changes.records].flatMap((seq) =>
        added.get(seq) === false ? [] : (store.records.get(seq) ?? []),
      );
      drawing.draw(changes);
      if (changes.dropped.length) drawing.update();
      explorer?.drawn(changes);
      trim(stage);
      frame(news, news.filter((record) => added.has(record.seq) && isDrawn(record)).length);
    }
  }, signal);

  // Who sets the trait means every box, also those that the reader opened or closed.
  const recollapse = () => {
    reader.boxes.clear();
    build();
  };
  const size = () => {
    const height = model.get("max_height");
    root.style.maxBlockSize = height ?? "";
    root.classList.toggle("nst-grows", !height);
  };
  const wish = () => model.get("theme") ?? "auto";
  el.append(root);
  const retheme = followTheme(root, wish, signal);
  if (model.get("follow") === false) follow.stop();
  size();
  build();
  listen(model, signal, [
    ["change:mode", build],
    ["change:collapse", recollapse],
    ["change:theme", retheme],
    ["change:max_height", size],
    ["change:follow", () => (model.get("follow") === false ? follow.stop() : follow.start())],
  ]);
  on(root, "keydown", signal, keepKeys);
  const display: Display = {
    ...{ model, store, comm, root, header, main, area, log, follow, reader, signal, markdown },
    icons: PATHS,
    get stage() {
      return stage as Stage;
    },
    announce: (text) => announcer.say(text),
    choose(trait, value) {
      model.set(trait, value as never);
      if (store.connection === "live") model.save_changes();
    },
  };
  part
    .then((explore) => {
      if (signal.aborted) return;
      follow.hold();
      explorer = new explore.Explorer(display);
      explorer.built();
      follow.stay();
    })
    .catch((error) => console.error("nestling: exploring is not there.", error));
  ended(signal, () => {
    ending?.abort();
    root.remove();
  });
}

function isOpen({ status }: Record): boolean {
  return status === "streaming" || status === "calling" || status === "executing";
}

/** A notebook in command mode would take `b` or `d d` for its own; Ctrl+S may pass. */
export function keepKeys(event: KeyboardEvent) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  event.stopPropagation();
}
