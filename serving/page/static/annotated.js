// An annotated text: spans (entities and actions) and the roles between them. All offsets are [start, end) in UTF-16
// code units of `text`. Annotated texts, spans and links are never changed in place.

import { codePointCounter, plain } from "./text_units.js";

export const ENTITY_LABELS = /** @type {const} */ (["PER", "ORG", "LOC", "NUM", "NOM"]);
export const ACTION_LABEL = "ACT";
export const CLASSES = /** @type {const} */ ([
  "AGREE",
  "CONSULT",
  "SUPPORT",
  "CONCEDE",
  "COOPERATE",
  "AID",
  "RETREAT",
  "REQUEST",
  "ACCUSE",
  "REJECT",
  "THREATEN",
  "PROTEST",
  "SANCTION",
  "MOBILIZE",
  "COERCE",
  "ASSAULT",
  "STATE",
  "OTHER",
]);
export const FACTUALITIES = /** @type {const} */ (["asserted", "negated", "potential"]);
export const ROLES = /** @type {const} */ (["actor", "target", "place", "count"]);
/** The labels that may fill each role. */
const ROLE_FILLERS = {
  actor: ["PER", "ORG", "LOC", "NOM"],
  target: ["PER", "ORG", "LOC", "NOM", "NUM"],
  place: ["LOC", "NOM"],
  count: ["NUM"],
};

/** @typedef {"actor" | "target" | "place" | "count"} Role */
/**
 * @typedef {object} Span an entity, or an action, whose label is ACT
 * @property {number} id
 * @property {string} label
 * @property {string | null} eventClass null unless it is an action
 * @property {string | null} factuality null unless it is an action
 * @property {number} start
 * @property {number} end
 * @property {string | null} name the model's name for an entity; null once its borders are corrected
 * @property {number | null} value the number that a NUM says
 * @property {number | null} score calibrated probability; null once it is corrected
 */
/** @typedef {{id: number, action: number, entity: number, role: Role, score: number | null}} Link */
/** @typedef {{text: string, spans: Span[], links: Link[]}} Annotated spans are ordered by start */
/** @typedef {{actor: Span | null, action: Span, target: Span | null, score: number | null}} Triple */
/** @typedef {{byId: Map<number, Span>, ofSpan: Map<number, Link[]>}} Index */

/** @type {WeakMap<Annotated, Index>} */
const indexes = new WeakMap();

/**
 * @param {Annotated} annotated
 * @returns {Index} its spans by id, and the links of each span
 */
function index(annotated) {
  const known = indexes.get(annotated);
  if (known) return known;
  /** @type {Index} */
  const made = { byId: new Map(annotated.spans.map((span) => [span.id, span])), ofSpan: new Map() };
  for (const link of annotated.links) {
    for (const id of [link.action, link.entity]) {
      const links = made.ofSpan.get(id);
      if (links) links.push(link);
      else made.ofSpan.set(id, [link]);
    }
  }
  indexes.set(annotated, made);
  return made;
}

/**
 * @param {Annotated} annotated
 * @param {number} id
 */
export function spanOf(annotated, id) {
  return index(annotated).byId.get(id) ?? null;
}

/**
 * @param {Annotated} annotated
 * @param {number} id
 * @returns {Link[]} the links from or to a span
 */
export function linksOf(annotated, id) {
  return index(annotated).ofSpan.get(id) ?? [];
}

/**
 * @param {Annotated} annotated
 * @param {number} action
 * @param {Role} role
 * @returns {Span[]} the entities in a role of an action
 */
export function fillers(annotated, action, role) {
  const links = linksOf(annotated, action).filter((link) => link.role === role);
  return links.map((link) => spanOf(annotated, link.entity)).filter((span) => span !== null);
}

/** @param {Span} span */
export function isAction(span) {
  return span.label === ACTION_LABEL;
}

/**
 * @param {string} label
 * @param {Role} role
 */
export function mayFill(label, role) {
  return ROLE_FILLERS[role].includes(label);
}

/**
 * @param {Annotated} annotated
 * @param {Span} span
 * @returns {string} exactly what it covers
 */
export function textOf(annotated, span) {
  return annotated.text.slice(span.start, span.end);
}

/**
 * @param {Annotated} annotated
 * @param {Span} span
 * @returns {string} the model's name for an entity, or else its plain letters
 */
export function nameOf(annotated, span) {
  return span.name ?? plain(textOf(annotated, span));
}

/**
 * Return the spans that share text with [start, end), in order.
 *
 * @param {Annotated} annotated
 * @param {number} start
 * @param {number} end
 */
export function overlapping(annotated, start, end) {
  return annotated.spans.filter((span) => span.start < end && start < span.end);
}

/**
 * Return a document of `POST /predict` as an annotated text. Throws Error where the answer is not about `text`, or its
 * offsets are not those of its spans: nothing wrong must be shown as right.
 *
 * @param {string} text what was sent
 * @param {any} document
 * @returns {{annotated: Annotated, tripleScores: Map<string, number>}}
 */
export function readDocument(text, document) {
  if (document.text !== text) throw new Error("the answer is about another text");
  /** @type {Span[]} */
  const spans = [];
  /** @type {Map<string, number>} */
  const ids = new Map();
  /** @param {any} found @param {Partial<Span>} own */
  const add = (found, own) => {
    if (text.slice(found.start, found.end) !== found.text) {
      throw new Error(`the offsets ${found.start}–${found.end} are not those of «${found.text}»`);
    }
    ids.set(found.id, spans.length);
    const blank = { label: "", eventClass: null, factuality: null, name: null, value: null };
    spans.push({ ...blank, id: spans.length, start: found.start, end: found.end, score: found.score, ...own });
  };
  for (const entity of document.entities) add(entity, { label: entity.label, name: entity.name, value: entity.value });
  for (const action of document.actions) {
    add(action, { label: ACTION_LABEL, eventClass: action.class, factuality: action.factuality });
  }
  /** @type {Link[]} */
  const links = [];
  for (const action of document.actions) {
    for (const role of ROLES) {
      for (const filler of action.roles[role]) {
        const ends = {
          action: /** @type {number} */ (ids.get(action.id)),
          entity: /** @type {number} */ (ids.get(filler.entity)),
        };
        links.push({ id: links.length, ...ends, role, score: filler.score });
      }
    }
  }
  const tripleScores = new Map();
  for (const { actor, action, target, score } of document.triples) {
    tripleScores.set(tripleKey(ids.get(actor), ids.get(action), ids.get(target)), score);
  }
  spans.sort((one, other) => one.start - other.start || one.end - other.end);
  return { annotated: { text, spans, links }, tripleScores };
}

/**
 * @param {number | undefined} actor
 * @param {number | undefined} action
 * @param {number | undefined} target
 */
function tripleKey(actor, action, target) {
  return `${actor ?? ""}>${action}>${target ?? ""}`;
}

/**
 * Read the triples off the roles: every actor of an action with every target of it, in the order of the actions.
 *
 * @param {Annotated} annotated
 * @param {Map<string, number>} scores of the model's triples; a triple with anything corrected has none
 * @returns {Triple[]}
 */
export function triplesOf(annotated, scores) {
  /** @type {Triple[]} */
  const triples = [];
  for (const action of annotated.spans.filter(isAction)) {
    const actors = fillers(annotated, action.id, "actor");
    const targets = fillers(annotated, action.id, "target");
    if (actors.length === 0 && targets.length === 0) continue;
    for (const actor of actors.length ? actors : [null]) {
      for (const target of targets.length ? targets : [null]) {
        const untouched = [actor, action, target].every((span) => span === null || span.score !== null);
        const score = untouched ? scores.get(tripleKey(actor?.id, action.id, target?.id)) : undefined;
        triples.push({ actor, action, target, score: score ?? null });
      }
    }
  }
  return triples;
}

/**
 * Return the annotation format's object, which counts in code points.
 *
 * @param {Annotated} annotated
 */
export function toAnnotation(annotated) {
  const count = codePointCounter(annotated.text);
  return {
    text: annotated.text,
    entities: annotated.spans.map((span) => ({
      id: span.id,
      label: span.label,
      ...(isAction(span) ? { class: span.eventClass, factuality: span.factuality } : {}),
      start_offset: count(span.start),
      end_offset: count(span.end),
    })),
    relations: annotated.links.map(({ id, action, entity, role }) => ({
      id,
      from_id: action,
      to_id: entity,
      type: role,
    })),
  };
}
