// Plays a session's recording: the server has made frames of it, this draws them. Whatever the text says, it is only
// ever text: nothing here parses it, and colours are checked by the browser as colours.
"use strict";

const player = document.getElementById("player");
const stage = player.querySelector(".stage"), grid = player.querySelector(".grid");
const seek = document.getElementById("seek"), clock = document.getElementById("clock");
const playButton = document.getElementById("play"), speed = document.getElementById("speed");
const skip = document.getElementById("skip"), happened = document.getElementById("happened");
const longestPause = 1500; // milliseconds of a pause that is skipped

// --- The time line: segments one after the other, without what lies between them.
const segments = JSON.parse(player.dataset.segments);
let total = 0;
for (const s of segments) {
  s.start = total;
  s.length = Math.max(s.end - s.at, 0) + 1000;
  total += s.length;
}
seek.max = total;

let now = 0;              // milliseconds on the time line
let current = null;       // the segment that is shown
let index = -1;           // of the last frame that is drawn
let screen = [];          // which row stands where
let cols = 0, cursor = [-1, -1];
let playing = false, last = 0, wanted = 0;

const at = time => segments.findLast(s => s.start <= time) ?? segments[0];

async function load(segment) {
  segment.loading ??= (async () => {
    const response = await fetch(`${player.dataset.address}/${segment.n}`);
    if (!response.ok) throw new Error(response.status === 503 ? "The host is away." : "This part cannot be shown.");
    segment.data = await response.json();
    addMarkers(segment);
  })();
  try {
    await segment.loading;
  } catch (error) {
    segment.loading = null;
    throw error;
  }
}

// --- Drawing.
const palette = number => {
  const basic = ["#2e3436", "#e0574c", "#5fb760", "#d5a73b", "#5b95e8", "#b77cd4", "#3fb3b5", "#d3d7cf",
    "#747b80", "#ff7b72", "#7ee787", "#f2cc60", "#79b8ff", "#d2a8ff", "#56d4dd", "#ffffff"];
  if (number < 16) return basic[number];
  if (number > 231) { const grey = 8 + 10 * (number - 232); return `rgb(${grey},${grey},${grey})`; }
  const part = n => n ? 55 + 40 * n : 0;
  number -= 16;
  return `rgb(${part(Math.floor(number / 36))},${part(Math.floor(number / 6) % 6)},${part(number % 6)})`;
};
const colour = value => !value ? "" : value[0] === "#" ? value : palette(Number(value));

function dress(element, look) {
  const has = name => look.a?.includes(name);
  let front = colour(look.f), back = colour(look.b);
  if (has("inverse")) [front, back] = [back || "#15181b", front || "#e6e4df"];
  element.style.color = front;
  element.style.backgroundColor = back;
  for (const name of look.a ?? []) if (/^[a-z]+$/.test(name)) element.classList.add("t-" + name);
}

function drawRow(y) {
  const row = grid.children[y];
  const runs = current.data.rows[screen[y]];
  row.replaceChildren(...runs.map(run => {
    const span = document.createElement("span");
    span.textContent = run.t;
    span.style.left = `${run.x}ch`;
    if (run.w) span.classList.add("t-wide");
    dress(span, current.data.looks[run.l ?? 0]);
    return span;
  }));
  if (cursor[1] === y) {
    const mark = document.createElement("span");
    mark.className = "t-cursor";
    mark.style.left = `${cursor[0]}ch`;
    row.append(mark);
  }
}

function resize(columns, rows) {
  cols = columns;
  screen = new Array(rows).fill(0);
  grid.replaceChildren(...screen.map(() => document.createElement("div")));
  grid.style.width = `${columns}ch`;
  fit();
}

// fit makes the text as small as it must be to be seen whole, within what can be read at all.
function fit() {
  if (!cols) return;
  stage.style.fontSize = `${Math.min(13, Math.max(5, stage.clientWidth / cols / 0.62))}px`;
}

function draw() {
  const frames = current.data.frames, time = now - current.start;
  let next = frames.findLastIndex(f => f.t <= time);
  next = Math.max(next, 0);
  if (next < index) index = -1;
  const changed = new Set();
  for (let i = index + 1; i <= next; i++) {
    const frame = frames[i];
    if (frame.c) {
      resize(frame.c, frame.r);
      changed.clear();
    }
    if (frame.p) {
      changed.add(cursor[1]).add(frame.p[1]);
      cursor = frame.p;
    }
    for (const [y, row] of frame.s ?? []) {
      screen[y] = row;
      changed.add(y);
    }
  }
  index = next;
  for (const y of changed) if (y >= 0 && y < screen.length) drawRow(y);
}

const two = n => String(n).padStart(2, "0");
const length = ms => {
  const s = Math.floor(ms / 1000);
  return `${s >= 3600 ? Math.floor(s / 3600) + ":" + two(Math.floor(s / 60) % 60) : Math.floor(s / 60)}:${two(s % 60)}`;
};

async function show() {
  const ticket = ++wanted, segment = at(now);
  try {
    await load(segment);
  } catch (error) {
    pause();
    problem(error.message);
    return false;
  }
  if (ticket !== wanted) return false;
  problem("");
  if (current !== segment) {
    current = segment;
    index = -1;
    cursor = [-1, -1];
  }
  draw();
  seek.value = now;
  const moment = new Date(segment.at + now - segment.start);
  clock.textContent = `${length(now)} of ${length(total)} · ${moment.toLocaleString()}`;
  seek.setAttribute("aria-valuetext", clock.textContent);
  const following = segments[segments.indexOf(segment) + 1];
  if (following && segment.start + segment.length - now < 5000) load(following).catch(() => {});
  return true;
}

function problem(text) {
  const place = document.getElementById("play-problem");
  place.textContent = text;
  place.hidden = text === "";
}

// --- Playing.
function pause() {
  playing = false;
  playButton.textContent = "Play";
}

function play() {
  if (now >= total) now = 0;
  playing = true;
  last = performance.now();
  playButton.textContent = "Pause";
  requestAnimationFrame(step);
}

async function step(moment) {
  if (!playing) return;
  now += Math.max(0, moment - last) * Number(speed.value);
  last = moment;
  if (skip.checked && current?.data) {
    const frames = current.data.frames, next = frames[index + 1];
    const until = next ? current.start + next.t : current.start + current.length;
    if (index >= 0 && now - current.start - frames[index].t > longestPause && until > now) now = until;
  }
  if (now >= total) {
    now = total;
    pause();
  }
  if (await show() && playing) requestAnimationFrame(step);
}

function go(time) {
  now = Math.min(Math.max(0, time), total);
  last = performance.now();
  show();
}

playButton.addEventListener("click", () => playing ? pause() : play());
seek.addEventListener("input", () => go(Number(seek.value)));
addEventListener("resize", fit);
player.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, button, input[type=checkbox]")) return;
  const steps = {ArrowLeft: -5000, ArrowRight: 5000, PageUp: -60000, PageDown: 60000};
  if (event.key === " ") playing ? pause() : play();
  else if (event.key in steps) go(now + steps[event.key]);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(total);
  else return;
  event.preventDefault();
});

// --- Markers.
const markers = [];
function addMarkers(segment) {
  for (const m of segment.data.markers) markers.push({time: segment.start + m.t, text: m.m});
  markers.sort((a, b) => a.time - b.time);
  happened.replaceChildren(...markers.map(m => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.className = "happening";
    button.textContent = `${length(m.time)}  ${m.text}`;
    button.addEventListener("click", () => go(m.time));
    item.append(button);
    return item;
  }));
  player.querySelector(".marks").replaceChildren(...markers.map(m => {
    const tick = document.createElement("i");
    tick.style.left = `${100 * m.time / total}%`;
    return tick;
  }));
}

show();
