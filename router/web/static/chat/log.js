// The list of messages: one element a message, made and changed here and nowhere else.

export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== ""));
  return element;
};

const RECALL_WITHIN = 120_000;

// An address that a browser may open: ours or the web's, never a script.
const safe = (address) => {
  try {
    const url = new URL(address, import.meta.url);
    return ["http:", "https:", "blob:"].includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
};

export class Log {
  #list;
  #words;
  #lang;
  #act;
  #byKey = new Map();

  constructor(list, words, lang, act) {
    this.#list = list;
    this.#words = words;
    this.#lang = lang;
    this.#act = act;
  }

  clear() {
    this.#list.replaceChildren();
    this.#byKey.clear();
  }

  // A message frame, or one of our own that is still on its way. Returns whether it is new.
  show(message, state = "") {
    const keys = [message.message_id, message.client_msg_id].filter(Boolean);
    const known = keys.map((key) => this.#byKey.get(key)).find(Boolean);
    if (known) {
      for (const key of keys) this.#byKey.set(key, known);
      if (state) this.mark(keys[0], state);
      return false;
    }
    const mine = !message.from || message.from.role === "customer";
    const who = mine ? this.#words.you : message.from.name || this.#words[message.from.role] || "";
    const item = make(
      "li",
      { class: mine ? "mine" : "theirs" },
      make("span", { class: "who" }, who),
      make("div", { class: "bubble" }, ...this.#content(message, mine)),
      this.#foot(message, mine),
    );
    item.dataset.seq = message.seq || "";
    for (const key of keys) this.#byKey.set(key, item);
    this.#list.append(item);
    if (state) this.mark(keys[0], state);
    this.#toEnd();
    return true;
  }

  // How far one of our own messages has come.
  mark(key, state, messageId = "") {
    const item = this.#byKey.get(key);
    if (!item) return;
    if (messageId) this.#byKey.set(messageId, item);
    const status = item.querySelector(".status");
    if (status) status.textContent = this.#words[state] || "";
    item.dataset.state = state;
  }

  takenBack(...keys) {
    const item = keys.map((key) => this.#byKey.get(key)).find(Boolean);
    if (!item) return;
    item.classList.add("recalled");
    item.querySelector(".bubble").textContent = this.#words.recalled;
    item.querySelector(".recall")?.remove();
  }

  note(text) {
    this.#list.append(make("li", { class: "note" }, text));
    this.#toEnd();
  }

  #content(message, mine) {
    const parts = [];
    const file = message.attachment;
    const link = file ? safe(file.link || file.preview || "") : "";
    if (message.type === "image" && link) {
      parts.push(
        make("img", { src: link, alt: file.name || this.#words.picture, loading: "lazy" }),
      );
    } else if (file) {
      const name = file.name || this.#words.file;
      parts.push(link ? make("a", { href: link, target: "_blank", rel: "noopener" }, name) : name);
    }
    if (message.type === "link" && safe(message.link?.url)) {
      parts.push(
        make(
          "a",
          { href: safe(message.link.url), target: "_blank", rel: "noopener" },
          message.link.title || message.link.url,
        ),
      );
    } else if (message.text) parts.push(make("p", {}, message.text));
    if (message.press) parts.push(make("p", {}, message.press.label || message.press.payload));
    if (message.options && !mine) {
      parts.push(
        make(
          "div",
          { class: "options" },
          ...message.options.map((option) =>
            make(
              "button",
              { type: "button", onclick: () => this.#act("press", option) },
              option.label,
            ),
          ),
        ),
      );
    }
    return parts;
  }

  #foot(message, mine) {
    const at = new Date(message.ts || Date.now());
    const time = make(
      "time",
      { datetime: at.toISOString() },
      at.toLocaleTimeString(this.#lang, { hour: "2-digit", minute: "2-digit" }),
    );
    const foot = make("span", { class: "foot" }, time);
    if (!mine) return foot;
    foot.append(make("span", { class: "status" }));
    const left = RECALL_WITHIN - (Date.now() - at.getTime());
    if (message.client_msg_id && left > 0) {
      const recall = make(
        "button",
        { type: "button", class: "recall", onclick: () => this.#act("recall", message) },
        this.#words.recall,
      );
      foot.append(recall);
      setTimeout(() => recall.remove(), left);
    }
    return foot;
  }

  #toEnd() {
    this.#list.parentElement.scrollTop = this.#list.parentElement.scrollHeight;
  }
}
