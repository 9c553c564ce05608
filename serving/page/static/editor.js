// The panel that corrects: the selected span, or the selected text that may become one.

import { byId, h } from "./dom.js";
import { newSpanPanel } from "./editor_new.js";
import { spanPanel } from "./editor_span.js";
import { onLanguageChange, t } from "./language.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./annotated.js").Role} Role */
/** @typedef {{start: number, end: number}} Range_ offsets in the text */
/**
 * @typedef {object} Commands what the panel asks of the page
 * @property {() => void} close and go back to the text
 * @property {(id: number) => void} goTo select another span
 * @property {(action: number, role: Role) => void} pick wait for an entity to be chosen in the text
 * @property {() => void} stopPicking
 */

export class Editor {
  /** @type {Session | null} */
  #session = null;
  /** @type {Range_ | null} */
  #proposed = null;
  /** @type {{action: number, role: Role} | null} */
  #picking = null;

  /** @param {Commands} commands */
  constructor(commands) {
    this.commands = commands;
    this.panel = byId("editor");
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      if (this.#picking) commands.stopPicking();
      else commands.close();
    });
    onLanguageChange(() => this.draw());
  }

  get proposed() {
    return this.#proposed;
  }

  get picking() {
    return this.#picking;
  }

  /** @param {Session} session */
  open(session) {
    this.#session = session;
    this.#proposed = null;
    this.#picking = null;
    this.draw();
  }

  /** @param {Range_ | null} range text that may become a span */
  propose(range) {
    this.#proposed = range;
    this.#picking = null;
    this.draw();
  }

  /** @param {{action: number, role: Role} | null} picking */
  pick(picking) {
    this.#picking = picking;
    this.draw();
  }

  /** Move the keyboard's focus to the panel's first control. */
  focus() {
    /** @type {HTMLElement | null} */ (this.panel.querySelector("[data-first]"))?.focus();
  }

  draw() {
    const session = this.#session;
    if (session === null) return;
    const focused = document.activeElement;
    const control =
      focused instanceof HTMLElement && this.panel.contains(focused) ? focused.dataset.control : undefined;
    const had = this.panel.contains(focused);
    const scrolled = this.panel.scrollTop;
    this.panel.replaceChildren(...this.#content(session));
    this.panel.scrollTop = scrolled;
    document.body.classList.toggle("editing", session.selected !== null || this.#proposed !== null);
    if (!had) return;
    const again = control ? this.panel.querySelector(`[data-control="${CSS.escape(control)}"]`) : null;
    if (again instanceof HTMLElement && !again.hasAttribute("disabled")) again.focus();
    else this.focus();
  }

  /**
   * @param {Session} session
   * @returns {HTMLElement[]}
   */
  #content(session) {
    if (this.#proposed) return newSpanPanel(session, this.#proposed, this.commands);
    if (session.selected) return spanPanel(session, session.selected, this.#picking, this.commands);
    return [h("h2", {}, t("editor.heading")), h("p", { class: "quiet" }, t("editor.hint"))];
  }
}
