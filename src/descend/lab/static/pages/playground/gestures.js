// Looking closer: the wheel with Ctrl and two fingers zoom about where they are, Shift and a drag or two fingers move the view.
//
// It stands before the figure's own listeners: what it takes is not theirs, and one pointer without Shift it never takes.

/** The box seen when `from` (pixels) has come to `to` and everything has shrunk to 1/factor. */
export function moved([[x0, x1], [y0, y1]], width, height, from, to, factor = 1) {
  const across = (x1 - x0) * factor, up = (y1 - y0) * factor;
  const x = x0 + (from[0] / width) * (x1 - x0) - (to[0] / width) * across;
  const y = y0 + (1 - from[1] / height) * (y1 - y0) - (1 - to[1] / height) * up;
  return [[x, x + across], [y, y + up]];
}

const middle = ([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
const apart = ([a, b]) => Math.max(20, Math.hypot(a[0] - b[0], a[1] - b[1]));

export class Gestures {
  /** `owner`: {view, pans, start, look(box, rest), settle(), fit(start), drop(), hint()}: `settle` says that the
   *  view rests, `drop` ends whatever one pointer was doing. */
  constructor(element, owner) {
    this.element = element;
    this.owner = owner;
    this.spots = new Map();
    this.hold = null;
    this.moving = false;
    const listen = (kind, act, options = true) => element.addEventListener(kind, (event) => act.call(this, event), options);
    listen("pointerdown", this.down);
    listen("pointermove", this.move);
    listen("pointerup", this.up);
    listen("pointercancel", this.up);
    listen("wheel", this.wheel, { passive: false });
    listen("dblclick", () => owner.fit(this.before));
    listen("keydown", this.key, false);
    for (const kind of ["touchstart", "touchmove"]) { // or the browser scrolls with two fingers and takes them away
      listen(kind, (event) => { if (event.touches.length > 1 && event.cancelable) event.preventDefault(); }, { passive: false });
    }
  }

  spot(event) {
    const area = this.element.getBoundingClientRect();
    return [event.clientX - area.left, event.clientY - area.top];
  }

  /** Begin anew from the pointers that are down. */
  begin() {
    const { view } = this.owner;
    this.hold = { box: view.box, width: view.width, height: view.height, spots: [...this.spots.values()] };
  }

  down(event) {
    const { owner } = this;
    if (!(event.timeStamp - this.last < 500)) this.before = owner.start;
    this.last = event.timeStamp;
    const pans = owner.pans && (event.button === 1 || (event.button === 0 && event.shiftKey));
    if (!owner.view || (event.pointerType !== "touch" && !pans)) return;
    this.spots.set(event.pointerId, this.spot(event));
    if (this.spots.size === 1 && !pans) return;
    owner.drop();
    this.begin();
    this.take(event);
    this.element.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.spots.has(event.pointerId)) return;
    this.spots.set(event.pointerId, this.spot(event));
    if (!this.hold) return;
    this.owner.look(this.seen(), false);
    this.moving = true;
    this.take(event);
  }

  up(event) {
    if (!this.spots.delete(event.pointerId) || !this.hold) return;
    this.take(event);
    if (this.spots.size) { this.begin(); return; }
    this.hold = null;
    if (this.moving) this.owner.settle();
    this.moving = false;
  }

  /** What is seen with the pointers where they now are. */
  seen() {
    const { box, width, height, spots } = this.hold, now = [...this.spots.values()];
    if (now.length === 1) return moved(box, width, height, spots[0], now[0]);
    const factor = apart(spots) / apart(now), pans = this.owner.pans, centre = [width / 2, height / 2];
    return moved(box, width, height, pans ? middle(spots) : centre, pans ? middle(now) : centre, factor);
  }

  take(event) {
    event.stopImmediatePropagation();
    event.preventDefault();
  }

  wheel(event) {
    const { owner } = this;
    if (!owner.view) return;
    if (!event.ctrlKey && !event.metaKey) { owner.hint(); return; } // an ordinary wheel scrolls the page
    this.take(event);
    const rows = event.deltaMode === 0 ? event.deltaY : 30 * event.deltaY; // some browsers count lines
    this.about(Math.exp(Math.min(Math.max(rows, -35), 35) * 0.01), owner.pans ? this.spot(event) : null, false);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => owner.settle(), 200);
  }

  /** Zoom by a factor, below 1 closer, about a place or the middle. */
  about(factor, place = null, rest = true) {
    const { view } = this.owner;
    if (!view) return;
    const here = place ?? [view.width / 2, view.height / 2];
    this.owner.look(moved(view.box, view.width, view.height, here, here, factor), rest);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") this.about(2 / 3);
    else if (event.key === "-" || event.key === "_") this.about(1.5);
    else if (event.key === "0") this.owner.fit(null);
    else return;
    event.preventDefault();
  }
}
