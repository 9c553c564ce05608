// Controls that the panels of the editor share.

import { ACTION_LABEL, CLASSES, ENTITY_LABELS } from "./annotated.js";
import { h, icon } from "./dom.js";
import { t } from "./language.js";
import { className, labelName } from "./names.js";

/**
 * @param {string} control name by which the control is found again when the panel is drawn anew
 * @param {string} text
 * @param {() => void} onClick
 * @param {Record<string, any>} [props]
 */
export function button(control, text, onClick, props = {}) {
  return h("button", { type: "button", data: { control }, on: { click: onClick }, ...props }, text);
}

/**
 * The panel's first line: what it is about, and the button that closes it.
 *
 * @param {string} text
 * @param {string} kind
 * @param {string} label colours the line
 * @param {() => void} close
 */
export function heading(text, kind, label, close) {
  const closing = h(
    "button",
    {
      type: "button",
      class: "icon-button",
      "aria-label": t("editor.close"),
      data: { control: "close" },
      on: { click: close },
    },
    icon("close"),
  );
  return h(
    "header",
    { class: "editor-heading" },
    h(
      "h2",
      { data: { label } },
      h("span", { class: "editor-text", dir: "auto" }, text),
      h("span", { class: "editor-kind" }, kind),
    ),
    closing,
  );
}

/**
 * A button for each label of entities, and one for actions.
 *
 * @param {string | null} chosen
 * @param {(label: string) => void} choose
 */
export function labelButtons(chosen, choose) {
  const labels = [...ENTITY_LABELS, ACTION_LABEL];
  const buttons = labels.map((label, index) =>
    h(
      "button",
      {
        type: "button",
        class: "label-button",
        "aria-pressed": chosen === null ? null : String(label === chosen),
        data: { control: `label-${label}`, label, ...(index === 0 ? { first: "" } : {}) },
        on: { click: () => choose(label) },
      },
      labelName(label),
    ),
  );
  return group(t("editor.label"), h("div", { class: "label-buttons" }, ...buttons));
}

/**
 * @param {string} name
 * @param {...HTMLElement} children
 */
export function group(name, ...children) {
  return h(
    "div",
    { class: "field", role: "group", "aria-label": name },
    h("p", { class: "field-name", "aria-hidden": "true" }, name),
    ...children,
  );
}

/**
 * @param {string | null} chosen
 * @param {(eventClass: string) => void} choose
 */
export function classSelect(chosen, choose) {
  const options = CLASSES.map((name) =>
    h("option", { value: name, selected: name === chosen }, `${className(name)} — ${name}`),
  );
  return h(
    "select",
    {
      data: { control: "class" },
      "aria-label": t("editor.class"),
      on: { change: (/** @type {any} */ event) => choose(event.target.value) },
    },
    ...options,
  );
}
