// The event graph of an annotated text: entities, those of one name and label merged, and actions; an edge for each role.

import { isAction, linksOf, nameOf, spanOf, textOf } from "./annotated.js";

/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./annotated.js").Span} Span */
/** @typedef {{id: string, span: number, text: string, label: string, eventClass: string | null, factuality: string | null}} GraphNode */
/** @typedef {{id: string, source: string, target: string, role: string}} GraphEdge */
/** @typedef {{nodes: GraphNode[], edges: GraphEdge[], actions: number}} Graph `actions`: how many there are to draw in all */

/**
 * Return the graph of the first `limit` actions that have a role at all. An actor's edge runs to the action, every
 * other from it, so that the arrows read: who → did → what. Entities without a role are not in it.
 *
 * @param {Annotated} annotated
 * @param {number} limit
 * @returns {Graph}
 */
export function graphOf(annotated, limit) {
  /** @type {Map<string, GraphNode>} */
  const nodes = new Map();
  /** @type {Map<string, GraphEdge>} */
  const edges = new Map();
  const actions = annotated.spans.filter((span) => isAction(span) && linksOf(annotated, span.id).length > 0);
  for (const action of actions.slice(0, limit)) {
    const id = `action ${action.id}`;
    const { eventClass, factuality } = action;
    nodes.set(id, {
      id,
      span: action.id,
      text: textOf(annotated, action),
      label: action.label,
      eventClass,
      factuality,
    });
    for (const link of linksOf(annotated, action.id)) {
      const entity = /** @type {Span} */ (spanOf(annotated, link.entity));
      const name = nameOf(annotated, entity);
      const other = `${entity.label} ${name}`;
      if (!nodes.has(other)) {
        nodes.set(other, {
          id: other,
          span: entity.id,
          text: name,
          label: entity.label,
          eventClass: null,
          factuality: null,
        });
      }
      const ends = link.role === "actor" ? { source: other, target: id } : { source: id, target: other };
      const key = `${link.role} ${ends.source} > ${ends.target}`;
      edges.set(key, { id: key, ...ends, role: link.role });
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()], actions: actions.length };
}
