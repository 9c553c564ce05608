// Asking the service, and for an API key where it wants one.

import { askForKey } from "./asking.js";
import { t } from "./language.js";
import { ServiceError } from "./service.js";
import { recall } from "./storage.js";

/**
 * @template T
 * @param {() => Promise<T>} request
 * @returns {Promise<T>} what the request gives, repeated with another key for as long as one is given and refused
 */
export async function withKey(request) {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof ServiceError) || (error.status !== 401 && error.status !== 403)) throw error;
      const complaint = error.status === 403 ? "problem.forbidden" : "problem.unauthorized";
      if (!(await askForKey(recall("session", "key") === null ? null : t(complaint)))) throw error;
    }
  }
}
