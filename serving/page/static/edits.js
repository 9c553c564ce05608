// Corrections of an annotated text. Each returns a new one, or what keeps it from being made.

import { ACTION_LABEL, isAction, linksOf, mayFill, overlapping, spanOf, textOf } from "./annotated.js";
import { letterAfter, letterBefore, nextWord, previousWord, trimmed } from "./text_units.js";

/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./annotated.js").Span} Span */
/** @typedef {import("./annotated.js").Role} Role */
/** @typedef {{key: string, parameters?: Record<string, string | number>}} Message a string of the page */
/** @typedef {{annotated: Annotated, message: Message, selected: number | null}} Done what was done, in words */
/** @typedef {{refused: Message}} Refused */

/**
 * @param {Annotated} annotated
 * @param {number} id
 * @returns {Span}
 */
function known(annotated, id) {
  const span = spanOf(annotated, id);
  if (span === null) throw new Error(`there is no span ${id}`);
  return span;
}

/**
 * @param {Annotated} annotated
 * @param {Span} changed
 * @returns {Annotated}
 */
function replaced(annotated, changed) {
  const spans = annotated.spans.map((span) => (span.id === changed.id ? changed : span));
  return { ...annotated, spans };
}

/** @param {{id: number}[]} records */
function freeId(records) {
  return records.reduce((highest, record) => Math.max(highest, record.id), -1) + 1;
}

/**
 * Move a border of a span by one letter (with its marks) or one word. White space is never left at the edge.
 *
 * @param {Annotated} annotated
 * @param {number} id
 * @param {"start" | "end"} edge
 * @param {"letter" | "word"} unit
 * @param {"earlier" | "later"} direction
 * @returns {Done | Refused}
 */
export function moveBorder(annotated, id, edge, unit, direction) {
  const span = known(annotated, id);
  const offset = newBorder(annotated.text, span, edge, unit, direction);
  if (offset === null) return { refused: { key: "refused.text-ends" } };
  const range =
    edge === "start" ? trimmed(annotated.text, offset, span.end) : trimmed(annotated.text, span.start, offset);
  if (range === null) return { refused: { key: "refused.would-be-empty" } };
  const neighbour = overlapping(annotated, range.start, range.end).find((other) => other.id !== id);
  if (neighbour) return { refused: { key: "refused.overlaps", parameters: { text: textOf(annotated, neighbour) } } };
  const changed = { ...span, ...range, name: null, value: null, score: null };
  const text = annotated.text.slice(range.start, range.end);
  return {
    annotated: replaced(annotated, changed),
    message: { key: "done.border", parameters: { text } },
    selected: id,
  };
}

/**
 * @param {string} text
 * @param {Span} span
 * @param {"start" | "end"} edge
 * @param {"letter" | "word"} unit
 * @param {"earlier" | "later"} direction
 * @returns {number | null} null at the end of the text
 */
function newBorder(text, span, edge, unit, direction) {
  if (unit === "letter" && edge === "start") {
    if (direction === "earlier") return letterBefore(text, span.start);
    const after = letterAfter(text, span.start); // and past the white space that follows
    const next = after === null ? null : letterAfter(text, after);
    return next === null ? after : letterBefore(text, next);
  }
  if (unit === "letter") return direction === "later" ? letterAfter(text, span.end) : letterBefore(text, span.end);
  if (edge === "start") {
    return (direction === "earlier" ? previousWord(text, span.start) : nextWord(text, span.start))?.start ?? null;
  }
  if (direction === "later") return wordEndAfter(text, span.end);
  return wordEndBefore(text, span);
}

/**
 * @param {string} text
 * @param {number} offset
 */
function wordEndAfter(text, offset) {
  const current = previousWord(text, offset);
  if (current && current.end > offset) return current.end; // the border is inside a word
  return nextWord(text, offset, true)?.end ?? null;
}

/**
 * @param {string} text
 * @param {Span} span
 */
function wordEndBefore(text, span) {
  let word = previousWord(text, span.end);
  while (word && word.end >= span.end) word = previousWord(text, word.start);
  return word && word.end > span.start ? word.end : span.start;
}

/**
 * Give a span another label. ACT makes it an action, of class OTHER until it is given another. Roles that the label
 * cannot have are removed.
 *
 * @param {Annotated} annotated
 * @param {number} id
 * @param {string} label
 * @returns {Done | Refused}
 */
export function relabel(annotated, id, label) {
  const span = known(annotated, id);
  if (span.label === label) return { refused: { key: "refused.nothing-changes" } };
  const changesKind = isAction(span) || label === ACTION_LABEL;
  const lost = linksOf(annotated, id).filter((link) => changesKind || !mayFill(label, link.role));
  const links = annotated.links.filter((link) => !lost.includes(link));
  const changed = { ...span, label, ...actionFields(label), value: null, score: null };
  const message = {
    key: lost.length ? "done.relabelled-roles" : "done.relabelled",
    parameters: { count: lost.length },
  };
  return { annotated: { ...replaced(annotated, changed), links }, message, selected: id };
}

/** @param {string} label */
function actionFields(label) {
  const action = label === ACTION_LABEL;
  return { eventClass: action ? "OTHER" : null, factuality: action ? "asserted" : null };
}

/**
 * @param {Annotated} annotated
 * @param {number} id an action's
 * @param {{eventClass?: string, factuality?: string}} fields
 * @returns {Done | Refused}
 */
export function setAction(annotated, id, fields) {
  const changed = { ...known(annotated, id), ...fields, score: null };
  return { annotated: replaced(annotated, changed), message: { key: "done.action" }, selected: id };
}

/**
 * Delete a span with its roles.
 *
 * @param {Annotated} annotated
 * @param {number} id
 * @returns {Done | Refused}
 */
export function remove(annotated, id) {
  const text = textOf(annotated, known(annotated, id));
  return {
    annotated: without(annotated, new Set([id])),
    message: { key: "done.deleted", parameters: { text } },
    selected: null,
  };
}

/**
 * @param {Annotated} annotated
 * @param {Set<number>} ids of spans
 * @returns {Annotated} without these spans and their roles
 */
export function without(annotated, ids) {
  return {
    ...annotated,
    spans: annotated.spans.filter((span) => !ids.has(span.id)),
    links: annotated.links.filter((link) => !ids.has(link.action) && !ids.has(link.entity)),
  };
}

/**
 * Add a span, in place of those that it overlaps.
 *
 * @param {Annotated} annotated
 * @param {number} start
 * @param {number} end
 * @param {string} label
 * @returns {Done | Refused}
 */
export function addSpan(annotated, start, end, label) {
  const range = trimmed(annotated.text, start, end);
  if (range === null) return { refused: { key: "refused.would-be-empty" } };
  const id = freeId(annotated.spans); // before any is removed, so that no id comes back as another span's
  const kept = without(annotated, new Set(overlapping(annotated, range.start, range.end).map((span) => span.id)));
  const span = { id, label, ...range, ...actionFields(label), name: null, value: null, score: null };
  const spans = [...kept.spans, span].sort((one, other) => one.start - other.start);
  const text = annotated.text.slice(range.start, range.end);
  return { annotated: { ...kept, spans }, message: { key: "done.added", parameters: { text } }, selected: id };
}

/**
 * Put an entity into a role of an action.
 *
 * @param {Annotated} annotated
 * @param {number} action
 * @param {number} entity
 * @param {Role} role
 * @returns {Done | Refused}
 */
export function addRole(annotated, action, entity, role) {
  const filler = known(annotated, entity);
  if (isAction(filler) || !mayFill(filler.label, role)) return { refused: { key: `refused.${role}` } };
  if (linksOf(annotated, action).some((link) => link.entity === entity && link.role === role)) {
    return { refused: { key: "refused.has-role" } };
  }
  const link = { id: freeId(annotated.links), action, entity, role, score: null };
  const message = { key: "done.role-added", parameters: { text: textOf(annotated, filler) } };
  return { annotated: { ...annotated, links: [...annotated.links, link] }, message, selected: action };
}

/**
 * @param {Annotated} annotated
 * @param {number} id of a link
 * @param {number} selected the span that stays selected
 * @returns {Done | Refused}
 */
export function removeRole(annotated, id, selected) {
  const links = annotated.links.filter((link) => link.id !== id);
  return { annotated: { ...annotated, links }, message: { key: "done.role-removed" }, selected };
}
