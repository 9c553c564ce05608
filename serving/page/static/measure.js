// How much room the label under a span needs beyond the span itself, so that two labels never meet.

import { h } from "./dom.js";

/** The size of a label's letters, in those of the text. `text.css` has the same. */
export const TAG_SCALE = 0.56;
/** Between two labels, at least, in em of the text, beyond the space after the span. */
const APART = 0.08;

/** @type {CanvasRenderingContext2D | null} */
const context = document.createElement("canvas").getContext("2d");
/** @type {Map<string, number>} */
const widths = new Map();
let textFont = "";
let tagFont = "";

/**
 * Measure in this element's font from now on, and tell its style sheet how high a span is.
 *
 * @param {HTMLElement} text
 */
export function measureIn(text) {
  const { fontFamily } = getComputedStyle(text);
  const interface_ = getComputedStyle(document.body).fontFamily;
  if (textFont === `100px ${fontFamily}`) return;
  textFont = `100px ${fontFamily}`;
  tagFont = `600 100px ${interface_}`;
  widths.clear();
  const span = h("span", { class: "span" }, "\u0628");
  const probe = h("div", { class: "text off-screen" }, span); // beside the text: a long one would be laid out anew
  document.body.append(probe);
  const height = span.getBoundingClientRect().height / Number.parseFloat(getComputedStyle(span).fontSize);
  probe.remove();
  if (height > 0) text.style.setProperty("--span-height", `${height.toFixed(3)}em`);
}

/**
 * @param {string} font
 * @param {string} text
 * @returns {number} em
 */
function width(font, text) {
  const key = `${font}\n${text}`;
  let known = widths.get(key);
  if (known === undefined && context) {
    context.font = font;
    known = context.measureText(text).width / 100;
    widths.set(key, known);
  }
  return known ?? 0;
}

/**
 * Return the em by which a label is wider than the text that it stands under; 0 where it is not.
 *
 * @param {string} text
 * @param {string} tag
 */
export function excess(text, tag) {
  if (text.length > 24) return 0;
  return Math.max(0, width(tagFont, tag) * TAG_SCALE + APART - width(textFont, text));
}
