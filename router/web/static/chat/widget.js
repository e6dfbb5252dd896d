// The chat widget of a shop's page. Embed it with one line; everything is told by attributes:
//   <script type="module" src="https://router.example/static/chat/widget.js"
//           data-site="KEY" data-token="JWT signed by the shop, or nothing" data-lang="zh"></script>
// To sign somebody in or out later: document.dispatchEvent(
//   new CustomEvent("mainstem:identify", { detail: { token: "…" } }))  // "" signs out
// The page is told of a refused token by the event "mainstem:refused".

import { Connection } from "./connection.js";
import { Log, make } from "./log.js";
import { wordsFor } from "./words.js";

const TYPING_EVERY = 3000;
const TYPING_SHOWN = 6000;

class Widget {
  #words;
  #log;
  #link;
  #open = false;
  #unread = 0;
  #typedAt = 0;
  #typingTimer = 0;
  #latest = null;
  #read = 0;

  constructor({ base, site, token, lang }) {
    this.#words = wordsFor(lang);
    this.#build(base);
    this.#log = new Log(this.list, this.#words, lang, (what, message) => this.#act(what, message));
    this.#link = new Connection({
      base,
      site,
      token,
      locale: lang,
      handle: (...told) => this.#on(...told),
    });
    this.#restart();
    this.#link.open();
    document.addEventListener("mainstem:identify", (event) =>
      this.#link.identify(event.detail?.token || ""),
    );
    document.addEventListener("visibilitychange", () => this.#seen());
  }

  #build(base) {
    const words = this.#words;
    const host = make("div", { id: "mainstem-chat" });
    const root = host.attachShadow({ mode: "open" });
    this.badge = make("span", { class: "badge", hidden: true });
    this.launcher = make(
      "button",
      {
        type: "button",
        class: "launcher",
        "aria-expanded": "false",
        "aria-controls": "panel",
        "aria-label": words.open,
        onclick: () => this.#toggle(!this.#open),
      },
      make("span", { class: "bubble-icon", "aria-hidden": "true" }),
      this.badge,
    );
    this.status = make("p", { class: "state", role: "status" }, words.connecting);
    this.list = make("ol", {});
    this.typing = make("p", { class: "typing", "aria-live": "polite" });
    this.input = make("textarea", {
      id: "words",
      rows: "2",
      placeholder: words.placeholder,
      maxlength: "8000",
      onkeydown: (event) => this.#key(event),
      oninput: () => this.#isTyping(),
    });
    this.file = make("input", {
      type: "file",
      id: "file",
      class: "hidden",
      tabindex: "-1",
      "aria-hidden": "true",
      accept: "image/*,video/*,audio/*,application/pdf",
      onchange: () => this.#upload(),
    });
    this.form = make(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          this.#say();
        },
      },
      make("label", { for: "words", class: "hidden" }, words.message),
      this.input,
      make(
        "div",
        { class: "actions" },
        this.file,
        make("button", {
          type: "button",
          class: "attach",
          "aria-label": words.attach,
          onclick: () => this.file.click(),
        }),
        make("button", { type: "submit", class: "send" }, words.send),
      ),
    );
    this.rating = make("div", { class: "rating", hidden: true });
    this.panel = make(
      "section",
      {
        id: "panel",
        class: "panel",
        role: "dialog",
        "aria-label": words.title,
        hidden: true,
        onkeydown: (event) => event.key === "Escape" && this.#toggle(false),
      },
      make(
        "header",
        {},
        make("h2", {}, words.title),
        this.status,
        make(
          "button",
          {
            type: "button",
            class: "close",
            "aria-label": words.close,
            onclick: () => this.#toggle(false),
          },
          "×",
        ),
      ),
      make(
        "div",
        {
          class: "log",
          role: "log",
          "aria-live": "polite",
          tabindex: "0",
          "aria-label": words.title,
        },
        this.list,
        this.typing,
      ),
      this.rating,
      this.form,
    );
    root.append(
      make("link", { rel: "stylesheet", href: new URL("widget.css", base).href }),
      this.panel,
      this.launcher,
    );
    document.body.append(host);
  }

  // One entry for everything that the connection tells.
  #on(what, told) {
    switch (what) {
      case "state":
        return this.#state(told);
      case "changed":
        return this.#restart();
      case "welcome":
        return undefined;
      case "ack":
        return this.#log.mark(told.client_msg_id, "sent", told.message_id);
      case "failed":
        return this.#log.mark(told.client_msg_id, "failed");
      case "error":
        return told.retry_after === undefined ? undefined : this.#log.note(this.#words.slow);
      case "message":
        return this.#message(told);
      case "receipt":
        return this.#log.mark(told.message_id, told.state === "read" ? "read" : "sent");
      case "typing":
        return this.#showTyping(told.from?.name);
      case "recalled":
        return this.#log.takenBack(told.message_id, told.client_msg_id);
      case "assigned":
        return told.from?.name ? this.#log.note(this.#words.assigned(told.from.name)) : undefined;
      case "ended":
        return this.#askRating(told.conversation_id);
      default:
        return undefined;
    }
  }

  #state(state) {
    this.status.textContent = this.#words[state];
    this.status.dataset.state = state;
    if (state === "refused") document.dispatchEvent(new CustomEvent("mainstem:refused"));
  }

  #restart() {
    this.#log.clear();
    this.#log.note(this.#words.hello);
    this.#latest = null;
    this.#read = 0;
    this.#count(0);
    for (const message of this.#link?.unsent ?? []) this.#log.show(message, "sending");
  }

  #message(frame) {
    const mine = frame.from?.role === "customer";
    const isNew = this.#log.show(frame, mine ? "sent" : "");
    if (mine || !isNew) return;
    this.#showTyping("", 0);
    this.rating.hidden = true;
    this.#latest = frame;
    if (!this.#seen()) this.#count(this.#unread + 1);
  }

  // Tell that the latest message was read, if somebody can have read it.
  #seen() {
    if (!this.#open || document.hidden) return false;
    this.#count(0);
    const { seq, ts, message_id } = this.#latest ?? {};
    if (seq > this.#read && this.#link.tell("read", { seq, ts, message_id })) this.#read = seq;
    return true;
  }

  #count(unread) {
    this.#unread = unread;
    this.badge.hidden = unread === 0;
    this.badge.textContent = unread > 99 ? "99+" : String(unread);
    const label = this.#open ? this.#words.close : this.#words.open;
    this.launcher.setAttribute(
      "aria-label",
      unread ? `${label} (${this.#words.unread(unread)})` : label,
    );
  }

  #toggle(open) {
    this.#open = open;
    this.panel.hidden = !open;
    this.launcher.setAttribute("aria-expanded", String(open));
    this.#count(open ? 0 : this.#unread);
    if (open) {
      this.#seen();
      this.input.focus();
    } else this.launcher.focus();
  }

  #key(event) {
    // Enter that ends the choice of Chinese characters is not a wish to send.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229)
      return;
    event.preventDefault();
    this.#say();
  }

  #say() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.#log.show(this.#link.say({ type: "text", text }), "sending");
    this.input.focus();
  }

  #isTyping() {
    if (Date.now() - this.#typedAt > TYPING_EVERY && this.#link.tell("typing"))
      this.#typedAt = Date.now();
  }

  #showTyping(who, shown = TYPING_SHOWN) {
    clearTimeout(this.#typingTimer);
    this.typing.textContent = shown ? this.#words.typing(who) : "";
    if (shown)
      this.#typingTimer = setTimeout(() => {
        this.typing.textContent = "";
      }, shown);
  }

  #act(what, message) {
    if (what === "press") {
      const press = { payload: message.id, label: message.label };
      this.#log.show(this.#link.say({ type: "press", press }), "sending");
    } else if (this.#link.tell("recall", { client_msg_id: message.client_msg_id })) {
      this.#log.takenBack(message.client_msg_id);
    }
  }

  async #upload() {
    const file = this.file.files[0];
    this.file.value = "";
    if (!file) return;
    const mime = file.type || "application/octet-stream";
    const kind = { image: "image", video: "video", audio: "voice" }[mime.split("/")[0]] ?? "file";
    const about = { name: file.name, mime, size: file.size };
    try {
      const place = await this.#link.ask("upload_request", about);
      if (place.max_size && file.size > place.max_size) {
        this.#log.note(this.#words.tooBig);
        return;
      }
      const url = new URL(place.url, import.meta.url);
      const answer = await fetch(url, {
        method: "POST",
        body: file,
        headers: { "content-type": mime },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { ref } = await answer.json();
      const kept = this.#link.say({ type: kind, attachment: { ...about, ref } });
      const preview = kind === "image" ? URL.createObjectURL(file) : "";
      this.#log.show({ ...kept, attachment: { ...kept.attachment, preview } }, "sending");
    } catch {
      this.#log.note(this.#words.uploadFailed);
    }
  }

  #askRating(conversation) {
    const words = this.#words;
    const scores = [1, 2, 3, 4, 5].map((score) =>
      make(
        "label",
        {},
        make("input", {
          type: "radio",
          name: "score",
          value: String(score),
          required: true,
          "aria-label": words.stars(score),
        }),
        make("span", { "aria-hidden": "true" }, String(score)),
      ),
    );
    const comment = make("textarea", { id: "comment", rows: "2", maxlength: "2000" });
    const form = make(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          const score = Number(new FormData(form).get("score"));
          if (
            !this.#link.tell("rate", {
              score,
              comment: comment.value,
              conversation_id: conversation,
            })
          )
            return;
          this.rating.replaceChildren(make("p", { role: "status" }, words.thanks));
          this.input.focus();
        },
      },
      make(
        "fieldset",
        {},
        make("legend", {}, words.ended),
        make("div", { class: "scores" }, ...scores),
      ),
      make("label", { for: "comment" }, words.comment),
      comment,
      make("button", { type: "submit", class: "send" }, words.rate),
    );
    this.rating.replaceChildren(form);
    this.rating.hidden = false;
    this.list.parentElement.scrollTop = this.list.parentElement.scrollHeight;
  }
}

const own = [...document.querySelectorAll("script[type=module][data-site]")].find(
  (tag) => tag.src === import.meta.url,
);
if (own) {
  const { site, token = "", lang = document.documentElement.lang || "en" } = own.dataset;
  new Widget({ base: import.meta.url, site, token, lang });
}
