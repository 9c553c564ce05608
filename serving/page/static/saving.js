// Saving the corrections: who made them, what the guidelines would refuse, and what the service says.

import { spanOf, textOf, toAnnotation } from "./annotated.js";
import { byId, h } from "./dom.js";
import { faultsOf, idleSpans } from "./faults.js";
import { onLanguageChange, t } from "./language.js";
import { announce } from "./live.js";
import { fieldMessage, inWords } from "./problems.js";
import { annotate, ServiceError } from "./service.js";
import { keep, recall } from "./storage.js";
import { without } from "./edits.js";
import { withKey } from "./with_key.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./service.js").FieldError} FieldError */

/** Faults that are listed one by one; the others are counted. */
const LISTED = 5;

export class Saving {
  /** @type {Session | null} */
  #session = null;
  #busy = false;
  #asked = false;

  /** @param {(id: number) => void} goTo called with the span that a message is about */
  constructor(goTo) {
    this.goTo = goTo;
    this.name = byId("annotator", HTMLInputElement);
    this.name.value = recall("local", "annotator") ?? "";
    this.name.addEventListener("input", () => this.#complainOfName(null));
    this.name.addEventListener("change", () => keep("local", "annotator", this.name.value.trim() || null));
    this.name.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) void this.save();
    });
    byId("save").addEventListener("click", () => void this.save());
    onLanguageChange(() => this.draw());
  }

  /** @param {Session} session */
  open(session) {
    this.#session = session;
    this.#asked = false;
    this.#answer();
    this.draw();
  }

  draw() {
    const session = this.#session;
    if (session === null) return;
    byId("unsaved").hidden = !session.unsaved;
    const faults = faultsOf(session.annotated);
    if (faults.length === 0) this.#asked = false;
    byId("faults").replaceChildren(...(this.#asked ? this.#faultList(session) : []));
  }

  async save() {
    const session = this.#session;
    if (session === null || this.#busy) return;
    this.#answer();
    const annotator = this.name.value.trim();
    if (!annotator) return this.#complainOfName(t("save.name-missing"));
    keep("local", "annotator", annotator);
    if (faultsOf(session.annotated).length > 0) {
      this.#asked = true;
      this.draw();
      byId("faults").querySelector("button")?.focus();
      announce(t("save.faults"));
      return;
    }
    await this.#send(session, annotator);
  }

  /**
   * @param {Session} session
   * @param {string} annotator
   */
  async #send(session, annotator) {
    const { annotated, model } = session;
    this.#setBusy(true);
    try {
      const stored = await withKey(() => annotate(annotator, model, toAnnotation(annotated)));
      session.markSaved(annotated);
      const said = t(stored.created ? "save.done" : "save.known", { id: String(stored.id) });
      this.#answer(h("p", { class: "success" }, said));
      announce(said);
    } catch (error) {
      this.#fail(annotated, error);
    } finally {
      this.#setBusy(false);
    }
  }

  /**
   * @param {Annotated} annotated what was sent
   * @param {unknown} error
   */
  #fail(annotated, error) {
    const errors = error instanceof ServiceError ? error.errors : [];
    const name = errors.find((each) => each.field === "annotator");
    if (name) this.#complainOfName(name.message);
    const others = errors.filter((each) => each !== name);
    const items = others.map((each) => h("li", {}, ...this.#place(annotated, each), fieldMessage(each.message)));
    this.#answer(h("div", { class: "failure" }, inWords(error), items.length ? h("ul", {}, ...items) : null));
    announce(byId("save-answer").textContent ?? "");
  }

  /**
   * The span that a field is about, as a button that leads to it; or the field's name.
   *
   * @param {Annotated} annotated
   * @param {FieldError} error
   * @returns {(Node | string)[]}
   */
  #place(annotated, { field }) {
    const entity = /entities\[(\d+)\]/.exec(field);
    const relation = /relations\[(\d+)\]/.exec(field);
    const id = entity
      ? annotated.spans[Number(entity[1])]?.id
      : relation && annotated.links[Number(relation[1])]?.action;
    const span = typeof id === "number" ? spanOf(annotated, id) : null;
    if (span === null) return field ? [h("code", { dir: "ltr" }, field), " "] : [];
    return [this.#goButton(annotated, span.id), " "];
  }

  /**
   * @param {Annotated} annotated
   * @param {number} id
   */
  #goButton(annotated, id) {
    const span = /** @type {import("./annotated.js").Span} */ (spanOf(annotated, id));
    const onClick = () => this.goTo(id);
    return h(
      "button",
      { type: "button", class: "table-link", dir: "auto", data: { label: span.label }, on: { click: onClick } },
      textOf(annotated, span),
    );
  }

  /**
   * @param {Session} session
   * @returns {HTMLElement[]}
   */
  #faultList(session) {
    const { annotated } = session;
    const faults = faultsOf(annotated);
    const items = faults
      .slice(0, LISTED)
      .map((fault) => h("li", {}, this.#goButton(annotated, fault.span), " ", t(fault.key)));
    const rest = faults.length - items.length;
    if (rest > 0) items.push(h("li", {}, t("save.more-faults", { count: rest })));
    const idle = idleSpans(annotated);
    const leaveOut = h(
      "button",
      { type: "button", on: { click: () => this.#leaveOut(session) } },
      t("save.leave-out", { count: idle.size }),
    );
    return [h("p", {}, t("save.faults")), h("ul", {}, ...items), ...(idle.size ? [leaveOut] : [])];
  }

  /** @param {Session} session */
  #leaveOut(session) {
    const idle = idleSpans(session.annotated);
    const message = { key: "done.left-out", parameters: { count: idle.size } };
    session.apply({ annotated: without(session.annotated, idle), message, selected: null });
    byId("save").focus();
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.#busy = busy;
    byId("save").setAttribute("aria-disabled", String(busy));
    byId("save").classList.toggle("busy", busy);
  }

  /** @param {string | null} message */
  #complainOfName(message) {
    const problem = byId("annotator-problem");
    problem.textContent = message ?? "";
    problem.hidden = message === null;
    if (message === null) this.name.removeAttribute("aria-invalid");
    else {
      this.name.setAttribute("aria-invalid", "true");
      this.name.focus();
    }
  }

  /** @param {...HTMLElement} answer */
  #answer(...answer) {
    byId("save-answer").replaceChildren(...answer);
  }
}
