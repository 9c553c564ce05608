// Where the nodes of the event graph stand: each part that hangs together reads from right to left, as its names do,
// who → did → what; the parts are packed into rows.

import { layersOf } from "./layers.js";

/** In pixels of the graph: between parts, between the layers of a part, between the nodes of a layer. */
const APART = 36;
const BESIDE = 72;
const BELOW = 18;
/** Around the graph, in pixels of the window. */
const MARGIN = 20;
/** The least and the greatest height of the place that is drawn on, in pixels of the window. */
const LEAST_HEIGHT = 280;
const GREATEST_HEIGHT = 1400;

/**
 * Arrange a graph in the width that its container has, and make the container as high as that takes.
 *
 * @param {any} cy cytoscape's graph
 */
export function arrange(cy) {
  const parts = cy.elements().components();
  for (const part of parts) layOut(part);
  const container = cy.container();
  const height = pack(parts, container.clientWidth - 2 * MARGIN) + 2 * MARGIN;
  container.style.height = `${Math.min(Math.max(height, LEAST_HEIGHT), GREATEST_HEIGHT)}px`;
  cy.resize();
  show(cy);
}

/**
 * Show the whole graph, no larger than it was drawn.
 *
 * @param {any} cy
 */
export function show(cy) {
  cy.fit(undefined, MARGIN);
  if (cy.zoom() <= 1) return;
  cy.zoom(1);
  cy.center();
}

/**
 * Put the layers of a part side by side, and the nodes of a layer below each other.
 *
 * @param {any} part
 */
function layOut(part) {
  const nodes = part.nodes().map((/** @type {any} */ node) => node.id());
  const edges = part
    .edges()
    .map((/** @type {any} */ edge) => ({ source: edge.source().id(), target: edge.target().id() }));
  let right = 0;
  for (const layer of layersOf(nodes, edges)) {
    const own = layer.map((id) => part.getElementById(id));
    const width = Math.max(...own.map((node) => node.data("width")));
    const height = own.reduce((sum, node) => sum + node.data("height") + BELOW, -BELOW);
    let top = -height / 2;
    for (const node of own) {
      node.position({ x: right - width / 2, y: top + node.data("height") / 2 });
      top += node.data("height") + BELOW;
    }
    right -= width + BESIDE;
  }
}

/**
 * Stand the parts in rows from the right, the highest first.
 *
 * @param {any[]} parts
 * @param {number} room width of the rows, which a part may be wider than
 * @returns {number} the height of them all
 */
function pack(parts, room) {
  const boxes = parts.map((part) => ({ part, box: part.boundingBox() }));
  boxes.sort((one, other) => other.box.h - one.box.h);
  const width = Math.max(room, ...boxes.map(({ box }) => box.w));
  let left = width;
  let top = 0;
  let high = 0;
  for (const { part, box } of boxes) {
    if (left < width && left - box.w < 0) {
      left = width;
      top += high + APART;
      high = 0;
    }
    part.nodes().shift({ x: left - box.x2, y: top - box.y1 });
    left -= box.w + APART;
    high = Math.max(high, box.h);
  }
  return top + high;
}
