/* Map of one plan, from our own GeoJSON; no tiles (requests for tiles would reveal where
   listed people live).  Hazards have a pattern as well as a colour.  Words stand beside it.
   Data: FeatureCollection; properties {layer, kind?, label?, rank?, full?}.
     layer  toggled by [data-map-layer=ID]; features without a checkbox are always shown
     kind   polygons: flood-deep flood-mid flood-low landslide debris water district
            lines: road river route;  points: home shelter supporter */
const SVG = "http://www.w3.org/2000/svg";
const HOME = "M12 3 3 10.5V21h6.5v-6h5v6H21V10.5z";

/* id: [ground, ink, drawing in a 12 × 12 cell] */
const PATTERNS = {
  "flood-deep": ["#ffbbbb", "#ce0000", "dots"],
  "flood-mid": ["#ffdfca", "#c74700", "slash"],
  "flood-low": ["#fff0b3", "#806300", "wide"],
  landslide: ["#fbf5e0", "#806300", "cross"],
  debris: ["#f1eafa", "#5109ad", "back"],
  supporters: ["#c5d7fb", "#0017c1", "none"],
  shelters: ["#0017c1", "#0017c1", "none"],
};
const LINES = {
  road: { color: "#ffffff", weight: 7 },
  "road-edge": { color: "#d8d2c0", weight: 10 },
  river: { color: "#7fb2d9", weight: 8 },
  route: { color: "#0017c1", weight: 6, dashArray: "14 8" },
};
const AREAS = {
  water: { fillColor: "#7fb2d9", color: "#4a7fa8", weight: 1, fillOpacity: 1 },
  district: { fillColor: "#f6f2e8", color: "#7f7f7f", weight: 1.5, dashArray: "4 4", fillOpacity: 1 },
};

function element(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function drawPatterns() {
  const svg = element("svg", { class: "visually-hidden", width: 0, height: 0, "aria-hidden": "true" });
  const defs = element("defs", {});
  for (const [id, [ground, ink, drawing]] of Object.entries(PATTERNS)) {
    const turn = { slash: 45, wide: 45, back: -45, cross: 45 }[drawing] || 0;
    const size = drawing === "wide" ? 18 : 9;
    const pattern = element("pattern", { id: `map-${id}`, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${turn})` });
    pattern.append(element("rect", { width: size, height: size, fill: ground }));
    const stroke = { stroke: ink, "stroke-width": 1.6 };
    if (drawing === "dots") pattern.append(element("circle", { cx: 4.5, cy: 4.5, r: 1.5, fill: ink }));
    if (["slash", "wide", "back", "cross"].includes(drawing)) pattern.append(element("line", { x1: 0, y1: 0, x2: 0, y2: size, ...stroke }));
    if (drawing === "cross") pattern.append(element("line", { x1: 0, y1: 0, x2: size, y2: 0, ...stroke }));
    defs.append(pattern);
  }
  svg.append(defs);
  document.body.append(svg);
}

function pin(L, kind, properties) {
  const box = document.createElement("span");
  if (kind === "home") {
    const picture = element("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
    picture.append(element("path", { d: HOME }));
    box.append(picture);
  } else box.textContent = properties.rank || "";
  const css = ["map-pin", `map-pin-${kind}`];
  if (properties.rank) css.push(`map-pin-${properties.rank}`);
  if (properties.full) css.push("map-pin-full");
  return L.divIcon({ html: box, className: css.join(" "), iconSize: [28, 28] });
}

function layerOf(L, feature, renderer) {
  const properties = feature.properties || {};
  const kind = properties.kind || properties.layer;
  const label = (target) => {
    if (!properties.label) return target;
    const words = document.createElement("span"); // an element: Leaflet would read a string as HTML
    words.textContent = properties.label;
    return target.bindTooltip(words, { permanent: true, direction: "right", className: "map-label", offset: [14, 0] });
  };
  if (feature.geometry.type === "Point") {
    const [lon, lat] = feature.geometry.coordinates;
    return label(L.marker([lat, lon], { icon: pin(L, kind, properties), keyboard: false, interactive: false, alt: properties.label || "" }));
  }
  const pattern = PATTERNS[kind];
  const style = pattern
    ? { fillColor: `url(#map-${kind})`, fillOpacity: 0.85, color: pattern[1], weight: 1.5 }
    : AREAS[kind] || { fill: false, lineCap: "butt", ...(LINES[kind] || LINES.road) };
  const group = L.layerGroup();
  const add = (extra) => group.addLayer(L.geoJSON(feature, { renderer, interactive: false, style: { ...style, ...extra } }));
  if (kind === "road") add(LINES["road-edge"]);
  if (kind === "route") add({ color: "#ffffff", weight: 11, dashArray: null });
  add({});
  return group;
}

async function start(root) {
  const L = window.L;
  const data = root.dataset.mapUrl
    ? await (await fetch(root.dataset.mapUrl, { credentials: "same-origin" })).json()
    : JSON.parse(document.getElementById(root.dataset.mapSource).textContent);
  const canvas = root.querySelector("[data-map-canvas]");
  const map = L.map(canvas, { attributionControl: false, zoomControl: false, zoomSnap: 0.25, fadeAnimation: false });
  const renderer = L.svg({ padding: 0.5 });
  const groups = new Map();
  const homes = [];
  const bounds = L.latLngBounds([]);
  map.setView([0, 0], 2);
  for (const feature of data.features) {
    const { layer = "", kind = layer } = feature.properties || {};
    if (!groups.has(layer)) groups.set(layer, L.layerGroup().addTo(map));
    groups.get(layer).addLayer(layerOf(L, feature, renderer));
    if (["home", "shelter", "route"].includes(kind)) bounds.extend(L.geoJSON(feature).getBounds());
    if (kind === "home") homes.push([feature.geometry.coordinates[1], feature.geometry.coordinates[0]]);
  }
  const fit = () => bounds.isValid() && map.fitBounds(bounds, { paddingTopLeft: [60, 60], paddingBottomRight: [220, 140], maxZoom: 17 });
  fit();
  for (const box of root.querySelectorAll("[data-map-layer]")) {
    const group = groups.get(box.dataset.mapLayer);
    const apply = () => group && (box.checked ? group.addTo(map) : group.remove());
    box.addEventListener("change", apply);
    apply();
  }
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-map-zoom]");
    if (!button) return;
    if (button.dataset.mapZoom === "in") map.zoomIn();
    else if (button.dataset.mapZoom === "out") map.zoomOut();
    else if (homes.length) map.setView(homes[0], 16);
    else fit();
  });
  root.dataset.mapReady = "";
}

const roots = document.querySelectorAll("[data-map]");
if (roots.length) {
  drawPatterns();
  for (const root of roots) {
    start(root).catch(() => {
      root.querySelector("[data-map-canvas]").textContent = "地図を出せません。下の文字をごらんください。";
    });
  }
}
