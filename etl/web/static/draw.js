// Islands as cards. What upstream says is drawn as text, never as markup.
const whole = new Intl.NumberFormat("en");
const day = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "UTC" });

export const number = (value) => whole.format(value);

export function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// Parts of a text, every other one of them found.
export function marked(parts) {
  return parts.map((part, at) => (at % 2 ? make("mark", {}, part) : part));
}

export function card(hit, choose) {
  const item = make("li", { className: "island", tabIndex: -1 });
  item.dataset.code = hit.code;
  const tile = make("div", { className: "tile", ariaHidden: "true" }, initials(hit.title));
  tile.style.background = `linear-gradient(135deg, hsl(${hue(hit.code)} 55% 42%), hsl(${(hue(hit.code) + 45) % 360} 60% 32%))`;
  const by = make("p", { className: "by" });
  if (hit.creator) {
    const only = make("button", { type: "button", title: "Only this creator", onclick: () => choose("creator", hit.creator) }, hit.creator);
    by.append("by ", only, " · ");
  }
  by.append(make("button", { type: "button", title: "Copy the code", onclick: (event) => copy(event, hit.code) }, hit.code));
  const facts = [hit.created_in, hit.max_players && `${hit.max_players} players`, hit.published_at && day.format(new Date(hit.published_at))];
  by.append(facts.filter(Boolean).map((fact) => ` · ${fact}`).join(""));
  if (hit.on_discovery) by.append(make("span", { className: "badge" }, "On discovery"));
  const tags = make("ul", { className: "tags", ariaLabel: "Tags" });
  for (const tag of hit.tags) tags.append(make("li", {}, make("button", { type: "button", onclick: () => choose("tag", tag) }, tag)));
  const title = make("h2", { dir: "auto" }, ...marked(hit.parts.length ? hit.parts : [hit.title]));
  item.append(tile, make("div", {}, title, by, tags), numbers(hit));
  return item;
}

function numbers(hit) {
  const list = make("dl", { className: "numbers" });
  const sampled = hit.ccu !== null;
  const when = sampled && hit.ccu_at ? `Players, changed ${moment(new Date(hit.ccu_at))}` : "Players: no sample";
  list.append(figure(when, sampled ? number(hit.ccu) : "\u2013", `now${sampled && hit.ccu > 0 ? " live" : ""}`));
  if (hit.peak !== null) {
    const since = hit.peak_since ? ` since ${day.format(new Date(hit.peak_since))}` : "";
    list.append(figure(`Peak${since}`, number(hit.peak)));
  }
  if (hit.day_peak !== null) list.append(figure(`Peak on ${day.format(new Date(hit.day_peak_on))}`, number(hit.day_peak)));
  return list;
}

function figure(term, value, kind = "") {
  return make("div", {}, make("dt", {}, term), make("dd", { className: kind }, value));
}

function moment(instant) {
  const recent = Date.now() - instant < 86_400_000;
  return recent ? `at ${clock.format(instant)} UTC` : `on ${day.format(instant)}`;
}

async function copy(event, code) {
  await navigator.clipboard?.writeText(code);
  event.target.textContent = "copied";
  setTimeout(() => { event.target.textContent = code; }, 1200);
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
