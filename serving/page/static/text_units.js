// The units of a text: UTF-16 code units (what a JavaScript string is indexed by), code points (what annotations count
// in), graphemes (what a reader takes for one letter: a base with its marks, an emoji sequence), and words.

const GRAPHEMES = new Intl.Segmenter("ar", { granularity: "grapheme" });
const WORDS = new Intl.Segmenter("ar", { granularity: "word" });
/** What Python's `str.strip` takes for white space, and U+FEFF. */
const SPACE = /^[\s\x1c-\x1f\x85]+$/;
const LETTER = /[\p{L}\p{M}\u0640]/u;

/** @typedef {{text: string, graphemes: Intl.Segments, words: Intl.Segments}} Segmented */
/** @type {Segmented} */
let latest = { text: "", graphemes: GRAPHEMES.segment(""), words: WORDS.segment("") };

/**
 * Segmenting copies the text, so that of the latest one is kept.
 *
 * @param {string} text
 */
function segmented(text) {
  if (latest.text !== text) latest = { text, graphemes: GRAPHEMES.segment(text), words: WORDS.segment(text) };
  return latest;
}

/**
 * @param {Intl.Segments} segments
 * @param {number} offset inside the text
 * @returns {{start: number, end: number, visible: boolean, isWord: boolean}} the segment that holds the offset
 */
function segmentAt(segments, offset) {
  const found = segments.containing(offset);
  if (!found) throw new RangeError(`offset ${offset} is outside the text`);
  const { index, segment, isWordLike } = found;
  return { start: index, end: index + segment.length, visible: !SPACE.test(segment), isWord: Boolean(isWordLike) };
}

/**
 * Return what counts the code points before a UTF-16 offset of `text`. A lone surrogate counts as one code point. The
 * function throws RangeError for an offset outside the text or inside a surrogate pair.
 *
 * @param {string} text
 * @returns {(offset: number) => number}
 */
export function codePointCounter(text) {
  /** @type {number[]} */
  const pairs = []; // the offset of each pair's second half
  for (const match of text.matchAll(/[\u{10000}-\u{10ffff}]/gu)) pairs.push(match.index + 1);
  return (offset) => {
    if (!Number.isInteger(offset) || offset < 0 || offset > text.length) {
      throw new RangeError(`offset ${offset} is outside the text`);
    }
    const before = lowerBound(pairs, offset);
    if (pairs[before] === offset) throw new RangeError(`offset ${offset} is inside a character`);
    return offset - before;
  };
}

/**
 * Return how many of the ascending `values` are less than `value`.
 *
 * @param {number[]} values
 * @param {number} value
 */
export function lowerBound(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Return the nearest grapheme boundary before `offset` that has no white space between it and the boundary after; null
 * at the text's beginning.
 *
 * @param {string} text
 * @param {number} offset
 */
export function letterBefore(text, offset) {
  const { graphemes } = segmented(text);
  for (let at = offset; at > 0;) {
    const { start, visible } = segmentAt(graphemes, at - 1);
    if (visible) return start;
    at = start;
  }
  return null;
}

/**
 * Return the nearest grapheme boundary after `offset` that has no white space just before it; null at the text's end.
 *
 * @param {string} text
 * @param {number} offset
 */
export function letterAfter(text, offset) {
  const { graphemes } = segmented(text);
  for (let at = offset; at < text.length;) {
    const { end, visible } = segmentAt(graphemes, at);
    if (visible) return end;
    at = end;
  }
  return null;
}

/**
 * Return the first word that begins after `offset` (at it or after it with `orAt`).
 *
 * @param {string} text
 * @param {number} offset
 * @param {boolean} [orAt]
 * @returns {{start: number, end: number} | null}
 */
export function nextWord(text, offset, orAt = false) {
  const { words } = segmented(text);
  for (let at = offset; at < text.length;) {
    const { start, end, isWord } = segmentAt(words, at);
    if (isWord && (start > offset || (orAt && start === offset))) return wholeGraphemes(text, start, end);
    at = end;
  }
  return null;
}

/**
 * Return the last word that begins before `offset`.
 *
 * @param {string} text
 * @param {number} offset
 * @returns {{start: number, end: number} | null}
 */
export function previousWord(text, offset) {
  const { words } = segmented(text);
  for (let at = offset; at > 0;) {
    const { start, end, isWord } = segmentAt(words, at - 1);
    if (isWord) return wholeGraphemes(text, start, end);
    at = start;
  }
  return null;
}

/**
 * Widen a range to whole graphemes.
 *
 * @param {string} text
 * @param {number} start
 * @param {number} end
 */
export function wholeGraphemes(text, start, end) {
  const { graphemes } = segmented(text);
  if (start >= end) return { start, end };
  return { start: segmentAt(graphemes, start).start, end: segmentAt(graphemes, end - 1).end };
}

/**
 * Return a range of whole graphemes without white space at its edges; null where nothing else is in it.
 *
 * @param {string} text
 * @param {number} start
 * @param {number} end
 */
export function trimmed(text, start, end) {
  if (start >= end) return null;
  const whole = wholeGraphemes(text, start, end);
  const firstEnd = letterAfter(text, whole.start);
  const lastStart = letterBefore(text, whole.end);
  if (firstEnd === null || lastStart === null || lastStart < whole.start) return null;
  const begin = letterBefore(text, firstEnd);
  return { start: begin ?? whole.start, end: letterAfter(text, lastStart) ?? whole.end };
}

/**
 * Whether two letters of one word meet at `offset`: «لـ|لأردن».
 *
 * @param {string} text
 * @param {number} offset
 */
export function isInsideWord(text, offset) {
  return offset > 0 && offset < text.length && LETTER.test(text[offset - 1]) && LETTER.test(text[offset]);
}

const INVISIBLE =
  /[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0898-\u089f\u08ca-\u08ff\u0640\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u034f\ufe00-\ufe0f]/g;

/**
 * Return a text's letters: no tashkeel, tatweel or invisible characters, one space for each run of white space.
 *
 * @param {string} text
 */
export function plain(text) {
  const spelled = text
    .replace(/[\ufc5e-\ufc63\ufe70\ufe72\ufe74\ufe76\ufe78\ufe7a\ufe7c\ufe7e]/g, "")
    .normalize("NFKC");
  return spelled.replace(INVISIBLE, "").replace(/\s+/g, " ").trim();
}
