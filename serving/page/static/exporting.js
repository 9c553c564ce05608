// The corrected document as JSON and the triples as CSV, for the clipboard. Offsets are in code points there, as in the
// service's own answers.

import { fillers, isAction, linksOf, nameOf, ROLES, textOf, triplesOf } from "./annotated.js";
import { toCsv } from "./csv.js";
import { codePointCounter } from "./text_units.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./annotated.js").Role} Role */
/** @typedef {import("./annotated.js").Span} Span */

const COLUMNS = [
  "actor",
  "actor_label",
  "action",
  "class",
  "factuality",
  "target",
  "target_label",
  "place",
  "count",
  "action_start",
  "action_end",
  "score",
];

/**
 * Return the answer of `POST /predict` that would have had the corrections; what is corrected has no score.
 *
 * @param {Session} session
 */
export function toJson(session) {
  const { annotated, model, tripleScores } = session;
  const count = codePointCounter(annotated.text);
  const names = new Map();
  for (const action of [false, true]) {
    const own = annotated.spans.filter((span) => isAction(span) === action);
    own.forEach((span, index) => names.set(span.id, `${action ? "a" : "e"}${index}`));
  }
  const common = (/** @type {Span} */ span) => ({
    start: count(span.start),
    end: count(span.end),
    text: textOf(annotated, span),
  });
  const entities = annotated.spans
    .filter((span) => !isAction(span))
    .map((span) => ({
      id: names.get(span.id),
      label: span.label,
      ...common(span),
      name: nameOf(annotated, span),
      value: span.value,
      score: span.score,
    }));
  const roles = (/** @type {Span} */ action) =>
    ROLES.map((role) => [
      role,
      linksOf(annotated, action.id)
        .filter((link) => link.role === role)
        .map((link) => ({ entity: names.get(link.entity), score: link.score })),
    ]);
  const actions = annotated.spans.filter(isAction).map((span) => ({
    id: names.get(span.id),
    ...common(span),
    class: span.eventClass,
    factuality: span.factuality,
    score: span.score,
    roles: Object.fromEntries(roles(span)),
  }));
  const triples = triplesOf(annotated, tripleScores).map(({ actor, action, target, score }) => ({
    actor: actor && names.get(actor.id),
    action: names.get(action.id),
    target: target && names.get(target.id),
    score,
  }));
  const document = { text: annotated.text, entities, actions, triples };
  return JSON.stringify({ model, offsets: "codepoint", documents: [document] }, null, 2);
}

/**
 * Return the triples, one a row, with a first row of column names. Several places or counts of an action share a cell.
 *
 * @param {Session} session
 */
export function triplesToCsv(session) {
  const { annotated, tripleScores } = session;
  const count = codePointCounter(annotated.text);
  const name = (/** @type {Span | null} */ span) => span && nameOf(annotated, span);
  const all = (/** @type {Span} */ action, /** @type {Role} */ role) =>
    fillers(annotated, action.id, role).map(name).join("; ");
  const rows = triplesOf(annotated, tripleScores).map(({ actor, action, target, score }) => [
    name(actor),
    actor && actor.label,
    textOf(annotated, action),
    action.eventClass,
    action.factuality,
    name(target),
    target && target.label,
    all(action, "place"),
    all(action, "count"),
    count(action.start),
    count(action.end),
    score,
  ]);
  return toCsv([COLUMNS, ...rows]);
}

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether it is on the clipboard
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // `navigator.clipboard` is missing where the page comes over plain HTTP
  }
}

/** @param {string} text */
function copyBySelection(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "off-screen";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
