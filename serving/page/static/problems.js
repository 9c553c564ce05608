// Errors of the service in the words of the page's language.

import { h } from "./dom.js";
import { hasString, t } from "./language.js";
import { ServiceError } from "./service.js";

/**
 * Return what happened, in words; what the service itself said of it, which is in English, stands behind.
 *
 * @param {unknown} error
 * @returns {HTMLElement}
 */
export function inWords(error) {
  const problem = error instanceof ServiceError ? error : new ServiceError(0, "page-failed", String(error));
  const key = `problem.${problem.kind}`;
  const said = hasString(key) ? t(key) : t("problem.other", { status: problem.status });
  const wait = problem.retryAfter === null ? null : t("problem.retry-after", { seconds: problem.retryAfter });
  const detail = problem.detail ? h("p", { class: "detail", lang: "en", dir: "ltr" }, problem.detail) : null;
  return h("div", {}, h("p", {}, said, wait ? ` ${wait}` : ""), detail);
}

/** The service's messages about fields that the page can bring about, and their names among the strings. */
const KNOWN = /** @type {[RegExp, string][]} */ ([
  [/action without actor or target/, "fault.idle-action"],
  [/NOM without a role/, "fault.idle-nom"],
  [/cannot be (actor|target|place|count)/, "fault.role"],
  [/overlaps/, "fault.overlap"],
  [/white space at the edge/, "fault.space"],
  [/cut from its/, "fault.mark"],
]);

/**
 * Return a field's message in words, or as the service wrote it.
 *
 * @param {string} message
 * @returns {HTMLElement}
 */
export function fieldMessage(message) {
  const known = KNOWN.find(([pattern]) => pattern.test(message));
  return known ? h("span", {}, t(known[1])) : h("span", { lang: "en", dir: "ltr" }, message);
}
