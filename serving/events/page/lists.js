// The same as the picture in words, for the keyboard and for screen readers: entities, their links, and the events.

const SHOWN = 60;

/** An element with attributes and children; texts are texts, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function tag(label) {
  return make("span", { class: "tag", "data-label": label }, string(`label.${label}`));
}

function name(text) {
  return make("bdi", { class: "name" }, text);
}

function listEntities(view, choose) {
  const list = document.getElementById("entities");
  const nodes = view.found ? view.nodes.filter((node) => view.found.has(node.id)) : view.nodes;
  const items = nodes.slice(0, SHOWN).map((node) =>
    make("li", {}, make("button", { type: "button", "data-node": node.id, onclick: () => choose(node.id, true) },
      name(node.name), " ", tag(node.label), " ", make("span", { class: "number" }, String(node.events)))));
  if (nodes.length > SHOWN) items.push(make("li", { class: "note" }, string("more", { n: nodes.length - SHOWN })));
  if (!nodes.length) items.push(make("li", { class: "note" }, string("nothing")));
  list.replaceChildren(...items);
}

/** Show the details of a node or an edge; the focus goes there if they were asked for in words. */
function showDetails(view, id, choose, focus) {
  const place = document.getElementById("details");
  const list = document.getElementById("entities");
  const node = view.nodes.find((node) => node.id === id);
  const edge = view.edges.find((edge) => edge.id === id);
  place.hidden = !node && !edge;
  list.hidden = !place.hidden;
  document.getElementById("entities-heading").hidden = !place.hidden;
  if (place.hidden) return;
  const back = make("button", { type: "button", class: "back", onclick: () => choose(null, true) }, string("back"));
  place.replaceChildren(back, ...(node ? nodeDetails(view, node, choose) : edgeDetails(edge, choose)));
  if (focus) place.focus();
}

function nodeDetails(view, node, choose) {
  const notes = [];
  const others = Object.keys(node.spellings).filter((spelling) => spelling !== node.name);
  const comma = string("comma");
  if (others.length) notes.push(string("spellings", { names: others.map(isolated).join(comma) }));
  const labels = Object.entries(node.labels);
  if (labels.length > 1) {
    notes.push(string("labels", { labels: labels.map(([label, n]) => `${string(`label.${label}`)} ${n}`).join(comma) }));
  }
  if (node.singleWord) notes.push(string("singleWord"));
  if (node.document) notes.push(string("unnamed", { document: isolated(node.document) }));
  else if (node.label === "NOM" || node.label === "NUM") notes.push(string("unnamedEverywhere"));
  const edges = view.edges.filter((edge) => edge.source === node.id || edge.target === node.id);
  edges.sort((one, other) => other.events.length - one.events.length);
  return [
    make("h2", {}, name(node.name), " ", tag(node.label)),
    ...notes.map((note) => make("p", { class: "note" }, note)),
    make("ul", { class: "links" }, ...edges.map((edge) => make("li", {}, edgeButton(edge, choose)))),
  ];
}

function edgeTitle(edge) {
  const [source, target] = [edge.source, edge.target].map((id) => isolated(NODES.get(id).name));
  return string(edge.relation === "with" ? "arrowWith" : "arrowTo", { source, target });
}

function edgeButton(edge, choose) {
  const quads = quadsOf(edge).map(([quad, n]) =>
    make("span", { class: "quad", "data-quad": quad }, `${string(`quad.${quad}`)} ${n}`));
  return make("button", { type: "button", "data-edge": edge.id, onclick: () => choose(edge.id, true) },
    make("span", {}, edgeTitle(edge)), make("span", { class: "quads" }, ...quads));
}

function edgeDetails(edge, choose) {
  const ends = [...new Set([edge.source, edge.target])].map((id) =>
    make("button", { type: "button", onclick: () => choose(id, true) }, name(NODES.get(id).name)));
  const events = edge.events.map((number) => DATA.events[number]);
  const when = (event) => event.date ?? "~"; // which is after all digits
  events.sort((one, other) => (when(one) < when(other) ? -1 : Number(when(one) > when(other))));
  const list = make("ol", { class: "events" });
  showEvents(list, events);
  return [make("h2", {}, edgeTitle(edge)), make("p", { class: "ends" }, ...ends), list];
}

function showEvents(list, events) {
  list.append(...events.slice(0, SHOWN).map(eventItem));
  const rest = events.slice(SHOWN);
  if (!rest.length) return;
  const more = make("li", {}, make("button", { type: "button", onclick: () => {
    more.remove();
    const place = list.children.length;
    showEvents(list, rest);
    list.children[place].tabIndex = -1;
    list.children[place].focus();
  } }, string("moreEvents", { n: rest.length })));
  list.append(more);
}

function eventItem(event) {
  const facts = [event.date ? isolated(event.date) : string("undatedEvent")];
  if (event.factuality !== "asserted") facts.push(string(`factuality.${event.factuality}`));
  const comma = string("comma");
  if (event.places.length) facts.push(string("place", { names: event.places.map(isolated).join(comma) }));
  if (event.counts.length) facts.push(string("count", { names: event.counts.map(isolated).join(comma) }));
  facts.push(string("document", { document: isolated(event.document), sentence: event.sentence }));
  facts.push(string("score", { score: isolated(event.score.toFixed(2)) }));
  return make("li", {},
    make("span", { class: "quad", "data-quad": quadOf(event.class) }, string(`class.${event.class}`)), " ",
    make("bdi", { class: "action" }, event.text), make("span", { class: "note" }, facts.join(" · ")));
}
