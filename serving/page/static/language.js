// The language of the page: Arabic, or English by a switch that is remembered.

import { keep } from "./storage.js";
import { ARABIC } from "./strings_ar.js";
import { ENGLISH } from "./strings_en.js";

/** @typedef {"ar" | "en"} Language */

const TABLES = { ar: ARABIC, en: ENGLISH };
const changes = new EventTarget();

/** @returns {Language} */
export function language() {
  return document.documentElement.lang === "en" ? "en" : "ar";
}

/** @param {Language} chosen */
export function setLanguage(chosen) {
  document.documentElement.lang = chosen;
  document.documentElement.dir = chosen === "ar" ? "rtl" : "ltr";
  keep("local", "language", chosen);
  applyStrings();
  changes.dispatchEvent(new Event("change"));
}

/** @param {() => void} listener called after each change of language */
export function onLanguageChange(listener) {
  changes.addEventListener("change", listener);
}

/**
 * Return a string of the current language. `{name}` in it stands for a parameter: numbers are written in the language's
 * digits, texts are isolated so that their direction does not disturb the sentence.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [parameters]
 */
export function t(key, parameters = {}) {
  const table = /** @type {Record<string, string>} */ (TABLES[language()]);
  const template = table[key];
  if (template === undefined) throw new Error(`no string ${key} in ${language()}`);
  return template.replace(/\{(\w+)\}/g, (_, name) => {
    const value = parameters[name];
    return typeof value === "number" ? formatNumber(value) : `\u2068${value}\u2069`;
  });
}

/** @param {string} key */
export function hasString(key) {
  return Object.hasOwn(TABLES[language()], key);
}

/** @param {Intl.NumberFormatOptions} options */
const formats = (options) => ({
  ar: new Intl.NumberFormat("ar-u-nu-arab", options),
  en: new Intl.NumberFormat("en", options),
});
const NUMBERS = formats({});
const PERCENTAGES = formats({ style: "percent" });

/** @param {number} value */
export function formatNumber(value) {
  return NUMBERS[language()].format(value);
}

/** @param {number} score a probability */
export function formatScore(score) {
  return PERCENTAGES[language()].format(score);
}

/** Write the strings of `index.html`: `data-string` is an element's text, `data-string-NAME` its attribute NAME. */
export function applyStrings() {
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-string]")) {
    element.textContent = t(/** @type {HTMLElement} */ (element).dataset.string ?? "");
  }
  for (const name of ["aria-label", "placeholder", "title"]) {
    for (const element of document.querySelectorAll(`[data-string-${name}]`)) {
      element.setAttribute(name, t(element.getAttribute(`data-string-${name}`) ?? ""));
    }
  }
}
