// The search page: state in, request out, answer drawn.
import { SIZE, blank, narrowing, read, write } from "./address.js";
import { card, make, number } from "./draw.js";
import { drawFilters, fillRanges, makeRanges } from "./filters.js";
import * as suggestions from "./suggest.js";

const WAIT = 120;
const AGAIN = 10_000;
const FRESH = 60_000;
const $ = (id) => document.getElementById(id);

let state = read(location.search);
let running;
let timer;
let away = false;

function go(change, { replace = false } = {}) {
  state = { ...state, page: 1, ...change };
  const url = `?${write(state)}`;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  show();
  load();
}

async function load() {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  $("results").setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`/api/search?${write(state)}`, { signal, headers: { accept: "application/json" } });
    const body = await answer.json();
    if (answer.status === 400) refused(body.error);
    else if (answer.ok) draw(body);
    else throw new Error(body.error);
  } catch (error) {
    if (signal.aborted) return;
    fail(error);
  } finally {
    if (!signal.aborted) $("results").setAttribute("aria-busy", "false");
  }
}

function draw(body) {
  away = false;
  $("count").textContent = body.total === 1 ? "1 island" : `${number(body.total)} islands`;
  $("forgiven").hidden = !body.forgiven || !body.hits.length;
  const held = document.activeElement.closest(".island")?.dataset.code;
  $("results").replaceChildren(...body.hits.map((hit) => card(hit, (name, value) => toggle(name, value, true))));
  if (held) $("results").querySelector(`[data-code="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  $("message").hidden = body.hits.length > 0;
  if (!body.hits.length) nothing(body);
  drawFilters(state, body.facets, { toggle, go, clear: () => go({ ...blank(), q: state.q, sort: state.sort }) });
  pages(body);
}

function nothing(body) {
  if (body.total) say("No such page", "There are fewer pages than that.", "To the first page", () => go({}));
  else if (narrowing(state).length) say("No island matches", "The filters leave nothing of it.", "Clear filters", () => go({ ...blank(), q: state.q, sort: state.sort }));
  else say("No island matches", "Try fewer letters or another spelling.", "Clear everything", clear);
}

function refused(reason) {
  away = false;
  empty("This cannot be searched for");
  say("This cannot be searched for", `${reason}.`, "Clear everything", clear, "error");
}

function fail(error) {
  if (away) return; // Said already; a button drawn anew would lose the focus.
  away = true;
  empty("Search is not available");
  const reason = error instanceof TypeError ? "The page's server does not answer." : error.message;
  say("Search is away for a moment", `${reason} Nothing is lost; it comes back by itself.`, "Try again", load, "error");
}

function empty(said) {
  $("results").replaceChildren();
  $("count").textContent = said;
  $("forgiven").hidden = true;
  $("pages").hidden = true;
}

function say(head, text, action, run, kind = "") {
  const button = make("button", { type: "button", onclick: run }, action);
  $("message").className = kind;
  $("message").replaceChildren(make("h2", {}, head), make("p", {}, text), button);
  $("message").hidden = false;
}

function toggle(name, value, on, change = {}) {
  const rest = state.chosen[name].filter((each) => each !== value);
  go({ chosen: { ...state.chosen, [name]: on ? [...rest, value] : rest }, ...change });
}

function pages(body) {
  const last = Math.max(1, Math.ceil(Math.min(body.total, body.reachable) / SIZE));
  $("pages").hidden = last === 1;
  $("place").textContent = `Page ${number(state.page)} of ${number(last)}`;
  $("previous").disabled = state.page <= 1;
  $("next").disabled = state.page >= last;
}

function turn(by) {
  go({ page: state.page + by });
  scrollTo({ top: 0 });
  $("results").focus({ preventScroll: true });
}

function clear() {
  $("q").value = "";
  go(blank());
  $("q").focus();
}

function walk(event) {
  if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    $("q").focus();
  } else if (event.key === "Escape" && document.activeElement === $("q")) {
    clear();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...$("results").children];
    const here = items.indexOf(document.activeElement.closest(".island"));
    if (here < 0 && document.activeElement !== $("q")) return;
    event.preventDefault();
    const there = here + (event.key === "ArrowDown" ? 1 : -1);
    (items[there] ?? (there < 0 ? $("q") : items[here]))?.focus();
  }
}

function show() {
  if (document.activeElement !== $("q") || !state.q) $("q").value = state.q;
  $("sort").value = state.sort;
  fillRanges(state);
}

function typed() {
  const text = $("q").value.trim();
  if (text !== state.q) go({ q: text }, { replace: true });
}

const wide = matchMedia("(min-width: 48.01rem)");
const fold = () => { $("filters").open = wide.matches; };
wide.addEventListener("change", fold);
fold();

makeRanges(go);
suggestions.attach({
  island: (title) => { $("q").value = title; go({ q: title }); },
  creator: (name) => { $("q").value = ""; toggle("creator", name, true, { q: "" }); },
  tag: (value) => { $("q").value = ""; toggle("tag", value, true, { q: "" }); },
});
$("form").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); suggestions.close(); typed(); });
$("q").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(typed, WAIT); });
$("sort").addEventListener("change", () => go({ sort: $("sort").value }));
$("previous").addEventListener("click", () => turn(-1));
$("next").addEventListener("click", () => turn(1));
document.addEventListener("keydown", walk);
addEventListener("popstate", () => { state = read(location.search); $("q").value = state.q; show(); load(); });
const idle = () => [document.body, $("q")].includes(document.activeElement);
setInterval(() => { if (!document.hidden && away) load(); }, AGAIN);
setInterval(() => { if (!document.hidden && idle()) load(); }, FRESH);
$("q").value = state.q;
show();
load();
