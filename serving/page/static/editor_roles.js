// The roles of the selected span: an action's participants, or the actions that an entity takes part in.

import { fillers, isAction, linksOf, mayFill, ROLES, spanOf, textOf } from "./annotated.js";
import { h, icon } from "./dom.js";
import { button, group } from "./editor_parts.js";
import { addRole, removeRole } from "./edits.js";
import { t } from "./language.js";
import { labelName, roleName, tagOf } from "./names.js";

/** @typedef {import("./annotated.js").Annotated} Annotated */
/** @typedef {import("./annotated.js").Link} Link */
/** @typedef {import("./annotated.js").Role} Role */
/** @typedef {import("./annotated.js").Span} Span */
/** @typedef {import("./editor.js").Commands} Commands */
/** @typedef {import("./session.js").Session} Session */

/** A menu offers this many spans, the nearest; any other is picked in the text. */
const NEAREST = 40;

/** The role that is added next: it stays chosen from one action to the next. @type {Role} */
let chosenRole = "actor";

/**
 * @param {Session} session
 * @param {Span} action
 * @param {{action: number, role: Role} | null} picking
 * @param {Commands} commands
 */
export function actionRoles(session, action, picking, commands) {
  const rows = ROLES.flatMap((role) => {
    const links = linksOf(session.annotated, action.id).filter((link) => link.role === role);
    const chips = links.map((link) => chip(session, link, link.entity, action, commands));
    return chips.length ? [h("dt", {}, roleName(role)), h("dd", { class: "chips" }, ...chips)] : [];
  });
  const list = rows.length ? h("dl", { class: "roles" }, ...rows) : h("p", { class: "quiet" }, t("roles.none"));
  return group(t("editor.roles"), list, picking ? pickingNote(commands) : roleForm(session, action, commands));
}

/**
 * @param {Session} session
 * @param {Span} action
 * @param {Commands} commands
 */
function roleForm(session, action, commands) {
  const entities = h("select", { "aria-label": t("roles.entity"), data: { control: "role-entity" } });
  const add = button("role-add", t("roles.add"), () =>
    session.apply(addRole(session.annotated, action.id, Number(entities.value), chosenRole)),
  );
  const offer = () => {
    const { annotated } = session;
    const taken = new Set(fillers(annotated, action.id, chosenRole).map((span) => span.id));
    const fits = (/** @type {Span} */ span) =>
      !isAction(span) && mayFill(span.label, chosenRole) && !taken.has(span.id);
    const options = nearest(annotated, action, fits).map((span) =>
      option(span.id, `${textOf(annotated, span)} — ${labelName(span.label)}`),
    );
    entities.replaceChildren(...options);
    entities.disabled = add.disabled = options.length === 0;
  };
  const roles = roleSelect(ROLES, offer);
  offer();
  const picking = button("role-pick", t("roles.pick"), () => commands.pick(action.id, chosenRole));
  return h("div", { class: "role-form" }, roles, entities, add, picking);
}

/**
 * @param {readonly Role[]} roles
 * @param {() => void} onChange
 */
function roleSelect(roles, onChange) {
  if (!roles.includes(chosenRole)) chosenRole = roles[0];
  const select = h("select", { "aria-label": t("roles.role"), data: { control: "role-role" } });
  select.append(...roles.map((role) => option(role, roleName(role))));
  select.value = chosenRole;
  select.addEventListener("change", () => {
    chosenRole = /** @type {Role} */ (select.value);
    onChange();
  });
  return select;
}

/**
 * @param {string | number} value
 * @param {string} text
 */
function option(value, text) {
  return h("option", { value }, text);
}

/** @param {Commands} commands */
function pickingNote(commands) {
  const stop = button("stop-picking", t("roles.stop-picking"), commands.stopPicking);
  return h("div", { class: "picking-note" }, h("span", {}, t("roles.picking", { role: roleName(chosenRole) })), stop);
}

/**
 * @param {Session} session
 * @param {Span} entity
 * @param {Commands} commands
 */
export function entityRoles(session, entity, commands) {
  const { annotated } = session;
  const chips = linksOf(annotated, entity.id).map((link) => chip(session, link, link.action, entity, commands));
  const list = chips.length
    ? h("div", { class: "chips" }, ...chips)
    : h("p", { class: "quiet" }, t("roles.takes-no-part"));
  const actions = h("select", { "aria-label": t("roles.action"), data: { control: "role-action" } });
  actions.append(
    ...nearest(annotated, entity, isAction).map((span) =>
      option(span.id, `${textOf(annotated, span)} — ${tagOf(span)}`),
    ),
  );
  const add = button("role-add", t("roles.add"), () => {
    const outcome = addRole(session.annotated, Number(actions.value), entity.id, chosenRole);
    session.apply("refused" in outcome ? outcome : { ...outcome, selected: entity.id });
  });
  actions.disabled = add.disabled = actions.options.length === 0;
  const roles = roleSelect(
    ROLES.filter((role) => mayFill(entity.label, role)),
    () => {},
  );
  return group(t("editor.takes-part"), list, h("div", { class: "role-form" }, roles, actions, add));
}

/**
 * A role that there is: the other span, which the button goes to, and a button that removes the role.
 *
 * @param {Session} session
 * @param {Link} link
 * @param {number} other id of the span at the other end
 * @param {Span} span the selected one
 * @param {Commands} commands
 */
function chip(session, link, other, span, commands) {
  const shown = /** @type {Span} */ (spanOf(session.annotated, other));
  const text = textOf(session.annotated, shown);
  const said = isAction(span) ? text : `${roleName(link.role)}: ${text}`;
  const going = button(`go-${link.id}`, said, () => commands.goTo(other), { dir: "auto", class: "chip-text" });
  const removing = h(
    "button",
    {
      type: "button",
      class: "chip-remove",
      "aria-label": t("roles.remove", { role: roleName(link.role), text }),
      data: { control: `remove-${link.id}` },
      on: { click: () => session.apply(removeRole(session.annotated, link.id, span.id)) },
    },
    icon("close"),
  );
  return h("span", { class: "chip", data: { label: shown.label } }, going, removing);
}

/**
 * @param {Annotated} annotated
 * @param {Span} span
 * @param {(other: Span) => boolean} fits
 * @returns {Span[]} the nearest that fit, in the order of the text
 */
function nearest(annotated, span, fits) {
  const distance = (/** @type {Span} */ other) => Math.abs(other.start - span.start);
  const found = annotated.spans.filter(fits).sort((one, other) => distance(one) - distance(other));
  return found.slice(0, NEAREST).sort((one, other) => one.start - other.start);
}
