// The box of a node around its text: cytoscape draws the text, and is told how large the box is.

/** The letters of a node, in pixels of the graph. */
export const NODE_LETTERS = 14;
/** Text is broken into lines of at most this width. */
export const LINE_WIDTH = 160;
const LINE_HEIGHT = 1.5;
const ROOM = 9;

/** @type {CanvasRenderingContext2D | null} */
const context = document.createElement("canvas").getContext("2d");

/**
 * @param {string} text
 * @param {string} fontFamily
 * @returns {{width: number, height: number}}
 */
export function boxOf(text, fontFamily) {
  if (context) context.font = `${NODE_LETTERS}px ${fontFamily}`;
  const widthOf = (/** @type {string} */ line) => context?.measureText(line).width ?? LINE_WIDTH;
  let lines = 0;
  let widest = 0;
  for (const paragraph of text.split("\n")) {
    let line = "";
    lines += 1;
    for (const word of paragraph.split(" ")) {
      const longer = line ? `${line} ${word}` : word;
      if (line && widthOf(longer) > LINE_WIDTH) {
        lines += 1;
        line = word;
      } else line = longer;
      widest = Math.max(widest, widthOf(line));
    }
  }
  return { width: Math.ceil(widest) + 2 * ROOM, height: Math.ceil(lines * NODE_LETTERS * LINE_HEIGHT) + ROOM };
}
