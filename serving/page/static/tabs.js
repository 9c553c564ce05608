// Tabs by the ARIA practice: arrow keys move, one panel is shown.

/**
 * @param {HTMLElement} list the element of role `tablist`
 * @param {(panel: string) => void} onShow called with the id of the panel that is shown now
 */
export function installTabs(list, onShow) {
  const tabs = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role="tab"]')]);
  const show = (/** @type {HTMLElement} */ chosen) => {
    for (const tab of tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
      if (panel) panel.hidden = !isChosen;
    }
    onShow(chosen.getAttribute("aria-controls") ?? "");
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const leftward = document.documentElement.dir === "rtl" ? 1 : -1;
      const step = event.key === "ArrowLeft" ? leftward : event.key === "ArrowRight" ? -leftward : 0;
      if (step === 0) return;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      show(next);
      next.focus();
      event.preventDefault();
    });
  });
}
