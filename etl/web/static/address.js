// The address bar holds the whole state of the page, in the words of /api/search.
export const FACETS = { tag: "Tags", category: "Category", created_in: "Created in", creator: "Creator" };
export const RANGES = { ccu: "Players now", players: "Island size", published: "Published (UTC)" };
export const SIZE = 20;

const SINGLE = [...Object.keys(RANGES), "on_discovery"];

export function blank() {
  const chosen = Object.fromEntries(Object.keys(FACETS).map((name) => [name, []]));
  return { q: "", sort: "relevance", page: 1, chosen, ...Object.fromEntries(SINGLE.map((name) => [name, ""])) };
}

export function read(search) {
  const query = new URLSearchParams(search);
  const state = blank();
  for (const name of Object.keys(FACETS)) state.chosen[name] = query.getAll(name);
  for (const name of SINGLE) state[name] = query.get(name) ?? "";
  state.q = query.get("q") ?? "";
  state.sort = query.get("sort") ?? "relevance";
  state.page = Number(query.get("page")) || 1;
  return state;
}

export function write(state) {
  const query = new URLSearchParams();
  if (state.q) query.set("q", state.q);
  for (const [name, values] of Object.entries(state.chosen)) for (const value of values) query.append(name, value);
  for (const name of SINGLE) if (state[name]) query.set(name, state[name]);
  if (state.sort !== "relevance") query.set("sort", state.sort);
  if (state.page !== 1) query.set("page", state.page);
  return query;
}

// What narrows the search now, each with what it is called and the state without it.
export function narrowing(state) {
  const found = [];
  for (const [name, values] of Object.entries(state.chosen)) {
    for (const value of values) {
      const rest = values.filter((each) => each !== value);
      found.push({ label: value, title: FACETS[name], without: { chosen: { ...state.chosen, [name]: rest } } });
    }
  }
  for (const [name, title] of Object.entries(RANGES)) {
    if (state[name]) found.push({ label: `${title}: ${spoken(state[name])}`, title, without: { [name]: "" } });
  }
  if (state.on_discovery) {
    const label = state.on_discovery === "true" ? "On discovery now" : "Not on discovery";
    found.push({ label, title: "Discovery", without: { on_discovery: "" } });
  }
  return found;
}

function spoken(range) {
  const [low, high] = range.split("..");
  return low && high ? `${low} to ${high}` : low ? `from ${low}` : `to ${high}`;
}
