// Light and dark: as the system has it, or as the switch says, which is remembered.

import { byId } from "./dom.js";
import { onLanguageChange, t } from "./language.js";
import { keep } from "./storage.js";

const root = document.documentElement;
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark.matches;
}

/** Let the button switch to the theme that is not shown. */
export function installThemeSwitch() {
  const button = byId("theme");
  const name = () => {
    const said = t(isDark() ? "theme.to-light" : "theme.to-dark");
    button.setAttribute("aria-label", said);
    button.title = said;
    button.classList.toggle("is-dark", isDark());
  };
  button.addEventListener("click", () => {
    const chosen = isDark() ? "light" : "dark";
    const isSystems = (chosen === "dark") === systemIsDark.matches;
    if (isSystems) delete root.dataset.theme;
    else root.dataset.theme = chosen;
    keep("local", "theme", isSystems ? null : chosen);
    name();
  });
  systemIsDark.addEventListener("change", name);
  onLanguageChange(name);
  name();
}
