// The filters, and what a change of them brings about.

const element = (id) => document.getElementById(id);
let filter = everything();
let view = null;
let chosen = null;

function update() {
  view = filtered(filter, chosen);
  const edges = draw(view, (id) => choose(id, false));
  listEntities(view, choose);
  const events = new Set(edges.flatMap((edge) => edge.events)).size;
  element("summary").textContent = string("summary", {
    nodes: view.drawn.size,
    allNodes: DATA.nodes.length,
    edges: edges.length,
    allEdges: DATA.edges.length,
    events,
    allEvents: DATA.events.length,
  });
  if (!view.nodes.some((node) => node.id === chosen) && !view.edges.some((edge) => edge.id === chosen)) chosen = null;
  light(chosen);
  showDetails(view, chosen, choose, false);
  histogram();
}

function choose(id, focus) {
  const before = chosen;
  chosen = id;
  const own = view.edges.filter((edge) => [edge.id, edge.source, edge.target].includes(id));
  if (own.some((edge) => !isDrawn(edge.id))) update();
  light(id);
  showDetails(view, id, choose, focus && id !== null);
  if (id !== null && NARROW.matches) element("details").scrollIntoView({ block: "nearest" });
  if (id !== null || !focus) return;
  const button = before && document.querySelector(`#entities [data-node="${before}"]`);
  (button || element("entities-heading")).focus();
}

/** Events by day, or by as many days as there is room for; what the filter takes is darker. */
function histogram() {
  const svg = element("histogram");
  const width = Math.max(1, Math.ceil(DAYS.length / 90));
  const bars = Array.from({ length: Math.ceil(DAYS.length / width) }, () => 0);
  for (const event of DATA.events) if (event.date) bars[Math.floor(DAYS.indexOf(event.date.slice(0, 10)) / width)] += 1;
  const most = Math.max(...bars, 1);
  svg.setAttribute("viewBox", `0 0 ${bars.length} 100`);
  svg.replaceChildren(...bars.map((count, number) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const isIn = (number + 1) * width > filter.from && number * width <= filter.to;
    const height = (100 * count) / most;
    const x = document.documentElement.dir === "rtl" ? bars.length - 1 - number : number;
    for (const [key, value] of Object.entries({ x: x + 0.08, width: 0.84, y: 100 - height, height })) bar.setAttribute(key, value);
    bar.setAttribute("class", isIn ? "in" : "out");
    return bar;
  }));
  element("from-day").textContent = DAYS[filter.from] ?? "";
  element("to-day").textContent = DAYS[filter.to] ?? "";
}

function tick(value, group, text, quad) {
  const box = make("input", { type: "checkbox", value, "data-group": group });
  box.checked = filter[group].has(value);
  box.addEventListener("change", () => {
    if (box.checked) filter[group].add(value);
    else filter[group].delete(value);
    update();
  });
  return make("label", { class: "tick", "data-quad": quad ?? null }, box, " ", text);
}

function fillTicks() {
  const groups = QUADS.filter((quad) => CLASSES.get(quad).length).map((quad) => {
    const all = make("button", { type: "button", class: "small", onclick: () => toggle(CLASSES.get(quad)) }, string("all"));
    const ticks = CLASSES.get(quad).map((each) => tick(each, "classes", string(`class.${each}`), quad));
    all.setAttribute("aria-label", `${string(`quad.${quad}`)}: ${string("all")} / ${string("none")}`);
    return make("fieldset", { "data-quad": quad }, make("legend", {}, string(`quad.${quad}`)), make("div", { class: "ticks" }, ...ticks, all));
  });
  element("classes").replaceChildren(...groups);
  const shown = FACTUALITIES.map((each) => tick(each, "factualities", string(`factuality.${each}`)));
  element("factualities").replaceChildren(...shown);
}

function toggle(names) {
  const add = names.some((name) => !filter.classes.has(name));
  for (const name of names) {
    if (add) filter.classes.add(name);
    else filter.classes.delete(name);
  }
  for (const box of document.querySelectorAll('[data-group="classes"]')) box.checked = filter.classes.has(box.value);
  update();
}

function showFilter() {
  element("search").value = filter.search;
  for (const id of ["from", "to"]) {
    element(id).max = String(Math.max(DAYS.length - 1, 0));
    element(id).value = String(filter[id]);
  }
  element("undated").checked = filter.undated;
  element("minimum").value = String(filter.minimum);
  element("limit").value = String(filter.limit);
  element("time").hidden = DAYS.length === 0;
  element("no-dates").hidden = DAYS.length > 0;
  fillTicks();
}

function speak() {
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  for (const each of document.querySelectorAll("[data-string]")) each.textContent = string(each.dataset.string);
  for (const each of document.querySelectorAll("[data-label]")) {
    if (each.tagName === "BUTTON") each.setAttribute("aria-label", string(each.dataset.label));
  }
  element("language").textContent = string("language");
  element("language").lang = language === "ar" ? "en" : "ar";
  element("theme").textContent = string(isDark() ? "light" : "dark");
  const undated = DATA.events.filter((event) => !event.date).length;
  element("undated-label").textContent = string("undated", { n: undated });
  element("undated").parentElement.hidden = undated === 0;
  const legend = ["PER", "ORG", "LOC", "NOM"].map((label) => make("li", {}, tag(label)));
  const quads = QUADS.map((quad) => make("li", {}, make("span", { class: "quad", "data-quad": quad }, string(`quad.${quad}`))));
  element("legend").replaceChildren(...legend, ...quads);
  showFilter();
}

function isDark() {
  const own = document.documentElement.dataset.theme;
  return own ? own === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function listen() {
  const soon = (change) => {
    let waiting = 0;
    return (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => { change(event.target); update(); }, 120);
    };
  };
  element("search").addEventListener("input", soon((input) => { filter.search = input.value; chosen = null; }));
  for (const id of ["from", "to"]) {
    element(id).addEventListener("input", (event) => {
      filter[id] = Number(event.target.value);
      const other = id === "from" ? "to" : "from";
      if (filter.from > filter.to) element(other).value = String((filter[other] = filter[id]));
      histogram();
    });
    element(id).addEventListener("input", soon(() => {}));
  }
  for (const id of ["minimum", "limit"]) {
    element(id).addEventListener("input", soon((input) => { filter[id] = Math.max(Number.parseInt(input.value, 10) || 1, 1); }));
  }
  element("undated").addEventListener("change", (event) => { filter.undated = event.target.checked; update(); });
  element("reset").addEventListener("click", () => { filter = everything(); showFilter(); update(); });
  element("fit").addEventListener("click", fit);
  element("zoom-in").addEventListener("click", () => zoom(1.3));
  element("zoom-out").addEventListener("click", () => zoom(1 / 1.3));
  element("language").addEventListener("click", () => { language = language === "ar" ? "en" : "ar"; speak(); update(); });
  element("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    speak();
    repaint();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { speak(); repaint(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && chosen !== null) choose(null, true); });
}

speak();
if (NARROW.matches) element("more-filters").open = false;
listen();
update();
