// The panel for selected text that may become a span.

import { overlapping, textOf } from "./annotated.js";
import { h } from "./dom.js";
import { addSpan } from "./edits.js";
import { heading, labelButtons } from "./editor_parts.js";
import { t } from "./language.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./editor.js").Commands} Commands */

/**
 * @param {Session} session
 * @param {{start: number, end: number}} range
 * @param {Commands} commands
 * @returns {HTMLElement[]}
 */
export function newSpanPanel(session, range, commands) {
  const { annotated } = session;
  const covered = overlapping(annotated, range.start, range.end);
  const names = covered.map((span) => `«${textOf(annotated, span)}»`).join(t("list.comma"));
  const warning = covered.length ? h("p", { class: "warning" }, t("new.replaces", { spans: names })) : null;
  return [
    heading(annotated.text.slice(range.start, range.end), t("new.kind"), "", commands.close),
    ...(warning ? [warning] : []),
    labelButtons(null, (label) => session.apply(addSpan(annotated, range.start, range.end, label))),
  ];
}
