// Cutting an annotated text into blocks that are drawn by themselves: paragraphs, so that each has a direction of its
// own and a correction redraws little of a long text.

import { lowerBound } from "./text_units.js";

/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./annotated.js").Span} Span */
/** @typedef {{start: number, end: number, spans: Span[]}} Block */

/** With more lines than this, lines share blocks. */
const LINES = 2000;

/**
 * Return blocks that hold the whole text, line breaks included, none of which cuts a span.
 *
 * @param {Annotated} annotated
 * @returns {Block[]}
 */
export function cutBlocks(annotated) {
  const { text, spans } = annotated;
  const breaks = lineEnds(text);
  const shortest = breaks.length > LINES ? Math.ceil(text.length / LINES) : 1;
  /** @type {Block[]} */
  const blocks = [];
  let start = 0;
  let first = 0;
  let next = 0; // the first span that begins at or after the line's end
  let reaching = 0; // where the spans before it end
  for (const end of [...breaks, text.length]) {
    while (next < spans.length && spans[next].start < end) reaching = Math.max(reaching, spans[next++].end);
    const isLast = end === text.length;
    if ((end - start < shortest || reaching > end) && !isLast) continue;
    if (end > start) blocks.push({ start, end, spans: spans.slice(first, next) });
    start = end;
    first = next;
  }
  return blocks;
}

/** @param {string} text */
function lineEnds(text) {
  const ends = [];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) ends.push(at + 1);
  return ends;
}

/**
 * Whether two blocks look the same, wherever they stand.
 *
 * @param {Block} one
 * @param {Block} other
 */
export function sameBlock(one, other) {
  return (
    one.start === other.start &&
    one.end === other.end &&
    one.spans.length === other.spans.length &&
    one.spans.every((span, index) => span === other.spans[index])
  );
}

/**
 * Return the index of the block that holds an offset.
 *
 * @param {Block[]} blocks
 * @param {number} offset
 */
export function blockAt(blocks, offset) {
  return lowerBound(
    blocks.map((block) => block.end),
    offset + 1,
  );
}
