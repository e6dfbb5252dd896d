// The socket of the widget (pam.v1): what is said is kept until it is acknowledged, and sent again.

const ACK_WAIT = 10_000;
const LONGEST_PAUSE = 30_000;
const REFUSED = 1008;

const random = () =>
  crypto.randomUUID?.() ??
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");

// A key under which unsent messages are kept, so that nobody sends another's. Not a proof.
const ownerOf = (token) => {
  if (!token) return "anonymous";
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return `member:${JSON.parse(atob(part)).sub}`;
  } catch {
    return "member";
  }
};

// A browser may forbid storage or be out of it; then the widget forgets on reload, no more.
const keep = (storage, key, value) => {
  try {
    if (value === null) storage.removeItem(key);
    else storage.setItem(key, value);
  } catch {
    /* see above */
  }
};
const kept = (storage, key) => {
  try {
    return storage.getItem(key);
  } catch {
    return null;
  }
};

export class Connection {
  #base;
  #site;
  #locale;
  #token;
  #handle;
  #socket = null;
  #welcomed = false;
  #pause = 0;
  #timer = 0;
  #watch = 0;
  #number = 0;
  #conversation = null;
  #lastSeq = 0;
  #queue = [];
  #waiting = new Map();
  #stopped = false;
  #fresh = false;

  constructor({ base, site, locale, token, handle }) {
    this.#base = base;
    this.#site = site;
    this.#locale = locale;
    this.#token = token || "";
    this.#handle = handle;
    this.#queue = this.#restored();
    addEventListener("online", () => this.#soon(0));
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => event.persisted && this.#soon(0));
  }

  get conversation() {
    return this.#conversation;
  }
  get unsent() {
    return this.#queue;
  }

  open() {
    clearTimeout(this.#timer);
    if (this.#stopped || (this.#socket && this.#socket.readyState <= WebSocket.OPEN)) return;
    this.#leaveOthers();
    const url = new URL("/ws/v1", this.#base);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("site", this.#site);
    if (this.#fresh) url.searchParams.set("fresh", "1");
    this.#handle("state", "connecting");
    const socket = new WebSocket(url, ["pam.v1"]);
    this.#socket = socket;
    this.#welcomed = false;
    socket.onopen = () => this.#hello();
    socket.onmessage = (event) => socket === this.#socket && this.#receive(event.data);
    socket.onclose = (event) => socket === this.#socket && this.#lost(event.code);
  }

  // Sign in or out. A stranger who signs in stays on the socket, so the conversation goes on; it
  // goes on under this browser's id as long as the same member is signed in.
  identify(token) {
    const before = this.#token;
    this.#token = token || "";
    this.#stopped = false;
    if (before === this.#token) {
      this.open();
      return;
    }
    if (!before && this.#welcomed) {
      keep(sessionStorage, `mainstem:${this.#site}:anonymous:unsent`, null);
      this.#store();
      this.#hello();
      return;
    }
    this.#fresh = Boolean(before);
    this.#conversation = null;
    this.#lastSeq = 0;
    this.#queue = this.#restored();
    this.#handle("changed");
    const old = this.#socket;
    this.#socket = null;
    this.#welcomed = false;
    this.#pause = 0;
    old?.close();
    this.open();
  }

  say(message) {
    const kept = { client_msg_id: random(), ...message };
    this.#queue.push(kept);
    this.#store();
    this.#flush();
    return kept;
  }

  // For what may be lost: typing, receipts. Returns whether it went out.
  tell(op, fields = {}) {
    return this.#welcomed && this.#send(op, fields) !== "";
  }

  // For what is answered by a frame that names it.
  ask(op, fields) {
    return new Promise((resolve, reject) => {
      const id = this.#welcomed ? this.#send(op, fields) : "";
      if (!id) {
        reject(new Error("offline"));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #hello() {
    const identity = this.#token
      ? { mode: "jwt", token: this.#token, as_visitor: this.#goesOn() }
      : { mode: "anonymous" };
    const resume = { conversation_id: this.#conversation, last_seq: this.#lastSeq };
    this.#send("hello", { identity, device: "web", locale: this.#locale, resume });
  }

  #send(op, fields) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return "";
    const id = `c-${++this.#number}`;
    this.#socket.send(JSON.stringify({ v: 1, op, id, ...fields }));
    return id;
  }

  #flush() {
    if (!this.#welcomed) return;
    for (const message of this.#queue) {
      if (!message.frame)
        message.frame = this.#send("send", { ...message, frame: undefined, ts: Date.now() });
    }
    clearTimeout(this.#watch);
    if (this.#queue.length) this.#watch = setTimeout(() => this.#socket?.close(), ACK_WAIT);
  }

  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    const asked = this.#waiting.get(frame.re);
    if (asked) {
      this.#waiting.delete(frame.re);
      if (frame.op === "error") asked.reject(frame);
      else asked.resolve(frame);
    } else if (frame.op === "welcome") this.#greeted(frame);
    else if (frame.op === "ack") this.#acknowledged(frame);
    else if (frame.op === "error") this.#failed(frame);
    else {
      // Only what was shown moves the mark: an acknowledgement may overtake a message.
      if (frame.op === "message") this.#lastSeq = Math.max(this.#lastSeq, frame.seq || 0);
      if (frame.client_msg_id) this.#drop(frame.client_msg_id);
      this.#handle(frame.op, frame);
    }
  }

  #greeted(frame) {
    this.#welcomed = true;
    this.#pause = 0;
    this.#fresh = false;
    if (this.#conversation && frame.conversation_id !== this.#conversation) this.#lastSeq = 0;
    this.#conversation = frame.conversation_id || this.#conversation;
    for (const message of this.#queue) delete message.frame;
    this.#handle("welcome", frame);
    this.#handle("state", "online");
    this.#flush();
  }

  #acknowledged(frame) {
    this.#drop(frame.client_msg_id);
    if (!this.#token) keep(localStorage, this.#claimKey, "anonymous");
    this.#handle("ack", frame);
    this.#flush();
  }

  #failed(frame) {
    const message = this.#queue.find((one) => one.frame === frame.re);
    if (message && frame.retry_after === undefined) {
      this.#drop(message.client_msg_id);
      this.#handle("failed", message);
    } else if (message) {
      setTimeout(() => {
        delete message.frame;
        this.#flush();
      }, frame.retry_after * 1000);
    }
    this.#handle("error", frame);
  }

  #lost(code) {
    this.#welcomed = false;
    this.#socket = null;
    clearTimeout(this.#watch);
    for (const asked of this.#waiting.values()) asked.reject(new Error("offline"));
    this.#waiting.clear();
    this.#stopped = code === REFUSED;
    this.#handle("state", this.#stopped ? "refused" : "offline");
    if (this.#stopped) return;
    this.#pause = Math.min(LONGEST_PAUSE, Math.max(1000, this.#pause * 2));
    this.#soon(this.#pause * (0.5 + Math.random() / 2));
  }

  #soon(after) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), after);
  }

  #drop(id) {
    this.#queue = this.#queue.filter((message) => message.client_msg_id !== id);
    this.#store();
  }

  // Whether a conversation under this browser's id belongs to who is signed in now: it was begun
  // by a stranger, and nobody or the same member has signed in since.
  #goesOn() {
    const owner = kept(localStorage, this.#claimKey);
    if (owner) keep(localStorage, this.#claimKey, ownerOf(this.#token));
    return Boolean(owner);
  }

  // Where another member's conversation is under this browser's id, ask for a new id.
  #leaveOthers() {
    const owner = kept(localStorage, this.#claimKey);
    if (owner && owner !== "anonymous" && owner !== ownerOf(this.#token)) this.#fresh = true;
    if (this.#fresh) keep(localStorage, this.#claimKey, null);
  }

  get #claimKey() {
    return `mainstem:${this.#site}:browser`;
  }

  get #key() {
    return `mainstem:${this.#site}:${ownerOf(this.#token)}:unsent`;
  }

  #store() {
    const unsent = this.#queue.map(({ frame, ...message }) => message);
    keep(sessionStorage, this.#key, unsent.length ? JSON.stringify(unsent) : null);
  }

  #restored() {
    return JSON.parse(kept(sessionStorage, this.#key) || "[]");
  }
}
