// What `POST /annotations` would refuse, as far as the page can bring it about: so that it can be seen and mended here.

import { isAction, linksOf, mayFill, spanOf } from "./annotated.js";

/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {{span: number, key: "fault.idle-action" | "fault.idle-nom" | "fault.role"}} Fault */

/**
 * Actions without actor or target, NOMs without a role, and roles that an entity's label cannot fill, in the order of
 * the text.
 *
 * @param {Annotated} annotated
 * @returns {Fault[]}
 */
export function faultsOf(annotated) {
  /** @type {Fault[]} */
  const faults = [];
  for (const span of annotated.spans) {
    const links = linksOf(annotated, span.id);
    if (isAction(span) && !links.some((link) => link.role === "actor" || link.role === "target")) {
      faults.push({ span: span.id, key: "fault.idle-action" });
    } else if (span.label === "NOM" && links.length === 0) {
      faults.push({ span: span.id, key: "fault.idle-nom" });
    }
    if (isAction(span) && links.some((link) => !mayFill(spanOf(annotated, link.entity)?.label ?? "", link.role))) {
      faults.push({ span: span.id, key: "fault.role" });
    }
  }
  return faults;
}

/**
 * Return the spans to leave out so that no idle one remains: leaving out an action may leave its place, a NOM, idle.
 *
 * @param {Annotated} annotated
 * @returns {Set<number>}
 */
export function idleSpans(annotated) {
  /** @type {Set<number>} */
  const idle = new Set();
  for (let before = -1; idle.size > before;) {
    before = idle.size;
    for (const span of annotated.spans) {
      const links = linksOf(annotated, span.id).filter((link) => !idle.has(link.action) && !idle.has(link.entity));
      const takesPart = links.some((link) => !isAction(span) || link.role === "actor" || link.role === "target");
      if ((isAction(span) || span.label === "NOM") && !takesPart) idle.add(span.id);
    }
  }
  return idle;
}
