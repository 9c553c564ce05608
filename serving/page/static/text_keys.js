// Moving between spans by keyboard: arrows, Home and End; Enter to correct, Delete to delete, Escape to leave.

import { remove } from "./edits.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./text_view.js").TextView} TextView */

/**
 * @param {TextView} view
 * @param {() => Session | null} session
 * @param {(id: number) => void} open called to correct a span, moving the focus to its panel
 */
export function installTextKeys(view, session, open) {
  view.container.addEventListener("keydown", (event) => {
    const id = view.focusedId();
    const current = session();
    if (id === null || current === null || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") open(id);
    else if (event.key === "Delete" || event.key === "Backspace") deleteSpan(view, current, id);
    else if (event.key === "Escape") current.select(null);
    else if (!moveFocus(view, id, event.key)) return;
    event.preventDefault();
  });
}

/**
 * @param {TextView} view
 * @param {Session} session
 * @param {number} id
 */
function deleteSpan(view, session, id) {
  const { spans } = session.annotated;
  const index = spans.findIndex((span) => span.id === id);
  const next = spans[index + 1] ?? spans[index - 1];
  if (!session.apply(remove(session.annotated, id))) return;
  if (next) view.focus(next.id);
  else view.container.focus();
}

/**
 * @param {TextView} view
 * @param {number} id
 * @param {string} key
 * @returns {boolean} whether the key moves at all
 */
function moveFocus(view, id, key) {
  const { spans } = view.annotated;
  const index = spans.findIndex((span) => span.id === id);
  const element = view.element(id);
  const leftward = element !== null && getComputedStyle(element).direction === "rtl" ? 1 : -1;
  const steps = {
    ArrowLeft: leftward,
    ArrowRight: -leftward,
    ArrowDown: 1,
    ArrowUp: -1,
    Home: -spans.length,
    End: spans.length,
  };
  const step = /** @type {Record<string, number>} */ (steps)[key];
  if (step === undefined) return false;
  view.focus(spans[Math.min(Math.max(index + step, 0), spans.length - 1)].id);
  return true;
}
