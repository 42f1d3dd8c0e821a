// What a map's colours mean: the ramp with its ticks, or a square for each basin, and what lies beyond them.

/** Fill `place` from a frame's legend and palette. */
export function legend(place, frame) {
  const { palette } = frame.arrays, { by, title, ticks, none } = frame.legend;
  const rgb = (k) => `rgb(${palette[3 * k]},${palette[3 * k + 1]},${palette[3 * k + 2]})`;
  place.replaceChildren();
  if (by !== "basin") place.append(ramp(palette, ticks, title));
  const swatches = document.createElement("ul");
  const add = (colour, text, kind = "") => {
    const item = document.createElement("li");
    const square = document.createElement("i");
    square.style.setProperty("background", colour);
    if (kind) square.className = kind;
    item.append(square, text);
    swatches.append(item);
  };
  if (by === "basin") for (const [k, text] of ticks) add(rgb(k), text);
  if (none) add(rgb(253), none);
  if (frame.legend.diverged) add(rgb(255), "diverged");
  place.append(swatches);
  if (by === "basin") {
    const told = document.createElement("p");
    told.textContent = title;
    place.prepend(told);
  }
}

function ramp(palette, ticks, title) {
  const figure = document.createElement("div");
  figure.className = "ds-map-ramp";
  const canvas = document.createElement("canvas");
  canvas.width = 240;
  canvas.height = 1;
  const context = canvas.getContext("2d"), image = context.createImageData(240, 1);
  for (let k = 0; k < 240; k++) for (let c = 0; c < 4; c++) image.data[4 * k + c] = c < 3 ? palette[3 * k + c] : 255;
  context.putImageData(image, 0, 0);
  const name = document.createElement("span");
  name.textContent = title;
  figure.append(name, canvas);
  const taken = [];
  const ends = (tick) => (tick[0] < 0.04 || tick[0] > 0.96 ? 0 : 1); // the ends are told before what lies between them
  for (const [part, text] of [...ticks].sort((a, b) => ends(a) - ends(b))) {
    const wide = 0.024 * (text.length + 1); // of the ramp's length, about
    const from = part < 0.04 ? part : part > 0.96 ? part - wide : part - wide / 2;
    if (taken.some(([a, b]) => from < b && from + wide > a)) continue;
    taken.push([from, from + wide]);
    const tick = document.createElement("b");
    tick.textContent = text;
    tick.style.setProperty("left", `${100 * part}%`);
    if (part < 0.04) tick.dataset.end = "left";
    if (part > 0.96) tick.dataset.end = "right";
    figure.append(tick);
  }
  return figure;
}
