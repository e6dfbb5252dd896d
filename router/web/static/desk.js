// The desk: drafts that survive a reload, sending by key, the conversation held at its end.

import { typing } from "./app.js";

const key = (box) => `draft:${box.dataset.draft}`;

function recall() {
  for (const box of document.querySelectorAll("textarea[data-draft]")) {
    if (box.value === "") box.value = localStorage.getItem(key(box)) ?? "";
  }
}

function count(box) {
  const shown = box.form?.querySelector("[data-count]");
  if (!shown) return;
  const written = [...box.value].length;
  const most = Number(shown.dataset.count);
  shown.textContent = written > most * 0.8 ? `${written} / ${most}` : "";
}

function toEnd() {
  const said = document.getElementById("said");
  if (said) said.scrollTop = said.scrollHeight;
}

recall();
toEnd();

document.addEventListener("input", (event) => {
  const box = event.target;
  if (!box.matches("textarea[data-draft]")) return;
  if (box.value) localStorage.setItem(key(box), box.value);
  else localStorage.removeItem(key(box));
  count(box);
});

const fresh = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// Each side sees that the other is writing, for as long as it goes on.
let told = -4000;
document.addEventListener("input", (event) => {
  const box = event.target;
  if (!box.dataset.typing || performance.now() - told < 4000) return;
  told = performance.now();
  const csrf = box.form.elements.csrf.value;
  fetch(box.dataset.typing, { method: "POST", headers: { "X-CSRF-Token": csrf } }).catch(() => {});
});
let until = 0;
document.addEventListener("htmx:sseBeforeMessage", (event) => {
  if (event.target.id !== "typing") return;
  event.preventDefault();
  event.target.hidden = false;
  clearTimeout(until);
  until = setTimeout(() => { event.target.hidden = true; }, 5000);
});

// An offer is seen from another tab as well.
const title = document.title;
function announce() {
  const offers = document.querySelectorAll(".offer").length;
  document.title = offers ? `(${offers}) ${title}` : title;
}
announce();
document.addEventListener("htmx:oobAfterSwap", announce);

function showFile(form) {
  const shown = form.querySelector("[data-file]");
  if (shown) shown.value = form.elements.file.files[0]?.name ?? "";
}
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-say] input[type=file]")) showFile(event.target.form);
});

// A new send is a new key; a repeated one (a double click, a retry) is the same answer.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target;
  if (!form.matches("form[data-say]") || !event.detail.successful) return;
  const box = form.querySelector("textarea");
  localStorage.removeItem(key(box));
  form.reset();
  box.value = "";
  count(box);
  showFile(form);
  const once = form.querySelector("input[name=key]");
  if (once) once.value = fresh();
  box.focus();
  toEnd();
});
document.addEventListener("submit", (event) => {
  const box = event.target.querySelector("textarea[data-draft]");
  if (box && !event.target.matches("form[data-say]")) localStorage.removeItem(key(box));
});
document.addEventListener("htmx:afterSettle", recall);

// A better wording from the coach is put into the reply, where the agent goes on from it.
document.addEventListener("click", (event) => {
  const offered = event.target.closest?.("[data-reword]");
  const box = document.getElementById("reply");
  if (!offered || !box) return;
  put(box, offered.dataset.reword, "whole" in offered.dataset || box.value.trim() === "");
});

// Puts words into the reply: instead of what stands there, or under it.
function put(box, words, whole) {
  box.value = whole ? words : `${box.value.trimEnd()}\n${words}`;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
}

const accept = (name) => document.querySelector(`.offer [data-key="${name}"]`);

document.addEventListener("keydown", (event) => {
  const box = event.target.closest?.("textarea[data-draft]");
  if (box && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    box.form.requestSubmit();
    return;
  }
  if (box && event.key === "Escape") box.blur();
  if (typing(event)) return;
  const control = accept(event.key) ?? document.querySelector(`.talk [data-key="${event.key}"], .pile [data-key="${event.key}"]`);
  if (control) {
    event.preventDefault();
    if (control.matches("summary, button, a")) control.click();
    if (control.matches("summary, textarea, input, select")) control.focus();
  } else if (event.key === "j" || event.key === "k") {
    const all = [...document.querySelectorAll(".mine .row a")];
    const at = all.indexOf(document.activeElement);
    all[Math.min(all.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)))]?.focus();
  }
});

// ----- scripts and articles --------------------------------------------------------------------------

// What was inserted is named when the answer goes: which script it was made from, which article.
const made = (box) => `made:${box.dataset.draft}`;
const madeOf = (box) => JSON.parse(localStorage.getItem(made(box)) ?? "{}");

document.addEventListener("click", (event) => {
  const chosen = event.target.closest?.("[data-script], [data-source]");
  const box = document.getElementById("reply");
  if (!chosen || !box) return;
  if (chosen.dataset.insert) put(box, chosen.dataset.insert, box.value.trim() === "");
  const held = madeOf(box);
  if (chosen.dataset.script) held.script = chosen.dataset.script;
  if (chosen.dataset.source) held.sources = [...new Set([...(held.sources ?? []), chosen.dataset.source])];
  localStorage.setItem(made(box), JSON.stringify(held));
  document.getElementById("aid").open = false;
});
document.addEventListener("input", (event) => {
  const box = event.target;
  if (box.id !== "reply") return;
  if (!box.value) localStorage.removeItem(made(box));
  if (box.value === "/") {
    box.value = "";
    seek();
  }
});
document.addEventListener("htmx:configRequest", (event) => {
  const box = event.target.matches("form[data-say]") && event.target.querySelector("textarea");
  if (!box) return;
  const held = madeOf(box);
  if (held.script) event.detail.formData.append("script", held.script);
  for (const source of held.sources ?? []) event.detail.formData.append("sources", source);
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target;
  if (form.matches("form[data-say]") && event.detail.successful) localStorage.removeItem(made(form.querySelector("textarea")));
});

function seek() {
  const part = document.getElementById("aid");
  if (!part) return;
  part.open = true;
  document.getElementById("aid-words").focus();
}
document.addEventListener("toggle", (event) => {
  if (event.target.id === "aid" && event.target.open) document.getElementById("aid-words").focus();
}, true);
document.addEventListener("keydown", (event) => {
  if (event.target.id !== "aid-words") return;
  const all = [...document.querySelectorAll("#aid-found [data-insert]")];
  if (event.key === "Enter" || event.key === "ArrowDown") {
    event.preventDefault();
    if (event.key === "Enter") all[0]?.click();
    else all[0]?.focus();
  } else if (event.key === "Escape") {
    document.getElementById("aid").open = false;
    document.getElementById("reply")?.focus();
  }
});
