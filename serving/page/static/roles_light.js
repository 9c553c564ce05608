// An action under the pointer or the keyboard's focus lights its participants, and shows its roles on a small card.

import { fillers, isAction, linksOf, nameOf, ROLES, spanOf, textOf } from "./annotated.js";
import { byId, h } from "./dom.js";
import { formatScore, t } from "./language.js";
import { className, factualityName, labelName, roleName, tagOf } from "./names.js";

/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./annotated.js").Span} Span */
/** @typedef {import("./text_view.js").TextView} TextView */

/** Milliseconds in which the pointer may travel from a span to its card. */
const GRACE = 150;

export class RolesLight {
  /** @type {number | undefined} */
  #leaving;
  /** @type {number | null} */
  #shown = null;
  /** @type {HTMLElement[]} */
  #lit = [];

  /** @param {TextView} view */
  constructor(view) {
    this.view = view;
    this.card = byId("card");
    view.container.addEventListener("pointerover", (event) => this.#enter(event.target));
    view.container.addEventListener("pointerleave", () => this.#leave());
    view.container.addEventListener("focusin", (event) => this.#enter(event.target));
    view.container.addEventListener("focusout", () => this.#leave());
    this.card.addEventListener("pointerenter", () => window.clearTimeout(this.#leaving));
    this.card.addEventListener("pointerleave", () => this.#leave());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.hide();
    });
    window.addEventListener("resize", () => this.hide());
  }

  /** Light what is under the focus anew: the annotated text, or what is selected in it, has changed. */
  refresh() {
    this.hide();
    const id = this.view.focusedId();
    const element = id === null ? null : this.view.element(id);
    if (id !== null && element) this.#show(id, element);
  }

  hide() {
    window.clearTimeout(this.#leaving);
    this.card.hidden = true;
    for (const element of this.#lit) {
      delete element.dataset.role;
      element.classList.remove("lit");
    }
    if (this.#shown !== null) this.view.element(this.#shown)?.removeAttribute("aria-describedby");
    this.view.container.classList.remove("lighting");
    this.#lit = [];
    this.#shown = null;
  }

  /** @param {EventTarget | null} target */
  #enter(target) {
    const element = target instanceof Element ? target.closest("[data-id]") : null;
    if (!(element instanceof HTMLElement)) return this.#leave();
    window.clearTimeout(this.#leaving);
    const id = Number(element.dataset.id);
    if (id !== this.#shown) this.#show(id, element);
  }

  #leave() {
    window.clearTimeout(this.#leaving);
    this.#leaving = window.setTimeout(() => this.hide(), GRACE);
  }

  /**
   * @param {number} id
   * @param {HTMLElement} element
   */
  #show(id, element) {
    this.hide();
    const { annotated } = this.view;
    const span = spanOf(annotated, id);
    if (span === null) return;
    this.#shown = id;
    this.#light(element, null);
    for (const link of linksOf(annotated, id)) {
      const other = this.view.element(isAction(span) ? link.entity : link.action);
      if (other) this.#light(other, roleName(link.role));
    }
    this.view.container.classList.toggle("lighting", this.#lit.length > 1);
    if (element.hasAttribute("aria-current")) return; // its panel says all this
    this.card.replaceChildren(...cardContent(annotated, span));
    this.card.hidden = false;
    place(this.card, element);
    element.setAttribute("aria-describedby", this.card.id);
  }

  /**
   * @param {HTMLElement} element
   * @param {string | null} role
   */
  #light(element, role) {
    element.classList.add("lit");
    if (role) element.dataset.role = element.dataset.role ? `${element.dataset.role} · ${role}` : role;
    this.#lit.push(element);
  }
}

/**
 * @param {Annotated} annotated
 * @param {Span} span
 * @returns {HTMLElement[]}
 */
function cardContent(annotated, span) {
  const score = span.score === null ? t("card.corrected") : t("card.score", { score: formatScore(span.score) });
  const kind = isAction(span)
    ? `${className(span.eventClass)} · ${factualityName(span.factuality)}`
    : labelName(span.label);
  const rows = isAction(span) ? actionRows(annotated, span) : entityRows(annotated, span);
  return [
    h("p", { class: "card-title", dir: "auto" }, textOf(annotated, span)),
    h("p", { class: "card-kind" }, `${kind} · ${score}`),
    rows.length ? h("dl", {}, ...rows) : h("p", { class: "quiet" }, t("card.no-roles")),
  ];
}

/**
 * @param {Annotated} annotated
 * @param {Span} action
 */
function actionRows(annotated, action) {
  return ROLES.flatMap((role) => {
    const spans = fillers(annotated, action.id, role);
    if (spans.length === 0) return [];
    const names = spans.map((span) => h("dd", { dir: "auto", data: { label: span.label } }, nameOf(annotated, span)));
    return [h("dt", {}, roleName(role)), ...names];
  });
}

/**
 * @param {Annotated} annotated
 * @param {Span} entity
 */
function entityRows(annotated, entity) {
  return linksOf(annotated, entity.id).flatMap((link) => {
    const action = spanOf(annotated, link.action);
    if (action === null) return [];
    const said = `${textOf(annotated, action)} (${tagOf(action)})`;
    return [h("dt", {}, roleName(link.role)), h("dd", { dir: "auto" }, said)];
  });
}

/**
 * Put the card below the element, or above where there is no room, inside the window.
 *
 * @param {HTMLElement} card
 * @param {HTMLElement} element
 */
function place(card, element) {
  const [first] = element.getClientRects();
  if (!first) return;
  const { offsetWidth: width, offsetHeight: height } = card;
  const { clientWidth, clientHeight } = document.documentElement;
  const middle = first.left + first.width / 2 - width / 2;
  const left = Math.min(Math.max(middle, 8), clientWidth - width - 8);
  const below = first.bottom + 18; // the label stands there
  const top = below + height < clientHeight - 8 ? below : first.top - height - 8;
  card.style.setProperty("left", `${left + window.scrollX}px`);
  card.style.setProperty("top", `${Math.max(top, 8) + window.scrollY}px`);
}
