// What the browser keeps between visits. A browser may refuse storage: the page then works without.

/**
 * @param {"local" | "session"} place `local` outlives the tab, `session` does not
 * @returns {Storage | null}
 */
function storage(place) {
  try {
    return place === "local" ? window.localStorage : window.sessionStorage;
  } catch {
    return null;
  }
}

/**
 * @param {"local" | "session"} place
 * @param {string} name
 * @returns {string | null}
 */
export function recall(place, name) {
  return storage(place)?.getItem(`musnad.${name}`) ?? null;
}

/**
 * @param {"local" | "session"} place
 * @param {string} name
 * @param {string | null} value null forgets it
 * @returns {boolean} whether it was kept
 */
export function keep(place, name, value) {
  try {
    if (value === null) storage(place)?.removeItem(`musnad.${name}`);
    else storage(place)?.setItem(`musnad.${name}`, value);
    return true;
  } catch {
    return false; // full, or switched off
  }
}
