// How an element asks the engine. Two carriers of the same frames: a socket (the page) and an anywidget model (a notebook).
//
//   const frame = await transport.ask("run", "run", state)   // {…plain values, arrays: {name: TypedArray with .shape}}
//   transport.follow("map", "map", params, frame => draw(frame))     // several frames, refined
//
// One question in flight per channel; while it is, only the newest waits. A question that is overtaken resolves to null. One too
// long to be sent is answered at once, by a sentence.

/** The longest question the server takes, in bytes; it closes the connection on a longer one. */
const LONGEST = 64 * 1024;

/** Read a frame: u32 length, JSON padded to 8 bytes, arrays. */
export function decode(buffer, base = 0) {
  const view = new DataView(buffer, base);
  const length = view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, base + 4, length)));
  const start = base + 4 + length;
  const kinds = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };
  const arrays = {};
  for (const [name, [dtype, shape, offset]] of Object.entries(head.arrays)) {
    const Kind = kinds[dtype];
    const count = shape.reduce((a, b) => a * b, 1);
    const at = start + offset;
    const data = at % Kind.BYTES_PER_ELEMENT === 0
      ? new Kind(buffer, at, count)
      : new Kind(buffer.slice(at, at + count * Kind.BYTES_PER_ELEMENT));
    data.shape = shape;
    arrays[name] = data;
  }
  head.arrays = arrays;
  return head;
}

class Channel {
  constructor(name, carrier) {
    this.name = name;
    this.carrier = carrier;
    this.flying = null;
    this.waiting = null;
  }

  put(question) {
    if (this.waiting) this.waiting.resolve(null);
    this.waiting = question;
    if (!this.flying) this.next();
    else if (this.flying.onframe) this.write(this.waiting); // a refining answer is cancelled by the newer question
  }

  next() {
    this.flying = this.waiting;
    this.waiting = null;
    if (this.flying) this.write(this.flying);
  }

  write(question) {
    if (question.sent) return;
    question.sent = this.carrier.write({ id: question.id, channel: this.name, ask: question.ask, params: question.params });
  }

  take(frame) {
    if (this.waiting?.id === frame.id) this.overtake();
    const question = this.flying;
    if (!question || frame.id !== question.id) return;
    const shown = question.onframe && !this.waiting && !frame.error;
    if (!frame.last) {
      if (shown) question.onframe(frame);
      return;
    }
    try {
      if (shown) question.onframe(frame);
    } finally { // whatever becomes of the drawing, the channel goes on
      question.resolve(this.waiting && question.onframe ? null : frame);
      this.next();
    }
  }

  /** The one that waits is being answered: the server took it in the place of the one in flight before it began that one. */
  overtake() {
    this.flying?.resolve(null);
    this.flying = this.waiting;
    this.waiting = null;
  }

  /** The connection is new: ask again what was never answered. */
  again() {
    for (const question of [this.flying, this.waiting]) if (question) question.sent = false;
    if (this.flying && this.waiting) { this.flying.resolve(null); this.flying = null; }
    if (this.flying) this.write(this.flying);
    else this.next();
  }
}

/** What both carriers share: numbering, channels, handing frames to whoever asked. */
export class Transport extends EventTarget {
  constructor() {
    super();
    this.channels = new Map();
    this.count = 0;
  }

  ask(channel, ask, params = {}, onframe = null) {
    return new Promise((resolve) => {
      if (!this.channels.has(channel)) this.channels.set(channel, new Channel(channel, this));
      this.channels.get(channel).put({ id: ++this.count, ask, params, resolve, onframe, sent: false });
    });
  }

  follow(channel, ask, params, onframe) {
    return this.ask(channel, ask, params, onframe);
  }

  take(buffer, base = 0) {
    const frame = decode(buffer, base);
    this.channels.get(frame.channel)?.take(frame);
  }
}

/** A WebSocket that comes back: when the server is gone it tries again, and asks again what was open. */
export class Socket extends Transport {
  constructor(path = "/socket") {
    super();
    this.address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    this.delay = 100;
    this.open();
  }

  open() {
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.delay = 100;
      this.dispatchEvent(new Event("connected"));
      for (const channel of this.channels.values()) channel.again();
    };
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = () => {
      this.dispatchEvent(new Event("lost"));
      setTimeout(() => this.open(), this.delay);
      this.delay = Math.min(this.delay * 2, 2000);
    };
    this.socket = socket;
  }

  write(question) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    const text = JSON.stringify(question);
    if (3 * text.length > LONGEST && new TextEncoder().encode(text).length > LONGEST) {
      const error = "this is more than a page can ask at once: take fewer points";
      queueMicrotask(() => this.channels.get(question.channel).take({ id: question.id, last: true, error, arrays: {} }));
    } else this.socket.send(text);
    return true;
  }
}

/** The same frames through an anywidget model's custom messages. Each view of a model has channels of its own. */
export class WidgetTransport extends Transport {
  constructor(model) {
    super();
    this.model = model;
    this.view = `${Math.random().toString(36).slice(2, 8)}/`;
    this.hear = (_content, buffers) => {
      const view = buffers[0];
      const frame = view.buffer ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : view;
      this.take(frame);
    };
    model.on("msg:custom", this.hear);
  }

  take(buffer) {
    const frame = decode(buffer);
    if (!frame.channel?.startsWith(this.view)) return;
    this.dispatchEvent(new Event("answered"));
    this.channels.get(frame.channel.slice(this.view.length))?.take(frame);
  }

  write(question) {
    this.model.send(JSON.stringify({ ...question, channel: this.view + question.channel }));
    return true;
  }

  close() {
    this.model.off("msg:custom", this.hear);
  }
}
