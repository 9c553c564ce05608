// The page: puts the parts together.

import { readDocument } from "./annotated.js";
import { ask, installDialogs } from "./asking.js";
import { byId } from "./dom.js";
import { applyStrings, t } from "./language.js";
import { announce } from "./live.js";
import { inWords } from "./problems.js";
import { Results } from "./results.js";
import { predict, ServiceError } from "./service.js";
import { Session } from "./session.js";
import { Source } from "./source.js";
import { installThemeSwitch } from "./theme.js";
import { installLanguageSwitch } from "./language_switch.js";
import { withKey } from "./with_key.js";

/** @type {AbortController | null} */
let running = null;

applyStrings();
installDialogs();
installThemeSwitch();
installLanguageSwitch();
const results = new Results();
const source = new Source(() => void analyse());

byId("analyse").addEventListener("click", () => void analyse());
byId("cancel").addEventListener("click", () => running?.abort());
window.addEventListener("beforeunload", (event) => {
  if (results.session?.unsaved) event.preventDefault();
});

/** Extract the text and show what was found, unless that would lose corrections. */
async function analyse() {
  const text = source.value;
  if (running) return;
  if (!text.trim()) return source.complain(t("source.empty"));
  if (results.session?.unsaved && (await ask("discard-dialog")) !== "discard") return;
  running = new AbortController();
  setBusy(true);
  byId("analysis-answer").replaceChildren();
  try {
    const { signal } = running;
    const { model, document } = await withKey(() => predict(text, signal));
    const { annotated, tripleScores } = readDocument(text, document);
    results.open(new Session(annotated, model, tripleScores));
  } catch (error) {
    fail(error);
  } finally {
    running = null;
    setBusy(false);
  }
}

/** @param {unknown} error */
function fail(error) {
  if (error instanceof DOMException && error.name === "AbortError") return announce(t("analysis.cancelled"));
  const aboutText = error instanceof ServiceError && error.errors.find((each) => each.field.endsWith("text"));
  if (aboutText) source.complain(t("source.refused", { message: aboutText.message }));
  const message = inWords(error);
  byId("analysis-answer").replaceChildren(message);
  announce(message.textContent ?? "");
}

/** @param {boolean} busy */
function setBusy(busy) {
  document.body.classList.toggle("analysing", busy);
  byId("analyse").setAttribute("aria-disabled", String(busy));
  byId("cancel").hidden = !busy;
  byId("progress").hidden = !busy;
  if (busy) announce(t("analysis.running"));
}
