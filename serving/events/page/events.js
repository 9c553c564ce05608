// What passes the filters: edges with their events, and the entities that are left.

const DATA = JSON.parse(document.getElementById("data").textContent);
const QUADS = ["verbal cooperation", "material cooperation", "verbal conflict", "material conflict", "none"];
/** As in graph.css. */
const NARROW = matchMedia("(max-width: 60rem)");
const FACTUALITIES = ["asserted", "negated", "potential"];
const NODES = new Map(DATA.nodes.map((node) => [node.id, node]));
/** All days that an event has, in order. */
const DAYS = [...new Set(DATA.events.filter((event) => event.date).map((event) => event.date.slice(0, 10)))].sort();
/** The classes that occur, by quad category. */
const CLASSES = new Map(QUADS.map((quad) => [quad, []]));
for (const name of new Set(DATA.events.map((event) => event.class))) CLASSES.get(quadOf(name)).push(name);
for (const names of CLASSES.values()) names.sort();

function quadOf(eventClass) {
  return DATA.quads[eventClass] ?? "none";
}

function everything() {
  return {
    search: "",
    classes: new Set(DATA.events.map((event) => event.class)),
    factualities: new Set(FACTUALITIES),
    from: 0,
    to: Math.max(DAYS.length - 1, 0),
    undated: true,
    minimum: 1,
    limit: NARROW.matches ? 20 : 40,
  };
}

/** Spellings that a search takes for the same, as the merge keys of the graph do. */
function folded(text) {
  return text
    .normalize("NFKC")
    .replace(/[\p{M}\p{Cf}\u0640]/gu, "")
    .replace(/[أإآٱ]/g, "ا")
    .replace(/[ىی]/g, "ي")
    .replace(/ة/g, "ه")
    .replace(/ک/g, "ك")
    .toLowerCase()
    .trim();
}

for (const node of DATA.nodes) node.folded = Object.keys(node.spellings).map(folded);

function passes(event, filter) {
  if (!filter.classes.has(event.class) || !filter.factualities.has(event.factuality)) return false;
  if (!event.date) return filter.undated;
  const day = event.date.slice(0, 10);
  return DAYS[filter.from] <= day && day <= DAYS[filter.to];
}

/**
 * Return what a filter leaves: `edges` with their `events`; `nodes`, those in most events first, with how many; `drawn`,
 * the ids of those in the picture; `found`, the ids that the search finds, null without one. The node or edge that is
 * chosen is in the picture, with all that it has to do with.
 */
function filtered(filter, chosen) {
  const good = DATA.events.map((event) => passes(event, filter));
  const edges = [];
  const of = new Map();
  DATA.edges.forEach((edge, number) => {
    const events = edge.events.filter((event) => good[event]);
    if (events.length < Math.max(filter.minimum, 1)) return;
    edges.push({ id: `e${number}`, source: edge.source, target: edge.target, relation: edge.relation, events });
    for (const end of [edge.source, edge.target]) {
      if (!of.has(end)) of.set(end, new Set());
      for (const event of events) of.get(end).add(event);
    }
  });
  const nodes = DATA.nodes.filter((node) => of.has(node.id)).map((node) => ({ ...node, events: of.get(node.id).size }));
  nodes.sort((one, other) => other.events - one.events);
  const wanted = folded(filter.search);
  const found = wanted ? new Set(nodes.filter((node) => matches(node, wanted)).map((node) => node.id)) : null;
  const picture = drawn(nodes, edges, found, Math.max(filter.limit, 2));
  for (const { id, source, target } of edges) {
    if ([id, source, target].includes(chosen)) picture.add(source).add(target);
  }
  return { edges, nodes, found, drawn: picture };
}

function matches(node, wanted) {
  return node.folded.some((spelling) => spelling.includes(wanted));
}

/**
 * What is in the picture: the ends of the edges of most events, so that nobody stands there alone; where something is
 * searched, what is found and then who it has to do with.
 */
function drawn(nodes, edges, found, limit) {
  if (!found) return busiest(nodes, edges, limit);
  const near = new Set(found);
  for (const edge of edges) {
    if (found.has(edge.source)) near.add(edge.target);
    if (found.has(edge.target)) near.add(edge.source);
  }
  const first = nodes.filter((node) => found.has(node.id));
  const then = nodes.filter((node) => near.has(node.id) && !found.has(node.id));
  return new Set([...first, ...then].slice(0, limit).map((node) => node.id));
}

function busiest(nodes, edges, limit) {
  const events = new Map(nodes.map((node) => [node.id, node.events]));
  const weight = (edge) => 1000 * edge.events.length + events.get(edge.source) + events.get(edge.target);
  const chosen = new Set();
  for (const edge of [...edges].sort((one, other) => weight(other) - weight(one))) {
    const added = [edge.source, edge.target].filter((end) => !chosen.has(end));
    if (chosen.size + new Set(added).size <= limit) for (const end of added) chosen.add(end);
  }
  return chosen;
}

/** The quad category of most events of an edge, and how many are in each. */
function quadsOf(edge) {
  const counts = new Map();
  for (const event of edge.events) {
    const quad = quadOf(DATA.events[event].class);
    counts.set(quad, (counts.get(quad) ?? 0) + 1);
  }
  return [...counts].sort((one, other) => other[1] - one[1] || QUADS.indexOf(one[0]) - QUADS.indexOf(other[0]));
}
