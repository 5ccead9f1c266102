// The search page: the address bar holds the whole state, the server's answer is drawn as text, never as markup.
const SIZE = 20;
const WAIT = 120;
const FACETS = { tag: "Tags", created_in: "Created in", category: "Category" };
const $ = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat("en");
const day = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "UTC" });

let state = read();
let running;
let timer;

function read() {
  const query = new URLSearchParams(location.search);
  const chosen = Object.fromEntries(Object.keys(FACETS).map((name) => [name, query.getAll(name)]));
  return { q: query.get("q") ?? "", sort: query.get("sort") ?? "relevance", page: Math.max(1, Number(query.get("page")) || 1), chosen };
}

function address() {
  const query = new URLSearchParams();
  if (state.q) query.set("q", state.q);
  for (const [name, values] of Object.entries(state.chosen)) for (const value of values) query.append(name, value);
  if (state.sort !== "relevance") query.set("sort", state.sort);
  if (state.page > 1) query.set("page", state.page);
  return query;
}

function go(change, { replace = false } = {}) {
  state = { ...state, page: 1, ...change };
  const url = `?${address()}`;
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  load();
}

async function load() {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  $("results").setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`/api/search?${address()}`, { signal, headers: { accept: "application/json" } });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error);
    draw(body);
  } catch (error) {
    if (signal.aborted) return;
    fail(error);
  } finally {
    if (!signal.aborted) $("results").setAttribute("aria-busy", "false");
  }
}

function draw(body) {
  const many = body.total === 1 ? "1 island" : `${whole.format(body.total)}${body.total_exact ? "" : "+"} islands`;
  $("count").textContent = many;
  $("results").replaceChildren(...body.hits.map(card));
  $("message").hidden = body.hits.length > 0;
  if (!body.hits.length) say("No island matches", "Try fewer letters, another spelling, or clear the filters.", "Clear everything", clear);
  facets(body.facets);
  pages(body);
}

function fail(error) {
  $("results").replaceChildren();
  $("count").textContent = "Search is not available";
  $("pages").hidden = true;
  const reason = error instanceof TypeError ? "The page's server does not answer." : error.message;
  say("Search is away for a moment", `${reason} Nothing is lost; it comes back by itself.`, "Try again", load, "error");
}

function say(head, text, action, run, kind = "") {
  const button = make("button", { type: "button", onclick: run }, action);
  $("message").className = kind;
  $("message").replaceChildren(make("h2", {}, head), make("p", {}, text), button);
  $("message").hidden = false;
}

function card(hit) {
  const item = make("li", { className: "island", tabIndex: -1 });
  const tile = make("div", { className: "tile", ariaHidden: "true" }, initials(hit.title));
  tile.style.background = `linear-gradient(135deg, hsl(${hue(hit.code)} 55% 42%), hsl(${(hue(hit.code) + 45) % 360} 60% 32%))`;
  const by = make("p", { className: "by" }, hit.creator ? `by ${hit.creator} · ` : "");
  by.append(make("button", { type: "button", title: "Copy the code", onclick: (event) => copy(event, hit.code) }, hit.code));
  const facts = [hit.created_in, hit.max_players && `${hit.max_players} players`, hit.published_at && day.format(new Date(hit.published_at))];
  by.append(facts.filter(Boolean).map((fact) => ` · ${fact}`).join(""));
  const tags = make("ul", { className: "tags", ariaLabel: "Tags" });
  for (const tag of hit.tags) tags.append(make("li", {}, make("button", { type: "button", onclick: () => toggle("tag", tag, true) }, tag)));
  item.append(tile, make("div", {}, make("h2", { dir: "auto" }, hit.title ?? hit.code), by, tags), numbers(hit));
  return item;
}

function numbers(hit) {
  const list = make("dl", { className: "numbers" });
  const sampled = hit.ccu !== null;
  const when = sampled && hit.ccu_at ? `Players, changed ${moment(new Date(hit.ccu_at))}` : "Players: no sample";
  list.append(number(when, sampled ? whole.format(hit.ccu) : "\u2013", `now${sampled && hit.ccu > 0 ? " live" : ""}`));
  if (hit.peak !== null) {
    const since = hit.peak_since ? ` since ${day.format(new Date(hit.peak_since))}` : "";
    list.append(number(`Peak${since}`, whole.format(hit.peak)));
  }
  if (hit.day_peak !== null) list.append(number(`Peak on ${day.format(new Date(hit.day_peak_on))}`, whole.format(hit.day_peak)));
  return list;
}

function number(term, value, kind = "") {
  return make("div", {}, make("dt", {}, term), make("dd", { className: kind }, value));
}

function moment(instant) {
  const recent = Date.now() - instant < 86_400_000;
  return recent ? `at ${clock.format(instant)} UTC` : `on ${day.format(instant)}`;
}

function facets(groups) {
  const sets = Object.entries(FACETS).map(([name, label]) => {
    const set = make("fieldset", {}, make("legend", {}, label));
    const chosen = state.chosen[name];
    const offered = groups[name] ?? [];
    const missing = chosen.filter((value) => !offered.some((each) => each.value === value)).map((value) => ({ value, count: 0 }));
    for (const each of [...missing, ...offered]) set.append(choice(name, each, chosen.includes(each.value)));
    set.hidden = set.children.length === 1;
    return set;
  });
  const focused = document.activeElement?.id;
  $("facets").replaceChildren(...sets);
  if (focused?.startsWith("choice:")) document.getElementById(focused)?.focus();
  const count = Object.values(state.chosen).flat().length;
  $("chosen").textContent = count ? `(${count})` : "";
}

function choice(name, { value, count }, checked) {
  const box = make("input", { type: "checkbox", checked, id: `choice:${name}:${value}`, onchange: (event) => toggle(name, value, event.target.checked) });
  return make("label", { className: "choice" }, box, make("span", { dir: "auto" }, value), make("small", {}, whole.format(count)));
}

function toggle(name, value, on) {
  const rest = state.chosen[name].filter((each) => each !== value);
  go({ chosen: { ...state.chosen, [name]: on ? [...rest, value] : rest } });
}

function pages(body) {
  const last = Math.max(1, Math.ceil(Math.min(body.total, body.reachable) / SIZE));
  $("pages").hidden = last === 1;
  $("place").textContent = `Page ${whole.format(state.page)} of ${whole.format(last)}`;
  $("previous").disabled = state.page <= 1;
  $("next").disabled = state.page >= last;
}

function turn(by) {
  go({ page: state.page + by });
  scrollTo({ top: 0 });
  $("results").focus({ preventScroll: true });
}

function clear() {
  state.chosen = Object.fromEntries(Object.keys(FACETS).map((name) => [name, []]));
  $("q").value = "";
  go({ q: "", sort: "relevance" });
  show();
  $("q").focus();
}

async function copy(event, code) {
  await navigator.clipboard?.writeText(code);
  event.target.textContent = "copied";
  setTimeout(() => { event.target.textContent = code; }, 1200);
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
  $("q").value = state.q;
  $("sort").value = state.sort;
}

function initials(title) {
  const words = (title ?? "").normalize("NFKC").match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join("") || "◇";
}

function hue(code) {
  let sum = 7;
  for (const letter of code) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
}

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

const wide = matchMedia("(min-width: 48.01rem)");
const fold = () => { $("filters").open = wide.matches; };
wide.addEventListener("change", fold);
fold();

$("form").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); go({ q: $("q").value.trim() }); });
$("q").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => go({ q: $("q").value.trim() }, { replace: true }), WAIT); });
$("sort").addEventListener("change", () => go({ sort: $("sort").value }));
$("previous").addEventListener("click", () => turn(-1));
$("next").addEventListener("click", () => turn(1));
document.addEventListener("keydown", walk);
addEventListener("popstate", () => { state = read(); show(); load(); });
setInterval(() => { if (!document.hidden && document.activeElement === document.body) load(); }, 60_000);
show();
load();
