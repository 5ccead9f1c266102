// Suggestions while typing: a combobox with a list of islands, creators and tags; keys as in the ARIA practices.
import { make, marked, number } from "./draw.js";

const WAIT = 60;
const $ = (id) => document.getElementById(id);

let options = [];
let active = -1;
let running;
let timer;

export function attach({ island, creator, tag }) {
  const input = $("q");
  const list = $("suggestions");
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => ask(input.value.trim(), { island, creator, tag }), WAIT); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => key(event));
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the field
}

export function close() {
  clearTimeout(timer);
  running?.abort();
  $("suggestions").hidden = true;
  $("q").setAttribute("aria-expanded", "false");
  point(-1);
}

async function ask(text, choose) {
  running?.abort();
  if (!text) return close();
  running = new AbortController();
  const { signal } = running;
  try {
    const answer = await fetch(`/api/suggest?${new URLSearchParams({ q: text })}`, { signal });
    if (answer.ok && !signal.aborted) open(await answer.json(), choose);
    else close();
  } catch {
    if (!signal.aborted) close(); // the results below say what is wrong
  }
  return undefined;
}

function open(found, choose) {
  const groups = [
    ["Islands", found.islands.map((each) => [each.parts, players(each), () => choose.island(each.title)])],
    ["Creators", found.creators.map((each) => [each.parts, each.islands === null ? "" : `${number(each.islands)} islands`, () => choose.creator(each.name)])],
    ["Tags", found.tags.map((each) => [each.parts, `${number(each.count)} islands`, () => choose.tag(each.value)])],
  ].filter(([, entries]) => entries.length);
  if (!groups.length || document.activeElement !== $("q")) return close();
  options = [];
  $("suggestions").replaceChildren(...groups.map(([label, entries]) => group(label, entries)));
  $("suggestions").hidden = false;
  $("q").setAttribute("aria-expanded", "true");
  return point(-1);
}

function group(label, entries) {
  const head = make("p", { id: `suggested-${label}`, className: "group" }, label);
  const made = make("div", {}, head, ...entries.map(([parts, aside, run]) => option(parts, aside, run)));
  made.setAttribute("role", "group");
  made.setAttribute("aria-labelledby", head.id);
  return made;
}

function option(parts, aside, run) {
  const made = make("div", { id: `suggestion-${options.length}`, className: "option" }, make("span", { dir: "auto" }, ...marked(parts)), make("small", {}, aside));
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", "false");
  made.addEventListener("click", () => { close(); run(); });
  options.push(made);
  return made;
}

function players({ ccu, day_peak: peak }) {
  if (ccu !== null) return `${number(ccu)} playing`;
  return peak === null ? "" : `peak ${number(peak)}`;
}

function key(event) {
  if ($("suggestions").hidden) {
    if (event.key === "Enter") close();
    return;
  }
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves) point(((active + 1 + moves[event.key] + options.length + 1) % (options.length + 1)) - 1);
  else if (event.key === "Enter" && active >= 0) options[active].click();
  else if (event.key === "Escape") close();
  else {
    if (event.key === "Enter") close();
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function point(at) {
  options[active]?.setAttribute("aria-selected", "false");
  active = at;
  const chosen = $("suggestions").hidden ? undefined : options[at];
  if (chosen) {
    chosen.setAttribute("aria-selected", "true");
    chosen.scrollIntoView({ block: "nearest" });
    $("q").setAttribute("aria-activedescendant", chosen.id);
  } else {
    $("q").removeAttribute("aria-activedescendant");
  }
}
