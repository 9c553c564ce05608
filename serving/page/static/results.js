// What was found: the text, its correction, the triples, the graph and saving, around one session.

import { isAction } from "./annotated.js";
import { byId } from "./dom.js";
import { Editor } from "./editor.js";
import { addRole } from "./edits.js";
import { copy, toJson, triplesToCsv } from "./exporting.js";
import { GraphView } from "./graph_view.js";
import { onLanguageChange, t } from "./language.js";
import { announce } from "./live.js";
import { RolesLight } from "./roles_light.js";
import { Saving } from "./saving.js";
import { Selecting } from "./selecting.js";
import { installTabs } from "./tabs.js";
import { installTextKeys } from "./text_keys.js";
import { TextView } from "./text_view.js";
import { TriplesView } from "./triples_view.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./annotated.js").Role} Role */

export class Results {
  /** @type {Session | null} */
  session = null;

  constructor() {
    const goTo = (/** @type {number} */ id) => this.#goTo(id);
    this.view = new TextView(byId("text"));
    this.light = new RolesLight(this.view);
    this.editor = new Editor({
      close: () => this.#close(),
      goTo,
      pick: (action, role) => this.#pick({ action, role }),
      stopPicking: () => this.#pick(null),
    });
    this.selecting = new Selecting(
      this.view,
      (range) => this.#propose(range),
      () => this.editor.focus(),
    );
    this.triples = new TriplesView(goTo);
    this.graph = new GraphView(goTo);
    this.saving = new Saving(goTo);
    installTabs(byId("tabs"), (panel) => this.graph.setVisible(panel === "graph-panel"));
    installTextKeys(
      this.view,
      () => this.session,
      (id) => this.#choose(id, true),
    );
    this.view.container.addEventListener("click", (event) => this.#onClick(event));
    this.#installButtons();
    onLanguageChange(() => this.#count());
  }

  /** @param {Session} session */
  open(session) {
    this.session = session;
    session.addEventListener("change", () => this.#changed());
    session.addEventListener("select", () => this.#selected());
    session.addEventListener("message", (event) => this.#say(/** @type {CustomEvent} */ (event).detail));
    byId("results").hidden = false;
    document.body.classList.add("analysed");
    this.light.hide();
    this.selecting.clear();
    this.view.markSelected(null);
    this.view.show(session.annotated);
    this.editor.open(session);
    this.triples.open(session);
    this.graph.open(session);
    this.saving.open(session);
    this.#count();
    this.#toolbar();
    byId("results-heading").focus({ preventScroll: true });
    byId("results").scrollIntoView({ block: "start" });
    announce(byId("counts").textContent ?? "");
  }

  #changed() {
    const session = /** @type {Session} */ (this.session);
    this.light.hide();
    if (this.view.annotated !== session.annotated) {
      this.selecting.clear();
      this.view.show(session.annotated);
      this.triples.draw();
      this.graph.changed();
      if (this.editor.proposed) this.editor.propose(null);
    }
    this.editor.draw();
    this.saving.draw();
    this.#count();
    this.#toolbar();
  }

  #selected() {
    const selected = this.session?.selected ?? null;
    this.view.markSelected(selected?.id ?? null);
    this.view.container.classList.remove("picking");
    if (selected) this.selecting.clear();
    this.editor.propose(null);
    this.light.refresh();
    if (selected) this.view.element(selected.id)?.scrollIntoView({ block: "nearest" });
  }

  /** @param {{start: number, end: number}} range */
  #propose(range) {
    this.session?.select(null);
    this.editor.propose(range);
    this.selecting.mark(range);
  }

  /** @param {{action: number, role: Role} | null} picking */
  #pick(picking) {
    const { container } = this.view;
    container.classList.toggle("picking", picking !== null);
    this.editor.pick(picking);
    const selected = this.session?.selected;
    if (picking && selected) {
      this.view.focus(selected.id);
      announce(t("roles.picking-help"));
    }
  }

  /** Leave the panel for the text. */
  #close() {
    const selected = this.session?.selected;
    this.selecting.clear();
    this.editor.propose(null);
    this.session?.select(null);
    if (selected) this.view.focus(selected.id);
    else this.view.container.focus();
  }

  /** @param {number} id */
  #goTo(id) {
    this.session?.select(id);
    const element = this.view.element(id);
    this.view.focus(id);
    element?.scrollIntoView({ block: "center" });
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const element = event.target instanceof Element ? event.target.closest("[data-id]") : null;
    if (!document.getSelection()?.isCollapsed) return; // the end of selecting text
    if (element instanceof HTMLElement) this.#choose(Number(element.dataset.id), false);
    else if (this.editor.proposed) {
      this.selecting.clear();
      this.editor.propose(null);
    }
  }

  /**
   * Select a span, or put it into the role that waits for one.
   *
   * @param {number} id
   * @param {boolean} focusPanel
   */
  #choose(id, focusPanel) {
    const session = /** @type {Session} */ (this.session);
    const { picking } = this.editor;
    const chosen = session.annotated.spans.find((span) => span.id === id);
    if (picking && chosen && !isAction(chosen)) {
      if (session.apply(addRole(session.annotated, picking.action, id, picking.role))) this.#pick(null);
    } else {
      session.select(id);
      if (picking) this.#pick(null);
    }
    if (focusPanel && !this.editor.picking) this.editor.focus();
  }

  #installButtons() {
    byId("undo").addEventListener("click", () => this.session?.undo());
    byId("redo").addEventListener("click", () => this.session?.redo());
    byId("by-words").addEventListener("click", () => {
      announce(t("words.help"));
      this.selecting.startWords(this.session?.selected?.id ?? null);
    });
    byId("copy-json").addEventListener("click", () => void this.#copy(toJson));
    byId("copy-csv").addEventListener("click", () => void this.#copy(triplesToCsv));
    document.addEventListener("keydown", (event) => {
      const field = event.target instanceof Element && event.target.closest("input, textarea");
      if (!this.session || field || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      if (event.code !== "KeyZ" && key !== "z" && event.code !== "KeyY" && key !== "y") return;
      if (event.code === "KeyY" || key === "y" || event.shiftKey) this.session.redo();
      else this.session.undo();
      event.preventDefault();
    });
  }

  /** @param {(session: Session) => string} write */
  async #copy(write) {
    if (this.session === null) return;
    const copied = await copy(write(this.session));
    this.#status(t(copied ? "copy.done" : "copy.failed"), !copied);
  }

  /** @param {{message: {key: string, parameters?: Record<string, string | number>}, refused: boolean}} said */
  #say({ message, refused }) {
    this.#status(t(message.key, message.parameters), refused);
  }

  /**
   * @param {string} message
   * @param {boolean} isRefusal
   */
  #status(message, isRefusal) {
    const status = byId("status");
    status.textContent = message;
    status.classList.toggle("refusal", isRefusal);
    announce(message);
  }

  #toolbar() {
    for (const [id, can] of /** @type {[string, boolean | undefined][]} */ ([
      ["undo", this.session?.canUndo],
      ["redo", this.session?.canRedo],
    ])) {
      byId(id).setAttribute("aria-disabled", String(!can));
    }
  }

  #count() {
    if (this.session === null) return;
    const { spans } = this.session.annotated;
    const actions = spans.filter(isAction).length;
    byId("counts").textContent = t("counts", { entities: spans.length - actions, actions });
    const { name, version } = this.session.model;
    byId("model").textContent = t("model", { name, version });
  }
}
