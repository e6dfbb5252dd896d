// The queues from the keyboard: j and k walk the rows, Enter opens, letters act on what is open.

import { typing } from "./app.js";

let chosen = "";

const rows = () => [...document.querySelectorAll("#rows .row")];

function choose(row) {
  for (const each of rows()) each.classList.toggle("chosen", each === row);
  if (!row) return;
  chosen = row.id;
  row.scrollIntoView({ block: "nearest" });
  row.querySelector("a").focus({ preventScroll: true });
}

function walk(by) {
  const all = rows();
  const at = all.findIndex((row) => row.id === chosen);
  choose(all[Math.min(all.length - 1, Math.max(0, at + by))]);
}

document.addEventListener("htmx:afterSwap", () => {
  const row = chosen && document.getElementById(chosen);
  if (row) row.classList.add("chosen");
});

const press = (key) => document.querySelector(`.side [data-key="${key}"]`);

document.addEventListener("keydown", (event) => {
  if (typing(event)) return;
  if (event.key === "j" || event.key === "k") {
    walk(event.key === "j" ? 1 : -1);
  } else if (event.key === "Escape") {
    document.querySelector(".side [data-shut]")?.click();
  } else {
    const control = press(event.key);
    if (!control) return;
    event.preventDefault();
    if (control.matches("select, input")) {
      control.closest("details")?.setAttribute("open", "");
      control.focus();
    } else {
      control.click();
    }
  }
});
