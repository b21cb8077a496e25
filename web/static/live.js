// What pages gain when scripts run: they follow what happens, times are local, forms keep the place. Every page
// works without this file: links load and forms post.
"use strict";

const main = document.querySelector("main");

// --- Times: the server writes UTC, the reader sees his own clock.
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", {numeric: "auto", style: "short"});
const absolute = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "short"});

function tellTimes() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    const seconds = Math.round((at - Date.now()) / 1000);
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
    const told = Math.abs(seconds) < 10 ? "just now"
      : Math.abs(seconds) > 14 * 86400 ? absolute.format(at)
      : relative.format(Math.trunc(seconds / size), unit).replace(".", "");
    if (element.textContent !== told) element.textContent = told;
    element.title = absolute.format(at);
  }
}

// --- Refreshing: the page's own address is read again and its [data-live] parts are exchanged where the server's
// HTML has changed, so that what a person is typing in an unchanged part stays.
const served = new Map();
for (const part of document.querySelectorAll("[data-live]")) served.set(part.id, part.outerHTML);

function atBottom() {
  return innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
}

// Where one question stood another may stand now, or the same one elsewhere: for a moment a click is taken for one
// that was meant for what is no longer there.
const calm = 800; // milliseconds; the second click of a double click comes within 500
let changed = -calm;

function exchange(page) {
  const follow = atBottom();
  for (const part of page.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    if (!old || served.get(part.id) === part.outerHTML) continue;
    served.set(part.id, part.outerHTML);
    if (part.querySelector(".prompt") || old.querySelector(".prompt")) changed = performance.now();
    // The element itself stays, so that a screen reader goes on listening to it.
    for (const attribute of part.attributes) old.setAttribute(attribute.name, attribute.value);
    old.replaceChildren(...part.childNodes);
  }
  const more = appendEntries(page);
  document.title = page.title;
  tellTimes();
  if (follow) scrollTo(0, document.documentElement.scrollHeight);
  return more;
}

// appendEntries adds the transcript's new entries and reports whether the server has yet more.
function appendEntries(page) {
  const fresh = page.getElementById("entries");
  const entries = document.getElementById("entries");
  if (!fresh || !entries) return false;
  for (const entry of [...fresh.children]) {
    if (!document.getElementById(entry.id)) entries.append(document.adoptNode(entry));
  }
  if (entries.children.length) document.getElementById("no-entries")?.remove();
  entries.dataset.cursor = fresh.dataset.cursor;
  return "more" in fresh.dataset;
}

let refreshing = false, again = false;
async function refresh() {
  if (refreshing) { again = true; return; }
  refreshing = true;
  try {
    do {
      again = false;
      const address = new URL(main.dataset.address ?? location.href, location.href);
      const carry = document.getElementById("carry");
      if (carry) address.search = carry.dataset.query;
      const cursor = document.querySelector("[data-cursor]")?.dataset.cursor;
      if (cursor) address.searchParams.set("cursor", cursor);
      const response = await fetch(address);
      if (new URL(response.url).pathname === "/login") { location.reload(); return; }
      if (!response.ok) return;
      const page = parse(await response.text());
      if (!page.getElementById("send") !== !document.getElementById("send")) { location.reload(); return; }
      if (exchange(page)) again = true;
    } while (again);
  } catch {
    // The control plane is away; the next event or tick tries again.
  } finally {
    refreshing = false;
  }
}

function parse(html) { return new DOMParser().parseFromString(html, "text/html"); }

// --- Following: one event stream while the page is seen. A browser has few connections, so a hidden page has none.
let stream;
function follow() {
  if (document.hidden) { stream?.close(); stream = undefined; return; }
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource(main.dataset.events);
  stream.addEventListener("change", refresh);
  stream.addEventListener("ended", () => location.reload());
  stream.onopen = refresh;
  stream.onerror = () => { if (stream?.readyState === EventSource.CLOSED) setTimeout(follow, 5000); };
}
if (main.dataset.events) {
  follow();
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => stream?.close());
  addEventListener("pageshow", follow);
}
if (main.dataset.every) {
  setInterval(() => { if (!document.hidden) refresh(); }, 1000 * main.dataset.every);
}

// --- Forms that keep the place. The same key goes with every try, so a repeat acts once.
document.addEventListener("submit", async event => {
  const form = event.target;
  if (!form.matches("[data-quiet]")) return;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  if (form.closest(".prompt") && performance.now() - changed < calm) {
    tell("The questions have just changed. Look again before you answer.");
    return;
  }
  form.ariaBusy = "true";
  try {
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const response = await fetch(form.action, {method: "POST", body});
    if (new URL(response.url).pathname === "/login") { location.reload(); return; }
    const page = parse(await response.text());
    tell(page.querySelector(".problem:not([hidden])")?.textContent ?? (response.ok ? "" : "That did not work; please try again."));
    if (response.ok) {
      for (const box of form.querySelectorAll("textarea")) box.value = "";
      takeHidden(form, page);
      exchange(page);
    }
    refresh();
  } catch {
    tell("The control plane cannot be reached. Your text is kept; try again.");
  } finally {
    form.ariaBusy = "false";
  }
});

// takeHidden gives the form the next page's hidden fields: a new key for the next message.
function takeHidden(form, page) {
  const next = form.id && page.getElementById(form.id);
  if (!next) return;
  for (const field of next.querySelectorAll("input[type=hidden]")) form.elements[field.name].value = field.value;
}

function tell(problem) {
  const place = document.getElementById("told");
  if (!place) return;
  place.textContent = problem;
  place.hidden = problem === "";
  if (problem) place.scrollIntoView({block: "nearest"}); // a long form has it out of sight
}

document.addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && event.target.matches(".send textarea")) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

// --- The menu closes when one goes on elsewhere.
document.addEventListener("click", event => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// --- Copying.
document.addEventListener("click", async event => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});

if (navigator.clipboard) for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
for (const note of document.querySelectorAll("[data-without-script]")) note.hidden = true;
tellTimes();
setInterval(tellTimes, 20000);
// On a phone the row of tabs is wider than the screen.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({inline: "center", block: "nearest"});
if (document.querySelector("#entries, .screen.wrap") && !location.hash) scrollTo(0, document.documentElement.scrollHeight);
