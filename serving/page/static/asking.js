// Questions that wait for an answer, and the API key.

import { byId } from "./dom.js";
import { keep } from "./storage.js";

/**
 * Ask in a modal dialog of `index.html`; its buttons' values are the answers.
 *
 * @param {string} id
 * @returns {Promise<string>} the pressed button's value; "" where the dialog was closed
 */
export function ask(id) {
  const dialog = byId(id, HTMLDialogElement);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

/** Let the buttons of all dialogs close them. */
export function installDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    for (const button of dialog.querySelectorAll("button"))
      button.addEventListener("click", () => dialog.close(button.value));
  }
}

/**
 * Ask for an API key, which is kept for this tab.
 *
 * @param {string | null} complaint what was wrong with the key before
 * @returns {Promise<boolean>} whether one was given
 */
export async function askForKey(complaint) {
  const field = byId("key", HTMLInputElement);
  byId("key-problem").textContent = complaint ?? "";
  byId("key-problem").hidden = complaint === null;
  const onEnter = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.isComposing) byId("key-dialog", HTMLDialogElement).close("use");
  };
  field.addEventListener("keydown", onEnter);
  const answer = await ask("key-dialog");
  field.removeEventListener("keydown", onEnter);
  const key = field.value.trim();
  field.value = "";
  if (answer !== "use" || !key) return false;
  keep("session", "key", key);
  return true;
}
