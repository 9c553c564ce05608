// The panel for the selected span: its label, its borders, an action's class and factuality, its roles.

import { FACTUALITIES, isAction, textOf } from "./annotated.js";
import { h, icon } from "./dom.js";
import { button, classSelect, group, heading, labelButtons } from "./editor_parts.js";
import { actionRoles, entityRoles } from "./editor_roles.js";
import { moveBorder, relabel, remove, setAction } from "./edits.js";
import { t } from "./language.js";
import { factualityName, labelName } from "./names.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./annotated.js").Span} Span */
/** @typedef {import("./annotated.js").Role} Role */
/** @typedef {import("./editor.js").Commands} Commands */

/**
 * @param {Session} session
 * @param {Span} span
 * @param {{action: number, role: Role} | null} picking
 * @param {Commands} commands
 * @returns {HTMLElement[]}
 */
export function spanPanel(session, span, picking, commands) {
  const { annotated } = session;
  const action = isAction(span);
  return [
    heading(textOf(annotated, span), labelName(span.label), span.label, commands.close),
    labelButtons(span.label, (label) => session.apply(relabel(session.annotated, span.id, label))),
    ...(action ? actionFields(session, span) : []),
    action ? actionRoles(session, span, picking, commands) : entityRoles(session, span, commands),
    borders(session, span),
    h(
      "div",
      { class: "field" },
      h(
        "button",
        {
          type: "button",
          class: "danger",
          data: { control: "delete" },
          on: { click: () => deleted(session, span, commands) },
        },
        icon("delete"),
        t("editor.delete"),
      ),
    ),
  ];
}

/**
 * @param {Session} session
 * @param {Span} span
 * @param {Commands} commands
 */
function deleted(session, span, commands) {
  if (session.apply(remove(session.annotated, span.id))) commands.close();
}

/**
 * @param {Session} session
 * @param {Span} action
 */
function actionFields(session, action) {
  const factualities = FACTUALITIES.map((factuality) =>
    button(
      `factuality-${factuality}`,
      factualityName(factuality),
      () => session.apply(setAction(session.annotated, action.id, { factuality })),
      { "aria-pressed": String(factuality === action.factuality) },
    ),
  );
  const choose = (/** @type {string} */ eventClass) =>
    session.apply(setAction(session.annotated, action.id, { eventClass }));
  return [
    group(t("editor.class"), classSelect(action.eventClass, choose)),
    group(t("editor.factuality"), h("div", { class: "segments" }, ...factualities)),
  ];
}

/**
 * @param {Session} session
 * @param {Span} span
 */
function borders(session, span) {
  const row = (/** @type {"start" | "end"} */ edge) => {
    const steps = /** @type {const} */ ([
      ["word", "earlier"],
      ["letter", "earlier"],
      ["letter", "later"],
      ["word", "later"],
    ]);
    const buttons = steps.map(([unit, direction]) =>
      button(
        `${edge}-${unit}-${direction}`,
        t(`border.${unit}-${direction}`),
        () => session.apply(moveBorder(session.annotated, span.id, edge, unit, direction)),
        { "aria-label": `${t(`border.${edge}`)}: ${t(`border.${unit}-${direction}`)}` },
      ),
    );
    return h(
      "div",
      { class: "border-row" },
      h("span", { "aria-hidden": "true" }, t(`border.${edge}`)),
      h("div", { class: "segments" }, ...buttons),
    );
  };
  return group(t("editor.borders"), row("start"), row("end"));
}
