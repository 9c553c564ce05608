// How the graph looks: the page's own colours and letters, since a canvas sees no style sheet.

/**
 * Return the colour that a custom property stands for at an element, in the theme that is shown.
 *
 * @param {HTMLElement} element
 * @param {string} property
 */
function colour(element, property) {
  const probe = document.createElement("span");
  probe.style.color = `var(${property})`;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/**
 * Return cytoscape's style.
 *
 * @param {HTMLElement} container
 */
export function graphStyle(container) {
  const of = (/** @type {string} */ property) => colour(container, property);
  const { fontFamily } = getComputedStyle(container);
  return [
    {
      selector: "node",
      style: {
        label: "data(text)",
        "font-family": fontFamily,
        "font-size": 14,
        "line-height": 1.5,
        "text-wrap": "wrap",
        "text-max-width": "160px",
        "text-valign": "center",
        "text-halign": "center",
        color: of("--ink"),
        width: "data(width)",
        height: "data(height)",
        shape: "round-rectangle",
        "border-width": 1.5,
        "background-color": of("--card"),
        "border-color": of("--line-strong"),
      },
    },
    ...["PER", "ORG", "LOC", "NUM", "NOM"].map((label) => ({
      selector: `node[label = "${label}"]`,
      style: {
        color: of(`--label-${label.toLowerCase()}`),
        "background-color": of(`--tint-${label.toLowerCase()}`),
        "border-color": of(`--label-${label.toLowerCase()}`),
      },
    })),
    {
      selector: "node.action",
      style: { color: of("--label-act"), "border-color": of("--label-act"), "border-width": 2, shape: "rectangle" },
    },
    { selector: 'node[factuality = "potential"]', style: { "border-style": "dashed" } },
    { selector: 'node[factuality = "negated"]', style: { "border-style": "double", "border-width": 5 } },
    {
      selector: "edge",
      style: {
        label: "data(text)",
        "font-family": fontFamily,
        "font-size": 11,
        color: of("--ink-soft"),
        "text-background-color": of("--card"),
        "text-background-opacity": 1,
        "text-background-padding": "2px",
        width: 1.5,
        "line-color": of("--line-strong"),
        "target-arrow-color": of("--line-strong"),
        "target-arrow-shape": "triangle",
        "arrow-scale": 0.9,
        "curve-style": "bezier",
      },
    },
    {
      selector: 'edge[role = "place"], edge[role = "count"]',
      style: { "line-style": "dashed", "target-arrow-shape": "none" },
    },
  ];
}
