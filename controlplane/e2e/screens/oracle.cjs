// Says what @xterm/headless shows at ten points of each recording named on the command line, in a file beside it. The
// format is described in hostagent/terminal/replay_test.go.
"use strict";
const fs = require("node:fs");
const { Terminal } = require("@xterm/headless");
const { Unicode11Addon } = require("@xterm/addon-unicode11");

const shots = 10;

function colour(prefix, isDefault, isRGB, value) {
  if (isDefault) return "";
  return " " + prefix + (isRGB ? "#" + value.toString(16).padStart(6, "0") : value);
}

function style(cell) {
  let s = "";
  if (cell.isBold()) s += " bold";
  if (cell.isDim()) s += " faint";
  if (cell.isItalic()) s += " italic";
  if (cell.isBlink()) s += " blink";
  if (cell.isInverse()) s += " inverse";
  if (cell.isInvisible()) s += " hidden";
  if (cell.isStrikethrough()) s += " struck";
  if (cell.isOverline()) s += " overlined";
  if (cell.isUnderline()) {
    s += " underline" + cell.getUnderlineStyle();
    if (!cell.isUnderlineColorDefault())
      s += colour("u", false, cell.isUnderlineColorRGB(), cell.getUnderlineColor());
  }
  s += colour("f", cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor());
  s += colour("b", cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor());
  return s;
}

function row(line, cols) {
  let text = "";
  const runs = [];
  for (let x = 0; x < cols; x++) {
    const cell = line.getCell(x);
    const width = cell.getWidth();
    if (width === 0) continue;
    const chars = cell.getChars() || " ";
    let s = style(cell);
    if (width === 2) s = " wide" + s;
    const marks = [...chars].length - 1;
    if (marks > 0) s = " +" + marks + s;
    text += chars;
    const last = runs[runs.length - 1];
    if (last && last.s === s && last.end === x) last.end = x + width;
    else runs.push({ from: x, end: x + width, s });
  }
  const styled = runs.filter((r) => r.s !== "").map((r) => r.from + "-" + (r.end - 1) + r.s);
  return text.replace(/ +$/, "") + "\n" + (styled.length > 0 ? "\t" + styled.join(", ") + "\n" : "");
}

function create(cols, rows) {
  const term = new Terminal({ cols, rows, scrollback: 0, allowProposedApi: true });
  term.loadAddon(new Unicode11Addon());
  term.unicode.activeVersion = "11";
  return term;
}

const write = (term, text) => new Promise((done) => term.write(text, done));

function screen(term, name) {
  const buffer = term.buffer.active;
  let out = `== ${name} ${buffer.type} ${buffer.cursorX},${buffer.cursorY}\n`;
  for (let y = 0; y < term.rows; y++) out += row(buffer.getLine(buffer.baseY + y), term.cols);
  return out;
}

async function judge(path) {
  const term = create(120, 40);
  const text = fs.readFileSync(path);
  let out = "";
  for (let shot = 1, from = 0; shot <= shots; shot++) {
    const to = Math.floor((text.length * shot) / shots);
    await write(term, text.subarray(from, to));
    from = to;
    out += screen(term, `${shot}/${shots}`);
  }
  fs.writeFileSync(path.replace(/raw$/, "screens"), out);
}

// resize takes a full-screen program's alternate screen, as it is half way, to some sizes.
async function resize(path) {
  const text = fs.readFileSync(path);
  let out = "";
  for (const [cols, rows] of [[80, 24], [38, 50], [200, 7], [130, 45]]) {
    const term = create(120, 40);
    await write(term, text.subarray(0, Math.floor(text.length / 2)));
    if (term.buffer.active.type !== "alternate") return;
    term.resize(cols, rows);
    out += screen(term, `${cols}x${rows}`);
  }
  fs.writeFileSync(path.replace(/raw$/, "resized"), out);
}

(async () => {
  for (const path of process.argv.slice(2)) {
    await judge(path);
    await resize(path);
  }
})();
