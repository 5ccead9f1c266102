// What narrows the search: choices with their counts, ranges, and what is chosen now as chips.
import { FACETS, RANGES, narrowing } from "./address.js";
import { make, number } from "./draw.js";

const FIRST = 8;
const opened = new Set(); // groups shown whole
const $ = (id) => document.getElementById(id);

export function drawFilters(state, facets, { toggle, go, clear }) {
  const focused = document.activeElement?.id;
  const discovery = (facets.on_discovery ?? []).find((each) => each.value === "true")?.count ?? 0;
  const shown = { value: "On discovery now", count: discovery };
  const sets = [
    set("Discovery", box("on_discovery", shown, state.on_discovery === "true", (on) => go({ on_discovery: on ? "true" : "" }))),
    ...Object.entries(FACETS).map(([name, label]) => choices(state, name, label, facets[name] ?? [], toggle)),
  ];
  $("facets").replaceChildren(...sets);
  if (focused?.startsWith("choice:")) document.getElementById(focused)?.focus();
  const chips = narrowing(state).map(({ label, title, without }) => chip(label, title, () => go(without)));
  if (chips.length > 1) chips.push(make("li", {}, make("button", { type: "button", className: "all", onclick: clear }, "Clear filters")));
  $("chips").replaceChildren(...chips);
  $("chips").hidden = !chips.length;
  $("chosen").textContent = chips.length ? `(${narrowing(state).length})` : "";
}

// Ranges are typed into, so they are made once and only filled afterwards.
export function makeRanges(go) {
  for (const [name, label] of Object.entries(RANGES)) {
    const kind = name === "published" ? { type: "date", max: "9999-12-31" } : { type: "number", min: 0, max: 999_999_999, step: 1, inputMode: "numeric" };
    const ends = ["from", "to"].map((end) => make("input", { ...kind, id: `${name}-${end}`, ariaLabel: `${label}, ${end}`, placeholder: end }));
    const changed = () => {
      if (ends.some((end) => !end.checkValidity())) return ends.find((end) => !end.checkValidity()).reportValidity();
      const [low, high] = ends.map((end) => end.value);
      return go({ [name]: low || high ? `${low}..${high}` : "" });
    };
    for (const end of ends) end.addEventListener("change", changed);
    $("ranges").append(set(label, make("div", { className: "range" }, ends[0], make("span", { ariaHidden: "true" }, "to"), ends[1])));
  }
}

export function fillRanges(state) {
  for (const name of Object.keys(RANGES)) {
    const [low, high] = state[name] ? state[name].split("..") : ["", ""];
    $(`${name}-from`).value = low;
    $(`${name}-to`).value = high ?? "";
  }
}

function choices(state, name, label, offered, toggle) {
  const chosen = state.chosen[name];
  const missing = chosen.filter((value) => !offered.some((each) => each.value === value)).map((value) => ({ value, count: 0 }));
  const ticked = offered.filter((each) => chosen.includes(each.value));
  const all = [...missing, ...ticked, ...offered.filter((each) => !chosen.includes(each.value))];
  const boxes = all.map((each) => box(name, each, chosen.includes(each.value), (on) => toggle(name, each.value, on)));
  const rest = boxes.slice(FIRST);
  const made = set(label, ...boxes.slice(0, FIRST), ...(rest.length ? [more(name, rest)] : []));
  made.hidden = !all.length;
  return made;
}

function more(name, boxes) {
  const made = make("details", { className: "more", open: opened.has(name) }, make("summary", {}, `${boxes.length} more`), ...boxes);
  made.addEventListener("toggle", () => (made.open ? opened.add(name) : opened.delete(name)));
  return made;
}

function set(label, ...children) {
  return make("fieldset", {}, make("legend", {}, label), ...children);
}

function box(name, { value, count }, checked, change) {
  const input = make("input", { type: "checkbox", checked, id: `choice:${name}:${value}`, onchange: (event) => change(event.target.checked) });
  return make("label", { className: "choice" }, input, make("span", { dir: "auto" }, value), make("small", {}, number(count)));
}

function chip(label, title, remove) {
  const button = make("button", { type: "button", title: `${title}: remove`, onclick: remove }, make("span", { dir: "auto" }, label), make("span", { ariaHidden: "true" }, " ×"));
  button.setAttribute("aria-label", `Remove ${label}`);
  return make("li", {}, button);
}
