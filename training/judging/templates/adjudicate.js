"use strict";
const records = JSON.parse(document.getElementById("records").textContent);
const key = "musnad adjudication " + records.digest;
const radios = [...document.querySelectorAll("input[type=radio]")];
const open = new Set(radios.map((radio) => radio.name));
const all = open.size;

function chosen() {
  return Object.fromEntries(radios.filter((radio) => radio.checked && radio.value).map((radio) => [radio.name, radio.value]));
}

function show() {
  const own = chosen();
  document.getElementById("state").textContent = `${Object.keys(own).length} of ${all} decided`;
  return own;
}

document.addEventListener("change", () => {
  const own = show();
  // a browser may keep nothing for a file; the choice still counts until the page is closed
  try { localStorage.setItem(key, JSON.stringify(own)); } catch {}
});

document.getElementById("download").addEventListener("click", () => {
  const own = chosen();
  const lines = records.sentences
    .map((pair, number) => (open.has(String(number)) ? pair[own[number]] : pair.a))
    .filter((record) => record !== undefined)
    .map((record) => JSON.stringify(record) + "\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/jsonl" }));
  link.download = "adjudicated.jsonl";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  document.getElementById("state").textContent = `${lines.length} sentences saved, ${all - Object.keys(own).length} left open`;
});

let kept = {};
try { kept = JSON.parse(localStorage.getItem(key)) || {}; } catch {}
for (const radio of radios) {
  if (kept[radio.name] === radio.value) radio.checked = true;
}
show();
