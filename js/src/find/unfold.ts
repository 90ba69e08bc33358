/** Opens what hides the text inside a row, if that brings it into sight. */
export function unfold(el: HTMLElement, seen: () => boolean) {
  if (seen()) return;
  for (const button of el.querySelectorAll<HTMLElement>('[aria-expanded="false"], .nst-more')) {
    if (button.classList.contains("nst-boxline") || button.closest("[hidden]")) continue;
    button.click();
    if (seen()) return;
    if (button.getAttribute("aria-expanded") === "true") button.click();
  }
}
