// The annotated text on the page: exactly the caller's text, in which spans are elements.

import { isAction, textOf } from "./annotated.js";
import { blockAt, cutBlocks, sameBlock } from "./blocks.js";
import { h } from "./dom.js";
import { onLanguageChange, t } from "./language.js";
import { excess, measureIn } from "./measure.js";
import { className, factualityName, labelName, tagOf } from "./names.js";
import { isInsideWord } from "./text_units.js";

/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./annotated.js").Span} Span */
/** @typedef {import("./blocks.js").Block} Block */

export class TextView {
  /** @type {Annotated} */
  #annotated = { text: "", spans: [], links: [] };
  /** @type {Block[]} */
  #blocks = [];
  /** @type {HTMLElement[]} */
  #elements = [];
  /** @type {Map<number, HTMLElement>} */
  #spans = new Map();
  /** @type {number | null} the span that the tab key reaches */
  #reachable = null;
  /** @type {number | null} */
  #selected = null;

  /** @param {HTMLElement} container */
  constructor(container) {
    this.container = container;
    onLanguageChange(() => this.#redraw());
  }

  get annotated() {
    return this.#annotated;
  }

  /** @param {Annotated} annotated */
  show(annotated) {
    measureIn(this.container);
    const focused = this.focusedId();
    this.#annotated = annotated;
    const blocks = cutBlocks(annotated);
    const known = new Map(this.#blocks.map((block, index) => [block.start, index]));
    const elements = blocks.map((block) => {
      const before = known.get(block.start);
      const unchanged = before !== undefined && sameBlock(this.#blocks[before], block);
      return unchanged ? this.#elements[before] : this.#draw(block);
    });
    this.#spans = new Map();
    for (const element of elements) {
      for (const span of element.querySelectorAll("[data-id]")) {
        this.#spans.set(Number(/** @type {HTMLElement} */ (span).dataset.id), /** @type {HTMLElement} */ (span));
      }
    }
    replaceChildren(this.container, elements);
    this.#blocks = blocks;
    this.#elements = elements;
    this.#restore(focused);
  }

  /** @param {number} id */
  element(id) {
    return this.#spans.get(id) ?? null;
  }

  /** @returns {number | null} the span that has the keyboard's focus */
  focusedId() {
    const focused = document.activeElement;
    const inside = focused instanceof HTMLElement && this.container.contains(focused) && focused.dataset.id;
    return inside ? Number(focused.dataset.id) : null;
  }

  /** @param {number} id */
  focus(id) {
    this.#reach(id);
    this.element(id)?.focus();
  }

  /** @param {number | null} id */
  markSelected(id) {
    if (this.#selected !== null) this.element(this.#selected)?.removeAttribute("aria-current");
    this.#selected = id;
    if (id === null) return;
    this.element(id)?.setAttribute("aria-current", "true");
    this.#reach(id);
  }

  /**
   * Return the offset in the text of a place in the container; null elsewhere.
   *
   * @param {Node} node
   * @param {number} offset
   */
  offsetOf(node, offset) {
    if (node === this.container) {
      return offset >= this.#blocks.length ? this.#annotated.text.length : this.#blocks[offset].start;
    }
    const index = this.#elements.findIndex((element) => element.contains(node));
    if (index === -1) return null;
    const range = document.createRange();
    range.setStart(this.#elements[index], 0);
    range.setEnd(node, offset);
    return this.#blocks[index].start + range.toString().length;
  }

  /**
   * Return the part of the container that [start, end) of the text is.
   *
   * @param {number} start
   * @param {number} end
   */
  rangeOf(start, end) {
    const range = document.createRange();
    range.setStart(...this.#place(start, false));
    range.setEnd(...this.#place(end, true));
    return range;
  }

  /**
   * @param {number} offset
   * @param {boolean} isEnd whether the place is to be behind what it follows, not before what comes next
   * @returns {[Node, number]}
   */
  #place(offset, isEnd) {
    const index = Math.min(blockAt(this.#blocks, isEnd && offset > 0 ? offset - 1 : offset), this.#blocks.length - 1);
    let rest = offset - this.#blocks[index].start;
    const walker = document.createTreeWalker(this.#elements[index], NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const length = node.nodeValue?.length ?? 0;
      if (rest < length || (isEnd && rest === length)) return [node, rest];
      rest -= length;
    }
    return [this.#elements[index], this.#elements[index].childNodes.length];
  }

  #redraw() {
    this.#blocks = []; // the labels are in another language
    this.show(this.#annotated);
  }

  /** @param {number | null} focused */
  #restore(focused) {
    const { spans } = this.#annotated;
    const reachable = this.#reachable !== null && this.#spans.has(this.#reachable) ? this.#reachable : spans[0]?.id;
    this.#reachable = null;
    if (reachable !== undefined) this.#reach(reachable);
    this.markSelected(this.#selected);
    if (focused !== null && this.focusedId() === null) this.element(focused)?.focus();
  }

  /** @param {number} id */
  #reach(id) {
    if (this.#reachable !== null) this.element(this.#reachable)?.setAttribute("tabindex", "-1");
    this.#reachable = id;
    this.element(id)?.setAttribute("tabindex", "0");
  }

  /** @param {Block} block */
  #draw(block) {
    const { text } = this.#annotated;
    const element = h("p", { class: block.dir === "auto" ? "block" : "block piece", dir: block.dir });
    let at = block.start;
    for (const span of block.spans) {
      if (span.start < at) continue; // the model's spans never overlap; were they to, the text would still be whole
      if (span.start > at) element.append(text.slice(at, span.start));
      element.append(this.#drawSpan(span));
      at = span.end;
    }
    if (at < block.end) element.append(text.slice(at, block.end));
    return element;
  }

  /** @param {Span} span */
  #drawSpan(span) {
    const { text } = this.#annotated;
    const covered = textOf(this.#annotated, span);
    const tag = tagOf(span);
    const joinedEnd = isInsideWord(text, span.end);
    const joined = `${isInsideWord(text, span.start) ? " joined-start" : ""}${joinedEnd ? " joined-end" : ""}`;
    const element = h(
      "span",
      {
        class: `span ${isAction(span) ? "action" : "entity"}${joined}`,
        role: "button",
        tabindex: "-1",
        "aria-label": spokenName(span, covered),
        data: {
          id: String(span.id),
          label: span.label,
          tag,
          ...(span.factuality ? { factuality: span.factuality } : {}),
        },
      },
      covered,
    );
    const room = joinedEnd ? 0 : excess(covered, tag);
    if (room > 0) element.style.setProperty("--room", `${room.toFixed(2)}em`);
    return element;
  }
}

/**
 * @param {Span} span
 * @param {string} covered
 */
function spokenName(span, covered) {
  if (!isAction(span)) return t("spoken.entity", { text: covered, label: labelName(span.label) });
  const names = { class: className(span.eventClass), factuality: factualityName(span.factuality) };
  return t("spoken.action", { text: covered, ...names });
}

/**
 * Make `elements` the children, leaving alone those that stay.
 *
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} elements
 */
function replaceChildren(parent, elements) {
  const kept = new Set(elements);
  for (const child of [...parent.children]) if (!kept.has(/** @type {HTMLElement} */ (child))) child.remove();
  elements.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}
