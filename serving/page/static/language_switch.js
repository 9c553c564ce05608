// The button that switches between Arabic and English.

import { byId } from "./dom.js";
import { language, setLanguage } from "./language.js";

/** Let the button, which bears the other language's name, switch to it. */
export function installLanguageSwitch() {
  const button = byId("language");
  const name = () => {
    const isArabic = language() === "ar";
    button.textContent = isArabic ? "English" : "العربية";
    button.lang = isArabic ? "en" : "ar";
  };
  button.addEventListener("click", () => {
    setLanguage(language() === "ar" ? "en" : "ar");
    name();
  });
  name();
}
