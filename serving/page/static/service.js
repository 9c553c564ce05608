// The HTTP service that the page belongs to.

import { recall } from "./storage.js";

/** @typedef {{field: string, message: string}} FieldError */
/** @typedef {{name: string, version: string}} Model */

/** The service answered with an error: problem details (RFC 9457), or what a proxy in between said instead. */
export class ServiceError extends Error {
  /**
   * @param {number} status 0 where there was no answer at all
   * @param {string} kind the last part of the problem's type, such as `invalid-request`
   * @param {string} detail
   * @param {FieldError[]} errors
   * @param {number | null} retryAfter seconds
   */
  constructor(status, kind, detail, errors = [], retryAfter = null) {
    super(detail || kind);
    this.status = status;
    this.kind = kind;
    this.detail = detail;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }
}

/** @param {any} details the problem details of a document that could not be processed */
export function problemOf(details) {
  const kind =
    String(details.type ?? "")
      .split(":")
      .pop() ?? "";
  const errors = Array.isArray(details.errors) ? details.errors : [];
  return new ServiceError(details.status ?? 0, kind, String(details.detail ?? details.title ?? ""), errors);
}

/**
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the answer's JSON; rejects with ServiceError, or AbortError where the caller gave up
 */
async function post(path, body, signal) {
  /** @type {Record<string, string>} */
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const key = recall("session", "key");
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ServiceError(0, "unreachable", "");
  }
  const answer = await response.json().catch((error) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    return null;
  });
  if (response.ok && answer !== null) return answer;
  const problem = problemOf(answer ?? {});
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const kind = response.ok ? "not-understood" : problem.kind;
  throw new ServiceError(response.status, kind, problem.detail, problem.errors, Number.isNaN(seconds) ? null : seconds);
}

/**
 * Extract one text, with offsets in UTF-16 code units.
 *
 * @param {string} text
 * @param {AbortSignal} signal
 * @returns {Promise<{model: Model, document: any}>}
 */
export async function predict(text, signal) {
  const answer = await post("predict", { documents: [{ text }], offsets: "utf16" }, signal);
  const document = answer.documents?.[0];
  if (!document || answer.offsets !== "utf16") throw new ServiceError(200, "not-understood", "");
  if (document.error) throw problemOf(document.error);
  return { model: answer.model, document };
}

/**
 * Store a corrected document.
 *
 * @param {string} annotator
 * @param {Model} model
 * @param {object} annotation
 * @returns {Promise<{id: string | number, status: string, created: boolean}>}
 */
export async function annotate(annotator, model, annotation) {
  const answer = await post("annotations", { annotator, model, documents: [annotation] });
  const stored = answer.annotations?.[0];
  if (!stored) throw new ServiceError(200, "not-understood", "");
  return stored;
}
