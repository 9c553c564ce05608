// The picture: cytoscape's graph, in the colours of the theme that is shown.

let cy = null;
const COLOURS = {
  "verbal cooperation": "--quad-vc",
  "material cooperation": "--quad-mc",
  "verbal conflict": "--quad-vf",
  "material conflict": "--quad-mf",
  none: "--line-strong",
};

function colour(property) {
  const probe = document.createElement("span");
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function style() {
  const labels = ["PER", "ORG", "LOC", "NUM", "NOM"].map((label) => ({
    selector: `node[label = "${label}"]`,
    style: {
      "background-color": colour(`--tint-${label.toLowerCase()}`),
      "border-color": colour(`--label-${label.toLowerCase()}`),
    },
  }));
  const quads = QUADS.map((quad) => ({
    selector: `edge[quad = "${quad}"]`,
    style: { "line-color": colour(COLOURS[quad]), "target-arrow-color": colour(COLOURS[quad]) },
  }));
  return [
    {
      selector: "node",
      style: {
        label: "data(name)",
        "font-family": getComputedStyle(document.body).fontFamily,
        "font-size": 15,
        "text-wrap": "wrap",
        "text-max-width": "130px",
        "text-valign": "bottom",
        "text-margin-y": 4,
        "text-background-color": colour("--card"),
        "text-background-opacity": 0.85,
        "text-background-padding": "1px",
        color: colour("--ink"),
        width: "data(size)",
        height: "data(size)",
        "border-width": 2,
      },
    },
    ...labels,
    { selector: "node[?document]", style: { shape: "round-rectangle", "border-style": "dashed" } },
    {
      selector: "edge",
      style: { width: "data(width)", "curve-style": "bezier", "target-arrow-shape": "triangle", opacity: 0.75 },
    },
    ...quads,
    { selector: 'edge[relation = "with"]', style: { "target-arrow-shape": "none", "line-style": "dashed" } },
    { selector: ".faded", style: { opacity: 0.2 } },
    { selector: "node.chosen, node.found", style: { "border-width": 5, "font-weight": "bold" } },
    { selector: "edge.chosen", style: { opacity: 1, "underlay-color": colour("--accent"), "underlay-opacity": 0.3 } },
  ];
}

/** Where nodes stood last, so that a filter does not throw the picture about. */
const places = new Map();

function draw(view, onChoose) {
  if (!cy) {
    cy = cytoscape({ container: document.getElementById("graph"), minZoom: 0.1, maxZoom: 4, style: style() });
    cy.on("tap", "node, edge", (event) => onChoose(event.target.id()));
    cy.on("tap", (event) => event.target === cy && onChoose(null));
    cy.on("dragfree", "node", (event) => places.set(event.target.id(), { ...event.target.position() }));
  }
  const nodes = view.nodes.filter((node) => view.drawn.has(node.id));
  const edges = view.edges.filter((edge) => view.drawn.has(edge.source) && view.drawn.has(edge.target));
  const isNew = nodes.some((node) => !places.has(node.id));
  cy.batch(() => {
    cy.elements().remove();
    cy.add(nodes.map(nodeElement));
    cy.add(edges.map(edgeElement));
    if (view.found) cy.nodes().filter((node) => view.found.has(node.id())).addClass("found");
  });
  if (isNew) arrange();
  document.getElementById("graph").setAttribute("aria-label", string("graphLabel", { nodes: nodes.length, edges: edges.length }));
  return edges;
}

function nodeElement(node, number) {
  const angle = number * 2.39996; // the golden angle: those in most events in the middle, evenly around it
  const far = 60 * Math.sqrt(number);
  const position = places.get(node.id) ?? { x: far * Math.cos(angle), y: far * Math.sin(angle) };
  const size = 14 + 7 * Math.sqrt(Math.min(node.events, 60));
  const { id, name, label, document } = node;
  return { group: "nodes", data: { id, name, label, document, size }, position: { ...position } };
}

function edgeElement(edge) {
  const { id, source, target, relation, events } = edge;
  const width = 1.5 + Math.sqrt(Math.min(events.length, 60));
  return { group: "edges", data: { id, source, target, relation, width, quad: quadsOf(edge)[0][0] } };
}

function arrange() {
  cy.layout({
    name: "cose",
    animate: false,
    randomize: false,
    fit: false,
    nodeDimensionsIncludeLabels: true,
    idealEdgeLength: () => 70,
    nodeRepulsion: () => 12000,
    nodeOverlap: 16,
    componentSpacing: 30,
    gravity: 0.6,
    numIter: 1500,
  }).run();
  pack();
  cy.nodes().forEach((node) => places.set(node.id(), { ...node.position() }));
  fit();
}

/** Stand the parts that hang together in rows, the highest first, in about the shape of the place for them. */
function pack() {
  const apart = 24;
  const parts = cy.elements().components().map((part) => ({ part, box: part.boundingBox() }));
  const area = parts.reduce((sum, { box }) => sum + (box.w + apart) * (box.h + apart), 0);
  const width = Math.max(Math.sqrt((area * cy.width()) / Math.max(cy.height(), 1)) * 1.1, ...parts.map(({ box }) => box.w));
  parts.sort((one, other) => other.box.h - one.box.h);
  let [left, top, high] = [0, 0, 0];
  for (const { part, box } of parts) {
    if (left > 0 && left + box.w > width) [left, top, high] = [0, top + high + apart, 0];
    part.nodes().shift({ x: left - box.x1, y: top - box.y1 });
    left += box.w + apart;
    high = Math.max(high, box.h);
  }
}

/** Whether an edge is in the picture. */
function isDrawn(id) {
  return cy.getElementById(id).nonempty();
}

function fit() {
  cy.resize();
  cy.fit(undefined, 24);
  if (cy.zoom() > 1.4) {
    cy.zoom(1.4);
    cy.center();
  }
}

function zoom(factor) {
  cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
}

/** Light up a node with all that it has to do with, or an edge with its ends. */
function light(id) {
  cy.elements().removeClass("faded chosen");
  const chosen = id === null ? cy.collection() : cy.getElementById(id);
  if (chosen.empty()) return;
  const around = chosen.isNode() ? chosen.closedNeighborhood() : chosen.union(chosen.connectedNodes());
  cy.elements().difference(around).addClass("faded");
  chosen.addClass("chosen");
}

function repaint() {
  cy?.style(style());
}
