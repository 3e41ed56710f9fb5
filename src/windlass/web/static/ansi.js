// A line of a log as nodes: colours and bold, dim, italic, underline; every other control is
// dropped. The same rules as pages/ansi.py, and nothing here is ever read as markup.

const SGR = /\x1b\[([0-9;:]*)m/g;
const OTHER = /\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const STYLES = { 1: "b", 2: "d", 3: "i", 4: "u" };
const ENDS = { 22: ["b", "d"], 23: ["i"], 24: ["u"] };

export function strip(text) {
  return text.replace(SGR, "").replace(OTHER, "");
}

export function nodes(text) {
  const out = document.createDocumentFragment();
  if (!/[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(text)) {
    out.append(text);
    return out;
  }
  let classes = new Set();
  let last = 0;
  const put = (end) => {
    const plain = text.slice(last, end).replace(OTHER, "");
    if (!plain) return;
    if (!classes.size) return void out.append(plain);
    const span = document.createElement("span");
    span.className = [...classes].join(" ");
    span.textContent = plain;
    out.append(span);
  };
  for (const found of text.matchAll(SGR)) {
    put(found.index);
    last = found.index + found[0].length;
    classes = after(classes, found[1]);
  }
  put(text.length);
  return out;
}

function after(before, codes) {
  const kept = new Set(before);
  const numbers = codes.length < 100 ? codes.split(/[;:]/).map(Number) : [];
  const clear = (ground) => {
    const starts = ground === 3 ? ["a3", "a9"] : ["a4", "a10"];
    for (const name of [...kept]) if (starts.some((start) => name.startsWith(start))) kept.delete(name);
  };
  while (numbers.length) {
    const code = numbers.shift();
    const ground = Math.floor(code / 10);
    if (code === 0) kept.clear();
    else if (STYLES[code]) kept.add(STYLES[code]);
    else if (ENDS[code]) ENDS[code].forEach((name) => kept.delete(name));
    else if (code === 38 || code === 48) {
      const colour = extended(numbers);
      clear(ground);
      kept.add(`a${ground * 10 + (colour % 8) + (colour > 7 ? 60 : 0)}`);
    } else if (code === 39 || code === 49) clear(ground);
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
      clear(3);
      kept.add(`a${code}`);
    } else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) {
      clear(4);
      kept.add(`a${code}`);
    }
  }
  return kept;
}

function extended(numbers) {
  if (numbers[0] === 5 && numbers.length > 1) return of256(numbers.splice(0, 2)[1]);
  if (numbers[0] === 2 && numbers.length > 3) return nearest(...numbers.splice(0, 4).slice(1));
  numbers.length = 0;
  return 7;
}

function of256(index) {
  if (index < 16) return index;
  if (index > 231) return index < 244 ? 8 : 7;
  return nearest(...[36, 6, 1].map((part) => 51 * (Math.floor((index - 16) / part) % 6)));
}

function nearest(red, green, blue) {
  const top = Math.max(red, green, blue);
  if (top < 64) return 0;
  const on = (part) => Number(part > top * 0.6);
  return (top > 191 ? 8 : 0) + on(red) + 2 * on(green) + 4 * on(blue);
}
