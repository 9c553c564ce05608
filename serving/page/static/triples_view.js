// The triples as a table: also what stands in for the graph where it cannot be seen.

import { fillers, nameOf, textOf, triplesOf } from "./annotated.js";
import { byId, h } from "./dom.js";
import { formatScore, onLanguageChange, t } from "./language.js";
import { className, factualityName, labelName } from "./names.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./annotated.js").Span} Span */
/** @typedef {import("./annotated.js").Triple} Triple */

/** Rows that are added at a time: a long document has thousands. */
const ROWS = 200;

export class TriplesView {
  #shown = ROWS;
  /** @type {Session | null} */
  #session = null;

  /** @param {(id: number) => void} goTo called with the span that is chosen in the table */
  constructor(goTo) {
    this.goTo = goTo;
    this.body = byId("triples-body");
    this.more = byId("triples-more", HTMLButtonElement);
    this.more.addEventListener("click", () => {
      this.#shown += ROWS;
      this.draw();
    });
    onLanguageChange(() => this.draw());
  }

  /** @param {Session} session */
  open(session) {
    this.#session = session;
    this.#shown = ROWS;
    this.draw();
  }

  draw() {
    if (this.#session === null) return;
    const { annotated, tripleScores } = this.#session;
    const triples = triplesOf(annotated, tripleScores);
    this.body.replaceChildren(...triples.slice(0, this.#shown).map((triple) => this.#row(annotated, triple)));
    byId("triples-empty").hidden = triples.length > 0;
    byId("triples-table").hidden = triples.length === 0;
    this.more.hidden = triples.length <= this.#shown;
    this.more.textContent = t("triples.more", { count: triples.length - this.#shown });
    byId("triples-count").textContent = t("triples.count", { count: triples.length });
  }

  /**
   * @param {Annotated} annotated
   * @param {Triple} triple
   */
  #row(annotated, { actor, action, target, score }) {
    const several = (/** @type {"place" | "count"} */ role) =>
      fillers(annotated, action.id, role).flatMap((span, index) => [
        ...(index ? [t("list.comma")] : []),
        this.#entity(annotated, span),
      ]);
    const factuality =
      action.factuality === "asserted" ? null : h("span", { class: "mark" }, factualityName(action.factuality));
    return h(
      "tr",
      {},
      cell("role.actor", this.#entity(annotated, actor)),
      cell(
        "triples.action",
        this.#link(action, textOf(annotated, action), "ACT"),
        h("span", { class: "cell-kind" }, className(action.eventClass), factuality),
      ),
      cell("role.target", this.#entity(annotated, target)),
      cell("role.place", ...several("place")),
      cell("role.count", ...several("count")),
      cell("triples.score", score === null ? t("triples.corrected") : formatScore(score)),
    );
  }

  /**
   * @param {Annotated} annotated
   * @param {Span | null} span
   */
  #entity(annotated, span) {
    if (span === null)
      return h(
        "span",
        { class: "nothing" },
        h("span", { "aria-hidden": "true" }, "—"),
        h("span", { class: "off-screen" }, t("triples.none")),
      );
    return this.#link(span, nameOf(annotated, span), span.label);
  }

  /**
   * @param {Span} span
   * @param {string} text
   * @param {string} label
   */
  #link(span, text, label) {
    const title = label === "ACT" ? null : labelName(label);
    return h(
      "button",
      {
        type: "button",
        class: "table-link",
        dir: "auto",
        title,
        data: { label },
        on: { click: () => this.goTo(span.id) },
      },
      text,
    );
  }
}

/**
 * A cell that can name its column where the table is drawn as a list, on narrow windows.
 *
 * @param {string} column a string of the page
 * @param {...(Node | string)} children
 */
function cell(column, ...children) {
  return h("td", { data: { column: t(column) }, class: children.length ? null : "empty" }, ...children);
}
