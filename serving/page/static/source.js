// The text to analyse: typed, pasted, dropped, from a file, or one of the samples.

import { byId, h } from "./dom.js";
import { ExactText } from "./exact_text.js";
import { onLanguageChange, t } from "./language.js";
import { announce } from "./live.js";
import { keep, recall } from "./storage.js";

/** A larger file is not opened: no service takes its text. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** Milliseconds of rest after which the text is kept for the next load of the page in this tab. */
const RESTED = 400;

export class Source {
  #timer = 0;

  /** @param {() => void} submit called to analyse the text */
  constructor(submit) {
    this.area = byId("source", HTMLTextAreaElement);
    this.text = new ExactText(this.area);
    this.problem = byId("source-problem");
    this.area.addEventListener("input", () => this.#changed());
    this.area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
    });
    const file = byId("file", HTMLInputElement);
    byId("choose-file").addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      const [chosen] = file.files ?? [];
      if (chosen) void this.#open(chosen);
      file.value = ""; // the same file may be chosen again
    });
    this.#acceptDrops(byId("drop"));
    void this.#offerSamples();
    this.text.value = recall("session", "text") ?? "";
  }

  get value() {
    return this.text.value;
  }

  /** @param {string | null} message what is wrong with the text; null for nothing */
  complain(message) {
    this.problem.textContent = message ?? "";
    this.problem.hidden = message === null;
    this.area.toggleAttribute("aria-invalid", message !== null);
    if (message !== null) {
      this.area.setAttribute("aria-invalid", "true");
      this.area.focus();
    }
  }

  /** @param {string} text */
  #fill(text) {
    this.text.value = text;
    this.#changed();
    this.area.setSelectionRange(0, 0);
    this.area.focus();
    this.area.scrollTop = 0;
    announce(t("source.filled"));
  }

  #changed() {
    this.complain(null);
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => keep("session", "text", this.value), RESTED);
  }

  /** @param {File} file */
  async #open(file) {
    if (file.size > MAX_FILE_BYTES) return this.complain(t("source.file-too-large", { name: file.name }));
    try {
      this.#fill(new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()));
    } catch {
      this.complain(t("source.file-not-utf8", { name: file.name }));
    }
  }

  /** @param {HTMLElement} zone */
  #acceptDrops(zone) {
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.classList.add("dropping");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("dropping"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("dropping");
      const [file] = event.dataTransfer?.files ?? [];
      const text = event.dataTransfer?.getData("text/plain");
      if (file) void this.#open(file);
      else if (text) this.#fill(text);
    });
  }

  async #offerSamples() {
    const response = await fetch("static/samples.json");
    if (!response.ok) return; // the page does its work without
    /** @type {{id: string, ar: string, en: string, text: string}[]} */
    const samples = await response.json();
    const buttons = samples.map((sample) =>
      h("button", { type: "button", class: "chip-button", on: { click: () => this.#fill(sample.text) } }, sample.ar),
    );
    const name = () =>
      buttons.forEach((button, index) => {
        button.textContent = document.documentElement.lang === "en" ? samples[index].en : samples[index].ar;
      });
    name();
    onLanguageChange(name);
    byId("samples").replaceChildren(...buttons);
  }
}
