import { h, on } from "./dom.ts";
import { icon } from "./icons.ts";

/** Copies, also where the clipboard API is refused (an http page, a frame). */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { "aria-hidden": "true", style: "position:fixed;inset-block-start:-99px" });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

/** An icon button that copies and says so with a check for a moment. */
export function copyButton(name: string, text: () => string, signal: AbortSignal): HTMLButtonElement {
  const button = h("button", { class: "nst-ib nst-copy", "aria-label": name, title: name }, icon("copy"));
  on(button, "click", signal, async (event) => {
    event.stopPropagation();
    confirm(button, await copyText(text()));
  });
  return button;
}

export function confirm(button: HTMLButtonElement, copied: boolean) {
  button.querySelector("svg")?.replaceWith(icon(copied ? "check" : "cross", copied ? "nst-ok" : "nst-bad"));
  setTimeout(() => button.querySelector("svg")?.replaceWith(icon("copy")), 1500);
}

/** Hands a file to the browser's download. */
export function saveFile(name: string, type: string, data: string, base64: boolean) {
  const bytes = base64 ? Uint8Array.from(atob(data), (c) => c.charCodeAt(0)) : data;
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
