// A map's state in the words of its link, which are those of the command line:
//   ?objective=ellipse&optimizer=momentum:nesterov=true&x=lr=0.005:0.7&y=momentum=0:0.99&steps=200&by=rate&at=0.42,0.45

const axisWords = ({ name, low, high, scale }) => `${name}=${low}:${high}${scale === "log" ? ":log" : ""}`;

export function toWords(state) {
  const words = new URLSearchParams();
  words.set("objective", state.objective);
  const values = Object.entries(state.optimizer.values ?? {}).map(([k, v]) => `${k}=${v}`);
  words.set("optimizer", state.optimizer.name + (values.length ? `:${values.join(",")}` : ""));
  words.set("x", axisWords(state.x));
  words.set("y", axisWords(state.y));
  words.set("steps", state.steps);
  words.set("by", state.by);
  words.set("size", state.size);
  if (state.start) words.set("start", state.start.join(","));
  if (state.at) words.set("at", state.at.join(","));
  if (state.dtype) words.set("dtype", state.dtype);
  if (state.tol && state.tol !== 1e-6) words.set("tol", state.tol);
  // readable: what need not be escaped in a query is not
  return words.toString().replace(/%3A/g, ":").replace(/%2C/g, ",").replace(/%3D/g, "=");
}

function axisOf(text) {
  const equals = text.indexOf("=");
  const [low, high, scale] = text.slice(equals + 1).split(":");
  return { name: text.slice(0, equals), low: valueOf(low), high: valueOf(high ?? ""), scale: scale === "log" ? "log" : "linear" };
}

/** Values as a rule wants them: numbers, true and false, words. */
export function valueOf(text) {
  if (text === "true" || text === "false") return text === "true";
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** The state in a query, what it does not say taken from `base`; null where it says nothing of a map. */
export function fromWords(query, base) {
  const words = new URLSearchParams(query);
  if (!words.has("objective") && !words.has("x")) return null;
  const state = { ...structuredClone(base), start: null, at: null };
  if (words.has("objective")) state.objective = words.get("objective");
  if (words.has("optimizer")) {
    const [, name, rest] = words.get("optimizer").match(/^([^:]*):?(.*)$/s);
    state.optimizer = { name, values: {} };
    for (const part of rest.split(/,(?![^()]*\))/).filter(Boolean)) {
      const equals = part.indexOf("=");
      state.optimizer.values[part.slice(0, equals)] = valueOf(part.slice(equals + 1));
    }
  }
  for (const axis of ["x", "y"]) if (words.has(axis)) state[axis] = axisOf(words.get(axis));
  for (const number of ["steps", "size", "tol"]) if (words.has(number)) state[number] = valueOf(words.get(number));
  for (const word of ["by", "dtype"]) if (words.has(word)) state[word] = words.get(word);
  for (const list of ["start", "at"]) if (words.has(list)) state[list] = words.get(list).split(",").map(Number);
  return state;
}
