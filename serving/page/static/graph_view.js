// The event graph, drawn by cytoscape (vendor/README.md), which is loaded when the graph is first looked at.

import { byId } from "./dom.js";
import { graphOf } from "./graph_elements.js";
import { onLanguageChange, t } from "./language.js";
import { className, factualityName, labelName, roleName } from "./names.js";
import { arrange, show } from "./graph_layout.js";
import { graphStyle } from "./graph_style.js";
import { boxOf } from "./graph_text.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./graph_elements.js").Graph} Graph */

/** Actions drawn at first: more are hard to read and slow to lay out. */
const ACTIONS = 60;

export class GraphView {
  /** @type {Session | null} */
  #session = null;
  /** @type {any} */
  #cytoscape = null;
  #limit = ACTIONS;
  #visible = false;
  #stale = true;

  /** @param {(id: number) => void} goTo called with the span whose node is chosen */
  constructor(goTo) {
    this.goTo = goTo;
    this.container = byId("graph");
    for (const [id, factor] of /** @type {[string, number][]} */ ([
      ["graph-closer", 1.3],
      ["graph-farther", 1 / 1.3],
    ])) {
      byId(id).addEventListener("click", () => this.#zoom(factor));
    }
    byId("graph-fit").addEventListener("click", () => this.#cytoscape && show(this.#cytoscape));
    byId("graph-more").addEventListener("click", () => {
      this.#limit = Infinity;
      this.changed();
    });
    onLanguageChange(() => this.changed());
    new MutationObserver(() => this.restyle()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.restyle());
  }

  /** @param {Session} session */
  open(session) {
    this.#session = session;
    this.#limit = ACTIONS;
    this.changed();
  }

  /** @param {boolean} visible */
  setVisible(visible) {
    this.#visible = visible;
    if (visible && this.#stale) void this.#draw();
  }

  /** The annotated text, or the language, is another. */
  changed() {
    this.#stale = true;
    if (this.#visible) void this.#draw();
  }

  /** The colours are others. */
  restyle() {
    this.#cytoscape?.style(graphStyle(this.container));
  }

  async #draw() {
    const { default: cytoscape } = await import("./vendor/cytoscape.esm.min.mjs");
    const session = this.#session;
    if (session === null || !this.#stale) return;
    this.#stale = false;
    const graph = graphOf(session.annotated, this.#limit);
    this.#describe(graph);
    this.#cytoscape?.destroy();
    this.#cytoscape = cytoscape({
      container: this.container,
      elements: elementsOf(graph, getComputedStyle(this.container).fontFamily),
      style: graphStyle(this.container),
      layout: { name: "null" },
      minZoom: 0.1,
      maxZoom: 4,
      userZoomingEnabled: false, // the wheel scrolls the page
      boxSelectionEnabled: false,
      autounselectify: true,
    });
    this.#cytoscape.on("tap", "node", (/** @type {any} */ event) => this.goTo(event.target.data("span")));
    arrange(this.#cytoscape);
  }

  /** @param {Graph} graph */
  #describe({ nodes, actions }) {
    const drawn = nodes.filter((node) => node.eventClass !== null).length;
    const numbers = { actions: drawn, entities: nodes.length - drawn };
    this.container.setAttribute("aria-label", t("graph.description", numbers));
    byId("graph-empty").hidden = drawn > 0;
    byId("graph-part").hidden = drawn === actions;
    byId("graph-part-text").textContent = t("graph.part", { drawn, actions });
  }

  /** @param {number} factor */
  #zoom(factor) {
    const { clientWidth, clientHeight } = this.container;
    const renderedPosition = { x: clientWidth / 2, y: clientHeight / 2 };
    this.#cytoscape?.zoom({ level: this.#cytoscape.zoom() * factor, renderedPosition });
  }
}

/**
 * @param {Graph} graph
 * @param {string} fontFamily
 */
function elementsOf({ nodes, edges }, fontFamily) {
  return [
    ...nodes.map(({ id, span, text, label, eventClass, factuality }) => {
      const uncertain = factuality === null || factuality === "asserted" ? "" : ` · ${factualityName(factuality)}`;
      const kind = eventClass === null ? labelName(label) : `${className(eventClass)}${uncertain}`;
      const shown = `${text}\n${kind}`;
      const data = { id, span, label, factuality, text: shown, ...boxOf(shown, fontFamily) };
      return { data, classes: eventClass === null ? "entity" : "action" };
    }),
    ...edges.map(({ id, source, target, role }) => ({ data: { id, source, target, role, text: roleName(role) } })),
  ];
}
