// A text area that keeps its text exactly. Browsers turn CR and CRLF into LF in a text area; here what was pasted,
// dropped or opened stays as it was, and only what is typed over it changes.

export class ExactText {
  #exact = "";
  /** @type {{before: string, start: number, end: number, text: string} | null} */
  #pasted = null;

  /** @param {HTMLTextAreaElement} area */
  constructor(area) {
    this.area = area;
    area.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      this.#pasted = { before: area.value, start: area.selectionStart, end: area.selectionEnd, text };
    });
    area.addEventListener("input", () => this.#follow());
  }

  get value() {
    return this.#exact;
  }

  set value(text) {
    this.area.value = text;
    this.#exact = shownAs(text) === this.area.value ? text : this.area.value;
  }

  /** Bring the exact text to what the area shows now. */
  #follow() {
    const shown = this.area.value;
    const pasted = this.#pasted;
    this.#pasted = null;
    if (pasted) {
      const head = exactLength(this.#exact, pasted.start);
      const tail = exactLength(this.#exact, pasted.end);
      const text = this.#exact.slice(0, head) + pasted.text + this.#exact.slice(tail);
      if (shownAs(text) === shown) {
        this.#exact = text;
        return;
      }
    }
    const before = shownAs(this.#exact);
    const head = commonPrefix(before, shown);
    const tail = commonSuffix(before, shown, head);
    const middle = shown.slice(head, shown.length - tail);
    const from = exactLength(this.#exact, head);
    const to = exactLength(this.#exact, before.length - tail);
    this.#exact = this.#exact.slice(0, from) + middle + this.#exact.slice(to);
  }
}

/**
 * Return what a text area shows of a text.
 *
 * @param {string} text
 */
export function shownAs(text) {
  return text.replace(/\r\n?/g, "\n");
}

/**
 * Return the length of the beginning of `exact` that is shown as `shown` code units.
 *
 * @param {string} exact
 * @param {number} shown
 */
export function exactLength(exact, shown) {
  let rest = shown;
  let at = 0;
  for (const { index } of exact.matchAll(/\r\n/g)) {
    if (index - at >= rest) break;
    rest -= index - at + 1;
    at = index + 2;
  }
  return at + rest;
}

/**
 * @param {string} one
 * @param {string} other
 */
function commonPrefix(one, other) {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one[length] === other[length]) length++;
  return length;
}

/**
 * @param {string} one
 * @param {string} other
 * @param {number} prefix that is left out
 */
function commonSuffix(one, other, prefix) {
  const most = Math.min(one.length, other.length) - prefix;
  let length = 0;
  while (length < most && one[one.length - 1 - length] === other[other.length - 1 - length]) length++;
  return length;
}
