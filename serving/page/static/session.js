// One analysed text being corrected: what it was, what it is, undo and redo, and which span is selected.

import { spanOf } from "./annotated.js";

/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./edits.js").Done} Done */
/** @typedef {import("./edits.js").Refused} Refused */
/** @typedef {import("./edits.js").Message} Message */
/** @typedef {{name: string, version: string}} Model */

const STEPS_KEPT = 500;

/**
 * Events: `change` after the annotated text changed, `select` after another span is selected or none, `message` with
 * what was done or refused.
 */
export class Session extends EventTarget {
  /** @type {Annotated[]} */
  #past = [];
  /** @type {Annotated[]} */
  #future = [];
  /** @type {Annotated} */
  #saved;
  /** @type {number | null} */
  #selected = null;

  /**
   * @param {Annotated} annotated what the model found
   * @param {Model} model
   * @param {Map<string, number>} tripleScores
   */
  constructor(annotated, model, tripleScores) {
    super();
    this.annotated = annotated;
    this.model = model;
    this.tripleScores = tripleScores;
    this.#saved = annotated;
  }

  /** Whether there are corrections that are not saved. */
  get unsaved() {
    return this.annotated !== this.#saved;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** The selected span, if any. */
  get selected() {
    return this.#selected === null ? null : spanOf(this.annotated, this.#selected);
  }

  /** @param {number | null} id */
  select(id) {
    if (id === this.#selected) return;
    this.#selected = id;
    this.dispatchEvent(new Event("select"));
  }

  /**
   * Make a correction, and say so.
   *
   * @param {Done | Refused} outcome
   * @returns {boolean} whether it was made
   */
  apply(outcome) {
    if ("refused" in outcome) {
      this.#say(outcome.refused, true);
      return false;
    }
    this.#past.push(this.annotated);
    if (this.#past.length > STEPS_KEPT) this.#past.shift();
    this.#future = [];
    this.#show(outcome.annotated, outcome.selected);
    this.#say(outcome.message, false);
    return true;
  }

  undo() {
    const before = this.#past.pop();
    if (!before) return;
    this.#future.push(this.annotated);
    this.#show(before, this.#selected);
    this.#say({ key: "done.undone" }, false);
  }

  redo() {
    const after = this.#future.pop();
    if (!after) return;
    this.#past.push(this.annotated);
    this.#show(after, this.#selected);
    this.#say({ key: "done.redone" }, false);
  }

  /** @param {Annotated} annotated what the service has stored */
  markSaved(annotated) {
    this.#saved = annotated;
    this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {Annotated} annotated
   * @param {number | null} selected
   */
  #show(annotated, selected) {
    this.annotated = annotated;
    this.#selected = selected !== null && spanOf(annotated, selected) ? selected : null;
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("select"));
  }

  /**
   * @param {Message} message
   * @param {boolean} refused
   */
  #say(message, refused) {
    this.dispatchEvent(new CustomEvent("message", { detail: { message, refused } }));
  }
}
