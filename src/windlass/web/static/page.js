// What every page does when scripts run: times in the viewer's words, a theme that is kept,
// keys, and the page made new when the server says that it would look different.

import { morph } from "./morph.js";
import { logs, rest } from "./log.js";

const trusted = globalThis.trustedTypes?.createPolicy("windlass", { createHTML: (text) => text });
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const GAP = 1000;

// ---------------------------------------------------------------- times

function times() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const moment = new Date(time.dateTime);
    const seconds = Math.max(0, (Date.now() - moment) / 1000);
    const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, "s"];
    const text = seconds < 1 ? "just now" : `${Math.floor(seconds / size)} ${unit} ago`;
    if (time.textContent !== text) time.textContent = text;
    time.title = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}

// ---------------------------------------------------------------- theme

function theme() {
  const button = document.querySelector("[data-theme-button]");
  const choices = { "": "Auto", light: "Light", dark: "Dark" };
  const name = () => {
    const chosen = choices[document.documentElement.dataset.theme ?? ""];
    const before = document.createElement("span");
    before.className = "spelled";
    before.textContent = "Theme:";
    button.replaceChildren(before, chosen);
    button.setAttribute("aria-label", `Theme: ${chosen}`);
  };
  button.hidden = false;
  name();
  button.addEventListener("click", () => {
    const order = Object.keys(choices);
    const now = document.documentElement.dataset.theme ?? "";
    const next = order[(order.indexOf(now) + 1) % order.length];
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${next}; path=/; max-age=${next ? 31536000 : 0}; samesite=lax${secure}`;
    name();
  });
}

// ---------------------------------------------------------------- live

let source;
let stamp;
let due = 0;
let timer;

function listen() {
  const url = document.body.dataset.live;
  if (!url || source) return;
  source = new EventSource(stamp === undefined ? url : url.replace(/stamp=[^&]*$/, `stamp=${stamp}`));
  source.addEventListener("open", () => sign(true));
  source.addEventListener("error", () => sign(false));
  source.addEventListener("changed", (event) => {
    stamp = event.lastEventId;
    clearTimeout(timer);
    timer = setTimeout(renew, Math.max(0, due - Date.now()));
  });
}

function sign(on) {
  const place = document.querySelector("[data-live-sign]");
  if (!place) return;
  place.hidden = false;
  place.toggleAttribute("data-on", on);
  place.textContent = on ? "live" : "not live";
}

async function renew() {
  due = Date.now() + GAP;
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  } catch {
    return;
  }
  if (!answer.ok || answer.redirected) return;
  const text = await answer.text();
  const fresh = new DOMParser().parseFromString(trusted ? trusted.createHTML(text) : text, "text/html");
  document.title = fresh.title;
  morph(document.querySelector("main"), fresh.querySelector("main"));
  times();
  logs();
}

document.addEventListener("visibilitychange", () => {
  rest(document.hidden);
  if (document.hidden) { source?.close(); source = undefined; } else { listen(); times(); }
});

// ---------------------------------------------------------------- keys

const PLACES = { o: "/", e: "/events", r: "/runs", a: "/approvals", b: "/builds", p: "/repositories" };
let chord = 0;

function keys() {
  const off = () => localStorage.getItem("keys") === "off";
  document.querySelector("[data-keys-hint]").hidden = off();
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") return void help();
    if (off()) return;
    if (Date.now() - chord < 1000 && PLACES[event.key]) return void location.assign(PLACES[event.key]);
    chord = event.key === "g" ? Date.now() : 0;
    if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
    if (event.key === "/") { event.preventDefault(); document.querySelector("[data-search]")?.focus(); }
    if (event.key === "r" || event.key === "c") document.querySelector(`[data-key="${event.key}"]`)?.focus();
  });
}

function move(way) {
  const links = [...document.querySelectorAll("main .rows a.strong, main .jobs a")];
  const here = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, here + way))]?.focus();
}

function help() {
  const rows = [["g then o, e, r, a, b, p", "overview, events, runs, approvals, builds, repositories"],
    ["j, k", "next, previous"], ["/", "find in the log"], ["r, c", "go to Run again, Cancel"], ["?", "this help"]];
  const dialog = document.createElement("dialog");
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [key, text] of rows) {
    const term = document.createElement("dt");
    const name = document.createElement("kbd");
    name.textContent = key;
    term.append(name);
    const said = document.createElement("dd");
    said.textContent = text;
    list.append(term, said);
  }
  const heading = document.createElement("h2");
  heading.textContent = "Keys";
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = localStorage.getItem("keys") !== "off";
  box.addEventListener("change", () => {
    localStorage.setItem("keys", box.checked ? "on" : "off");
    document.querySelector("[data-keys-hint]").hidden = !box.checked;
  });
  label.className = "check";
  label.append(box, " Use keys");
  const form = document.createElement("form");
  form.method = "dialog";
  const close = document.createElement("button");
  close.textContent = "Close";
  form.append(label, close);
  dialog.append(heading, list, form);
  dialog.setAttribute("aria-label", "Keys");
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

times();
setInterval(times, 15000);
theme();
keys();
logs();
listen();
