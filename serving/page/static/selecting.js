// Selecting text for a new span: with pointer or touch, or word by word with the keyboard.

import { spanOf } from "./annotated.js";
import { announce } from "./live.js";
import { nextWord, previousWord, trimmed } from "./text_units.js";

/** @typedef {import("./text_view.js").TextView} TextView */
/** @typedef {{start: number, end: number}} Range_ offsets in the text */

/** Milliseconds without a change after which a selection counts as made. */
const SETTLED = 200;

export class Selecting {
  /** @type {Range_ | null} */
  #words = null;
  #anchor = 0;
  #timer = 0;

  /**
   * @param {TextView} view
   * @param {(range: Range_) => void} propose called with what is selected: whole letters, no white space at the edges
   * @param {() => void} confirm called when the keyboard's selection is to be labelled
   */
  constructor(view, propose, confirm) {
    this.view = view;
    this.propose = propose;
    this.confirm = confirm;
    document.addEventListener("selectionchange", () => {
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#read(), SETTLED);
    });
    view.container.addEventListener("keydown", (event) => this.#onKey(event));
    view.container.addEventListener("blur", () => this.#stopWords());
  }

  /**
   * Select the first word after a span (at the text's beginning for null), to go on from there with the arrow keys.
   *
   * @param {number | null} after id of a span
   */
  startWords(after) {
    const { annotated } = this.view;
    const span = after === null ? null : spanOf(annotated, after);
    const word = nextWord(annotated.text, span?.end ?? 0, true) ?? previousWord(annotated.text, annotated.text.length);
    if (word === null) return;
    this.view.container.focus();
    this.view.container.classList.add("by-words");
    this.#anchor = word.start;
    this.#selectWords(word);
  }

  /** Select nothing. */
  clear() {
    window.clearTimeout(this.#timer);
    this.#stopWords();
    const selection = document.getSelection();
    if (selection?.anchorNode && this.view.container.contains(selection.anchorNode)) selection.removeAllRanges();
    mark(null);
  }

  /** @param {Range_} range is shown as the proposed span, also while the focus is elsewhere */
  mark(range) {
    mark(this.view.rangeOf(range.start, range.end));
  }

  #stopWords() {
    this.#words = null;
    this.view.container.classList.remove("by-words");
  }

  #read() {
    const selection = document.getSelection();
    if (!selection || selection.isCollapsed || !selection.rangeCount) return;
    const { startContainer, startOffset, endContainer, endOffset } = selection.getRangeAt(0);
    const { container } = this.view;
    if (!container.contains(startContainer) || !container.contains(endContainer)) return;
    const start = this.view.offsetOf(startContainer, startOffset);
    const end = this.view.offsetOf(endContainer, endOffset);
    const range = start === null || end === null ? null : trimmed(this.view.annotated.text, start, end);
    if (range) this.propose(range);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (this.#words === null || event.target !== this.view.container) return;
    const leftward = this.#isRightToLeft();
    if (event.key === "ArrowLeft" || event.key === "ArrowDown")
      this.#step(leftward || event.key === "ArrowDown", event.shiftKey);
    else if (event.key === "ArrowRight" || event.key === "ArrowUp")
      this.#step(!leftward && event.key === "ArrowRight", event.shiftKey);
    else if (event.key === "Enter" || event.key === " ") {
      window.clearTimeout(this.#timer);
      this.#read();
      this.confirm();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {boolean} forward
   * @param {boolean} extend
   */
  #step(forward, extend) {
    const { text } = this.view.annotated;
    const words = /** @type {Range_} */ (this.#words);
    if (!extend) {
      const word = forward ? nextWord(text, words.start) : previousWord(text, words.start);
      if (word === null) return;
      this.#anchor = word.start;
      this.#selectWords(word);
    } else if (forward && words.start === this.#anchor) {
      const word = nextWord(text, words.end, true);
      if (word) this.#selectWords({ start: words.start, end: word.end });
    } else if (forward) {
      const word = nextWord(text, words.start);
      if (word) this.#selectWords({ start: word.start, end: words.end });
    } else {
      this.#stepBack(words);
    }
  }

  /** @param {Range_} words */
  #stepBack(words) {
    const { text } = this.view.annotated;
    const last = previousWord(text, words.end);
    if (last && last.start > this.#anchor) {
      const before = previousWord(text, last.start);
      if (before) this.#selectWords({ start: words.start, end: before.end });
      return;
    }
    const word = previousWord(text, words.start);
    if (word) this.#selectWords({ start: word.start, end: words.end });
  }

  /** @param {Range_} range */
  #selectWords(range) {
    this.#words = range;
    const place = this.view.rangeOf(range.start, range.end);
    document
      .getSelection()
      ?.setBaseAndExtent(place.startContainer, place.startOffset, place.endContainer, place.endOffset);
    place.startContainer.parentElement?.scrollIntoView({ block: "nearest" });
    announce(this.view.annotated.text.slice(range.start, range.end));
  }

  #isRightToLeft() {
    const words = /** @type {Range_} */ (this.#words);
    const element = this.view.rangeOf(words.start, words.end).startContainer.parentElement;
    return element !== null && getComputedStyle(element).direction === "rtl";
  }
}

/** @param {Range | null} range is painted as `::highlight(proposed)`, where the browser can */
function mark(range) {
  if (typeof Highlight === "undefined") return;
  if (range) CSS.highlights.set("proposed", new Highlight(range));
  else CSS.highlights.delete("proposed");
}
