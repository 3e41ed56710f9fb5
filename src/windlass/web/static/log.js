// A log of any length. Lines are kept as text; only those in sight are in the document, so
// 200,000 of them scroll like 200. A line is addressed as #L12, a range as #L12-L20.

import { nodes, strip } from "./ansi.js";

const HIGH = 20;
const SPARE = 20;
const FIRST = 1 << 19;
const CHUNK = 4 << 20;
const FAILING = /\b(error|errors|failed|failure|fatal|exception|panic|traceback|not ok)\b|assertionerror|[✗✘✖]/i;
const HARMLESS = /\b(0|no) (errors?|failed|failures?)\b/i;

const open = new Map();

/** Make every log on the page a live one, and end those that have left it. */
export function logs() {
  for (const [place, log] of open) if (!place.isConnected) { log.stop(); open.delete(place); }
  for (const place of document.querySelectorAll("[data-log]")) {
    if (!open.has(place)) open.set(place, new Log(place));
  }
}

/** Streams cost a connection each; a page that is not looked at needs none. */
export function rest(hidden) {
  for (const log of open.values()) if (hidden) log.pause(); else log.resume();
}

function make(tag, properties = {}, ...content) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...content);
  return made;
}

class Log {
  constructor(place) {
    this.place = place;
    this.lines = [];   // the stored text of each line
    this.heads = [];   // where a step begins: { line, step }
    this.offset = 0;
    this.ended = false;
    this.following = true;
    this.said = 0;
    this.build();
    this.load();
  }

  build() {
    const raw = this.place.querySelector(".log-bar a");
    this.status = make("span", { className: "grow soft" });
    this.status.setAttribute("role", "status");
    this.search = make("input", { type: "search", placeholder: "Find in the log" });
    this.search.setAttribute("aria-label", "Find in the log");
    this.search.dataset.search = "";
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.find(event.shiftKey ? -1 : 1);
    });
    this.failing = make("button", { type: "button", textContent: "First failure", hidden: true });
    this.failing.addEventListener("click", () => this.jump(this.failure()));
    this.end = make("button", { type: "button", textContent: "Follow" });
    this.end.setAttribute("aria-pressed", "false");
    this.end.addEventListener("click", () => { this.follow(!this.following); });
    const times = make("button", { type: "button", textContent: "Times" });
    times.setAttribute("aria-pressed", "false");
    times.addEventListener("click", () => {
      const on = this.pane.classList.toggle("log-times");
      times.setAttribute("aria-pressed", String(on));
    });
    const bar = make("div", { className: "log-bar" },
      this.status, this.search, this.failing, this.end, times, raw);
    this.view = make("div");
    this.sheet = make("div", { className: "log-sheet" }, this.view);
    this.pane = make("div", { className: "log log-tall", tabIndex: 0 }, this.sheet);
    this.pane.setAttribute("role", "log");
    this.pane.setAttribute("aria-live", "off");
    this.pane.setAttribute("aria-label", this.place.querySelector(".log").getAttribute("aria-label"));
    this.pane.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.place.replaceChildren(bar, this.pane);
    this.steps = new Map([...document.querySelectorAll("[data-step]")].map(
      (each) => [Number(each.dataset.step), each.dataset.stepName]));
    this.moved = () => this.go();
    addEventListener("hashchange", this.moved);
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.pane);
  }

  async load() {
    try {
      for (;;) {
        const size = this.offset ? CHUNK : FIRST; // the first lines are wanted at once
        const answer = await fetch(`${this.place.dataset.log}&offset=${this.offset}&limit=${size}`);
        if (!answer.ok) throw new Error(String(answer.status));
        this.ended = answer.headers.get("Windlass-Log-Ended") === "1";
        const text = await answer.text();
        if (!text) break;
        this.offset = Number(answer.headers.get("Windlass-Next-Offset"));
        const first = !this.lines.length;
        if (first) this.follow(!this.ended && !this.aim());
        this.add(text);
        if (first) { this.go(); this.say(true); }
      }
    } catch {
      this.status.textContent = "The log could not be read; reload the page.";
      return;
    }
    this.loaded = true;
    this.go(true);
    this.say(true);
    if (!this.ended && !document.hidden) this.stream();
  }

  stream() {
    this.source = new EventSource(`${this.place.dataset.log}&follow=1&offset=${this.offset}`);
    this.source.addEventListener("message", (event) => {
      this.offset = Number(event.lastEventId);
      this.add(JSON.parse(event.data));
      this.say();
    });
    this.source.addEventListener("end", () => {
      this.ended = true;
      this.source.close();
      this.follow(false);
      this.say(true);
    });
  }

  pause() { this.source?.close(); this.source = undefined; }

  resume() { if (this.loaded && !this.ended && !this.source) this.stream(); }

  stop() {
    this.pause();
    removeEventListener("hashchange", this.moved);
    this.resized.disconnect();
  }

  add(text) {
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const line = text.slice(start, end);
      const step = stepOf(line);
      if (!this.heads.length || this.heads.at(-1).step !== step) {
        this.heads.push({ line: this.lines.length, step });
      }
      this.lines.push(line);
      start = end + 1;
    }
    this.sheet.style.height = `${(this.lines.length + this.heads.length) * HIGH}px`;
    if (this.following && this.loaded) this.pane.scrollTop = this.pane.scrollHeight;
    this.draw();
  }

  // Rows are lines and, before the first line of each step, its name.
  rowOf(line) {
    return line + this.heads.filter((head) => head.line <= line).length;
  }

  at(row) {
    let before = 0;
    for (const head of this.heads) {
      if (head.line + before === row) return { head };
      if (head.line + before > row) break;
      before += 1;
    }
    return { line: row - before };
  }

  draw() {
    const total = this.lines.length + this.heads.length;
    const first = Math.max(0, Math.floor(this.pane.scrollTop / HIGH) - SPARE);
    const last = Math.min(total, Math.ceil((this.pane.scrollTop + this.pane.clientHeight) / HIGH) + SPARE);
    const rows = [];
    for (let row = first; row < last; row += 1) rows.push(this.row(row));
    this.view.style.transform = `translateY(${first * HIGH}px)`;
    this.view.replaceChildren(...rows);
  }

  row(number) {
    const { head, line } = this.at(number);
    if (head) {
      const name = this.steps.get(head.step) ?? (head.step < 0 ? "checkout" : `step ${head.step + 1}`);
      return make("div", { className: "line line-step" }, make("a"), make("span", { textContent: name }));
    }
    const { at, stream, text } = parse(this.lines[line]);
    const label = make("a", { href: `#L${line + 1}`, textContent: String(line + 1), tabIndex: -1 });
    label.addEventListener("click", (event) => this.mark(event, line));
    const time = at ? new Date(at).toISOString().slice(11, 23) : "";
    const made = make("div", { className: `line line-${stream}` }, label,
      make("span", { className: "at", textContent: time }),
      make("span", { className: "said" }, nodes(text)));
    const [from, to] = range();
    if (line + 1 >= from && line + 1 <= to) made.classList.add("line-on");
    else if (line === this.first) made.classList.add("line-bad");
    return made;
  }

  mark(event, line) {
    const [from] = range();
    if (!event.shiftKey || !Number.isFinite(from)) return;
    event.preventDefault();
    const [low, high] = [Math.min(from, line + 1), Math.max(from, line + 1)];
    history.replaceState(null, "", `#L${low}-L${high}`);
    this.draw();
  }

  /** Which line the address asks for: a line, a step; or the first failing one. */
  aim() {
    const [from] = range();
    if (Number.isFinite(from)) return from;
    const step = /^#step-(-?\d+)$/.exec(location.hash);
    if (step) return (this.heads.find((head) => head.step === Number(step[1]))?.line ?? -1) + 1;
    return 0;
  }

  go(complete = false) {
    const wanted = this.aim();
    if (wanted && wanted <= this.lines.length) {
      this.follow(false);
      this.jump(wanted - 1);
    } else if (complete && !wanted && this.place.dataset.jobState === "failed") {
      this.jump(this.failure());
    } else if (this.following) {
      this.pane.scrollTop = this.pane.scrollHeight;
    }
    this.draw();
  }

  failure() {
    const wanted = this.place.dataset.failed;
    let last = this.lines.length - 1;
    for (let line = 0; line < this.lines.length; line += 1) {
      if (wanted !== "" && stepOf(this.lines[line]) !== Number(wanted)) continue;
      last = line;
      const text = parse(this.lines[line]).text;
      if (FAILING.test(text) && !HARMLESS.test(text)) break;
    }
    this.first = last;
    return last;
  }

  jump(line) {
    if (line < 0) return;
    this.pane.scrollTop = this.rowOf(line) * HIGH - this.pane.clientHeight / 3;
    this.pane.scrollIntoView({ block: "nearest" });
    this.draw();
  }

  follow(on) {
    this.following = on;
    this.end.setAttribute("aria-pressed", String(on));
    if (on) this.pane.scrollTop = this.pane.scrollHeight;
  }

  scrolled() {
    const left = this.pane.scrollHeight - this.pane.scrollTop - this.pane.clientHeight;
    if (this.following && this.loaded && left > 3 * HIGH) this.follow(false);
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  find(way) {
    const wanted = this.search.value.toLowerCase();
    if (!wanted) return;
    const count = this.lines.length;
    let [line] = range();
    line = Number.isFinite(line) ? line - 1 : -1;
    for (let tried = 0; tried < count; tried += 1) {
      line = (line + way + count) % count;
      if (strip(parse(this.lines[line]).text).toLowerCase().includes(wanted)) {
        history.replaceState(null, "", `#L${line + 1}`);
        this.go();
        this.status.textContent = `Found in line ${line + 1}`;
        return;
      }
    }
    this.status.textContent = "Not found";
  }

  say(now = false) {
    this.failing.hidden = this.place.dataset.jobState !== "failed";
    this.end.hidden = this.ended;
    if (!now && Date.now() - this.said < 2000) return;
    this.said = Date.now();
    const count = `${this.lines.length.toLocaleString()} line${this.lines.length === 1 ? "" : "s"}`;
    const failed = this.first === undefined ? "" : `, first failure in line ${this.first + 1}`;
    this.status.textContent = count + (this.ended ? failed : ", more to come");
  }
}

function stepOf(line) {
  const start = line.indexOf(" ") + 1;
  return Number(line.slice(start, line.indexOf(" ", start)));
}

function parse(line) {
  const found = /^(\d+) (-?\d+) ([oew]) ?/.exec(line);
  return found
    ? { at: Number(found[1]), stream: found[3], text: line.slice(found[0].length) }
    : { at: 0, stream: "o", text: line };
}

function range() {
  const found = /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash);
  return found ? [Number(found[1]), Number(found[2] ?? found[1])] : [NaN, NaN];
}
