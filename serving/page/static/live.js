// What a screen reader says without being asked.

import { byId } from "./dom.js";

/** @param {string} message */
export function announce(message) {
  const region = byId("live");
  // the same message twice in a row would not be read again
  region.textContent = region.textContent === message ? `${message}\u00a0` : message;
}
