// Layers of a directed graph: each node a layer further than what leads to it, and few edges that cross.

/** @typedef {{source: string, target: string}} Edge */

/** How often the order of the layers is improved. */
const SWEEPS = 4;

/**
 * Return the nodes of a connected graph in layers; edges that close a circle are left out of account. A node that
 * nothing leads to stands next to what it leads to.
 *
 * @param {string[]} nodes
 * @param {Edge[]} edges
 * @returns {string[][]}
 */
export function layersOf(nodes, edges) {
  const forward = withoutCircles(nodes, edges);
  const level = new Map(nodes.map((node) => [node, 0]));
  const at = (/** @type {string} */ node) => level.get(node) ?? 0;
  for (let changed = true; changed;) {
    changed = false;
    for (const { source, target } of forward) {
      if (at(target) > at(source)) continue;
      level.set(target, at(source) + 1);
      changed = true;
    }
  }
  const reached = new Set(forward.map((edge) => edge.target));
  for (const node of nodes) {
    const next = forward.filter((edge) => edge.source === node).map((edge) => at(edge.target));
    if (!reached.has(node) && next.length) level.set(node, Math.min(...next) - 1);
  }
  /** @type {string[][]} */
  const layers = [];
  for (const node of nodes) (layers[at(node)] ??= []).push(node);
  return ordered(layers.filter(Boolean), edges);
}

/**
 * @param {string[]} nodes
 * @param {Edge[]} edges
 */
function withoutCircles(nodes, edges) {
  /** @type {Map<string, Edge[]>} */
  const from = new Map(nodes.map((node) => [node, []]));
  for (const edge of edges) from.get(edge.source)?.push(edge);
  const finished = new Set();
  const open = new Set();
  /** @type {Edge[]} */
  const kept = [];
  const reached = new Set(edges.map((edge) => edge.target));
  const starts = [...nodes.filter((node) => !reached.has(node)), ...nodes];
  for (const start of starts) {
    /** @type {{node: string, next: number}[]} a walk in depth, its own stack since a graph may be deep */
    const walk = [];
    const enter = (/** @type {string} */ node) => {
      walk.push({ node, next: 0 });
      open.add(node);
    };
    if (!finished.has(start)) enter(start);
    while (walk.length) {
      const step = walk[walk.length - 1];
      const edge = from.get(step.node)?.[step.next++];
      if (!edge) {
        open.delete(step.node);
        finished.add(step.node);
        walk.pop();
      } else if (!open.has(edge.target)) {
        kept.push(edge);
        if (!finished.has(edge.target)) enter(edge.target);
      }
    }
  }
  return kept;
}

/**
 * Order each layer by where the neighbours of its nodes stand on average.
 *
 * @param {string[][]} layers
 * @param {Edge[]} edges
 */
function ordered(layers, edges) {
  /** @type {Map<string, string[]>} */
  const neighbours = new Map(layers.flat().map((node) => [node, []]));
  for (const { source, target } of edges) {
    neighbours.get(source)?.push(target);
    neighbours.get(target)?.push(source);
  }
  const place = new Map();
  const settle = (/** @type {string[]} */ layer) =>
    layer.forEach((node, index) => place.set(node, (index + 1) / (layer.length + 1)));
  layers.forEach(settle);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const wanted = new Map(
        layer.map((node) => {
          const places = (neighbours.get(node) ?? []).map((other) => place.get(other));
          return [node, places.reduce((sum, each) => sum + each, 0) / places.length];
        }),
      );
      layer.sort((one, other) => (wanted.get(one) ?? 0) - (wanted.get(other) ?? 0));
      settle(layer);
    }
  }
  return layers;
}
