// Cutting an annotated text into blocks that are drawn by themselves: paragraphs, so that each has a direction of its
// own and a correction redraws little of a long text.

import { lowerBound } from "./text_units.js";

/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./annotated.js").Span} Span */
/**
 * @typedef {object} Block
 * @property {number} start
 * @property {number} end
 * @property {Span[]} spans
 * @property {"auto" | "rtl" | "ltr"} dir `auto` for whole lines; a piece of a line has the direction of the line
 */

/** With more lines than this, lines share blocks. */
const LINES = 2000;
/** A longer line is cut into pieces, which browsers lay out in a time that grows faster than their length. */
const LONG = 3000;
/** The end of a sentence, and any white space: where a line may be cut, the better place first. */
const PLACES = [/[.!?؟…][»”")\]]*\s+/g, /\s+/g];
const STRONG = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]|\p{L}/u;
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/**
 * Return blocks that hold the whole text, line breaks included, none of which cuts a span.
 *
 * @param {Annotated} annotated
 * @returns {Block[]}
 */
export function cutBlocks(annotated) {
  const { text, spans } = annotated;
  const lines = lineEnds(text);
  const shortest = lines.length > LINES ? Math.ceil(text.length / LINES) : 1;
  /** @type {Block[]} */
  const blocks = [];
  let start = 0;
  let first = 0;
  let next = 0; // the first span that begins at or after the block's end
  let reaching = 0; // where the spans before it end
  let lineStart = 0;
  for (const end of ends(text, lines)) {
    while (next < spans.length && spans[next].start < end) reaching = Math.max(reaching, spans[next++].end);
    const isLast = end === text.length;
    const isPiece = start !== lineStart;
    if (((end - start < shortest && !isPiece) || reaching > end) && !isLast) continue;
    const endsLine = isLast || text[end - 1] === "\n";
    const dir = endsLine && !isPiece ? "auto" : directionAt(text, lineStart);
    if (end > start) blocks.push({ start, end, spans: spans.slice(first, next), dir });
    start = end;
    first = next;
    if (endsLine) lineStart = end;
  }
  return blocks;
}

/** @param {string} text */
function lineEnds(text) {
  const found = [];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) found.push(at + 1);
  if (text && !text.endsWith("\n")) found.push(text.length);
  return found;
}

/**
 * Yield the ends of the lines, and of the pieces of long ones.
 *
 * @param {string} text
 * @param {number[]} lines where the lines end
 */
function* ends(text, lines) {
  let start = 0;
  for (const end of lines) {
    while (end - start > LONG) {
      const place = placeToCut(text, start, end);
      if (place === null) break;
      yield place;
      start = place;
    }
    yield end;
    start = end;
  }
}

/**
 * @param {string} text
 * @param {number} start
 * @param {number} end of the line
 * @returns {number | null} null where there is no white space to cut at
 */
function placeToCut(text, start, end) {
  const reach = text.slice(start, Math.min(start + LONG, end - 1));
  for (const pattern of PLACES) {
    const last = [...reach.matchAll(pattern)].pop();
    if (last && last.index > LONG / 2) return start + last.index + last[0].length;
  }
  const space = /\s+/g;
  space.lastIndex = start + reach.length;
  const found = space.exec(text);
  return found && found.index + found[0].length < end ? found.index + found[0].length : null;
}

/**
 * Return the direction of a line: that of its first letter.
 *
 * @param {string} text
 * @param {number} start of the line
 */
function directionAt(text, start) {
  const lineEnd = text.indexOf("\n", start);
  const letter = STRONG.exec(text.slice(start, lineEnd === -1 ? text.length : lineEnd));
  return letter && !RIGHT_TO_LEFT.test(letter[0]) ? "ltr" : "rtl";
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
    one.dir === other.dir &&
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
