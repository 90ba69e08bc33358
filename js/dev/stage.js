// Shows one scene; `send(message)` in the console plays the kernel.
import widget from "../../src/nestling/static/widget.js";
import { SCENES } from "./scenes.js";

const wish = new URLSearchParams(location.search);
document.body.dataset.jpThemeLight = String(wish.get("theme") !== "dark");
const here = document.getElementById("here");
here.style.inlineSize = `${wish.get("width") ?? 868}px`;

export class FakeModel {
  traits = {
    mode: "nested",
    collapse: "auto",
    theme: "auto",
    max_height: null,
    follow: true,
    static_key: "",
  };
  listeners = [];
  sent = [];
  get(name) {
    return this.traits[name];
  }
  set(name, value) {
    this.traits[name] = value;
    this.emit(`change:${name}`);
  }
  save_changes() {}
  send(message) {
    this.sent.push(message);
  }
  on(event, listener) {
    this.listeners.push([event, listener]);
  }
  off(event, listener) {
    this.listeners = this.listeners.filter(([e, l]) => e !== event || l !== listener);
  }
  emit(event, ...args) {
    for (const [e, listener] of [...this.listeners]) if (e === event) listener(...args);
  }
}

const model = new FakeModel();
for (const trait of ["mode", "collapse", "max_height"])
  if (wish.has(trait)) model.traits[trait] = wish.get(trait);
const scene = SCENES[wish.get("scene") ?? "live"]();
model.traits.snapshot = scene.snapshot;
const { signal } = new AbortController();
const made = widget(() => import("../../src/nestling/static/explore.js"));
made.initialize({ model, signal });
made.render({ model, el: here, signal });
Object.assign(window, { model, scene, send: (message) => model.emit("msg:custom", message, []) });
for (const patch of scene.patches ?? []) window.send(patch);
