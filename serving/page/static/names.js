// What labels, classes, factualities and roles are called.

import { isAction } from "./annotated.js";
import { t } from "./language.js";

/** @typedef {import("./annotated.js").Span} Span */

/** @param {string} label */
export const labelName = (label) => t(`label.${label}`);
/** @param {string} label */
export const labelTag = (label) => t(`tag.${label}`);
/** @param {string | null} eventClass */
export const className = (eventClass) => t(`class.${eventClass}`);
/** @param {string | null} factuality */
export const factualityName = (factuality) => t(`factuality.${factuality}`);
/** @param {string} role */
export const roleName = (role) => t(`role.${role}`);

/**
 * Return the short label that stands under a span: an entity's label, an action's class with a mark
 * for its factuality.
 *
 * @param {Span} span
 */
export function tagOf(span) {
  if (!isAction(span)) return labelTag(span.label);
  return className(span.eventClass) + t(`mark.${span.factuality}`);
}
