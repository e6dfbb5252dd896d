// What every page shares: ticking clocks, news by the stream, messages, the list of keys.
// A page works without any of this; it only keeps a page fresh and quick to use.

const root = document.documentElement;
const ahead = Date.parse(root.dataset.now) - Date.now(); // the server's clock counts

function digits(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) return root.dataset.days.replace("{days}", days).replace("{hours}", hours);
  const tail = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

function tick() {
  const now = Date.now() + ahead;
  for (const clock of document.querySelectorAll("time[data-since]")) {
    const due = Date.parse(clock.dataset.late ?? "");
    clock.textContent = digits((now - Date.parse(clock.dataset.since)) / 1000);
    if (now > due) clock.classList.add("late");
  }
  for (const clock of document.querySelectorAll("time[data-due]")) {
    const left = (Date.parse(clock.dataset.due) - now) / 1000;
    clock.textContent = (left >= 0 ? root.dataset.left : root.dataset.over).replace("{time}", digits(Math.abs(left)));
    clock.classList.toggle("late", left < 0);
  }
}
tick();
setInterval(tick, 1000);

// ----- messages ------------------------------------------------------------------------------------

const toasts = document.getElementById("toasts");

export function say(words, kind = "") {
  const toast = document.createElement("div");
  toast.className = `toast ${kind}`;
  const text = document.createElement("span");
  text.textContent = words;
  const shut = document.createElement("button");
  shut.type = "button";
  shut.className = "plain";
  shut.textContent = root.dataset.dismiss;
  shut.addEventListener("click", () => toast.remove());
  toast.append(text, shut);
  toasts.append(toast);
  if (kind === "ok") setTimeout(() => toast.remove(), 4000);
}

// A refusal is answered with a page or a fragment that holds one element `data-problem`.
document.addEventListener("htmx:responseError", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const problem = answer.querySelector("[data-problem]");
  say(problem ? problem.textContent.trim() : root.dataset.failed);
});
document.addEventListener("htmx:sendError", () => say(root.dataset.offline));
document.addEventListener("said", (event) => say(event.detail.value, "ok")); // HX-Trigger: {"said": words}

// Whoever leaves a page does not wait for its news: what is still asked for ends without a word.
const asked = new Set();
document.addEventListener("htmx:beforeSend", (event) => {
  const { xhr } = event.detail;
  asked.add(xhr);
  xhr.addEventListener("loadend", () => asked.delete(xhr));
});
for (const leaving of ["beforeunload", "pagehide"]) {
  addEventListener(leaving, () => {
    for (const xhr of asked) {
      xhr.onerror = null;
      xhr.onabort = null;
    }
  });
}

// ----- the stream -----------------------------------------------------------------------------------

const stale = document.getElementById("stale");
let lost = 0;
document.addEventListener("htmx:sseError", () => {
  lost = lost || setTimeout(() => { stale.hidden = false; }, 3000);
});
document.addEventListener("htmx:sseOpen", () => {
  clearTimeout(lost);
  lost = 0;
  if (stale.hidden) return;
  stale.hidden = true; // what happened meanwhile is not known: ask for everything
  renew();
});

const renew = () => {
  for (const part of document.querySelectorAll("[data-part]")) window.htmx.trigger(part, "renew");
};
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig?.verb === "post" && event.detail.successful) renew();
});

// A section is replaced when there is news of it, but never from under somebody's hands.
const busy = (section) => {
  const at = document.activeElement;
  if (section.querySelector("form.htmx-request")) return true; // its answer is on the way
  return section.contains(at) && at.matches("textarea, select, input:not([type=hidden])");
};
const held = new Set();
document.addEventListener("focusout", () => setTimeout(() => {
  const free = [...held].filter((id) => !busy(document.getElementById(id) ?? document.body));
  if (free.length === 0) return;
  held.clear();
  renew();
}, 150));

// What was opened stays open, what had the focus keeps it, and a list stays where it was.
const kept = new Map();
function keep(section) {
  if (!section.id) return;
  kept.set(section.id, {
    details: new Map([...section.querySelectorAll("details[id]")].map((each) => [each.id, each.open])),
    focus: section.contains(document.activeElement) ? document.activeElement.id : "",
    href: section.contains(document.activeElement) ? document.activeElement.getAttribute("href") : "",
    top: section.scrollTop,
    end: section.scrollHeight - section.scrollTop - section.clientHeight < 60,
  });
}
function restore(section) {
  const before = kept.get(section?.id);
  tick();
  if (!before) return;
  kept.delete(section.id);
  for (const [id, open] of before.details) document.getElementById(id)?.toggleAttribute("open", open);
  const focused = before.focus ? document.getElementById(before.focus)
    : before.href && section.querySelector(`[href=${JSON.stringify(before.href)}]`);
  focused?.focus?.({ preventScroll: true });
  section.scrollTop = section.hasAttribute("data-end") && before.end ? section.scrollHeight : before.top;
}

// The same news twice is no news: nothing flickers, and nothing is read out again.
function bare(section) {
  const copy = section.cloneNode(true);
  for (const clock of copy.querySelectorAll("time")) clock.replaceWith(clock.dateTime);
  for (const key of copy.querySelectorAll("input[name=key]")) key.remove();
  for (const each of copy.querySelectorAll("details[open]")) each.removeAttribute("open");
  for (const row of copy.querySelectorAll(".chosen")) row.classList.remove("chosen");
  return copy.innerHTML?.replace(/\s+/g, " ").trim();
}
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target: section, fragment } = event.detail;
  if (bare(section) === bare(fragment)) {
    event.detail.shouldSwap = false;
  } else if (busy(section)) {
    event.detail.shouldSwap = false;
    held.add(section.id);
  } else {
    keep(section);
  }
});
document.addEventListener("htmx:oobAfterSwap", (event) => restore(event.detail.target));
document.addEventListener("htmx:beforeSwap", (event) => keep(event.detail.target));
document.addEventListener("htmx:afterSwap", (event) => restore(event.detail.target));

document.querySelector(".menu [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// ----- forms and keys --------------------------------------------------------------------------------

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  const ask = event.submitter?.dataset.confirm;
  if (ask && !window.confirm(ask)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

export const typing = (event) =>
  event.target.closest?.("input, textarea, select, dialog") !== null || event.ctrlKey || event.metaKey || event.altKey;

document.addEventListener("keydown", (event) => {
  if (typing(event)) return;
  const help = document.getElementById("help");
  const search = document.querySelector("[data-search]");
  if (event.key === "?" && help) {
    event.preventDefault();
    help.showModal();
  } else if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
  }
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-help]")) document.getElementById("help").showModal();
});
