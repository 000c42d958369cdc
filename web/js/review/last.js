// The last verdicts with the time that is left to take each back, and the shift in numbers.

import { h } from "../dom.js";
import { countdown, duration } from "../duration.js";
import { moment, number } from "../language.js";
import { known, t } from "./words.js";

const SHOWN = 20;
const COUNTS = ["checked", "upheld", "overturned", "skipped", "undone"];

/** `undo(entry)`: take a verdict back. An entry: {review_id, title, verdict, label, at, undo_until, state, item}. */
export function lastVerdicts(undo) {
  let entries = []; // newest first
  let shift = null;
  const list = h("ol", { class: "last" });
  const numbers = h("dl", { class: "small" });
  const element = h("div", { class: "below" });

  const left = (entry, now) => (entry.undo_until ? (Date.parse(entry.undo_until) - now) / 1000 : 0);

  /** What can still be taken back; a verdict that is being sent will be. */
  const open = (entry, now) => entry.state === "sending" || (entry.state === "done" && left(entry, now) > 0);

  function line(entry) {
    const time = h("span", {});
    const title = entry.title ?? moment(entry.at);
    const button = h("button", { type: "button", class: "quiet", "aria-label": t("undo_this", { title }), onclick: () => undo(entry) }, t("undo"), " ", time);
    const state = h("span", { class: "badge" });
    const what = entry.verdict === "uphold" ? `${t("uphold")}: ${known(`label_${entry.label}`, entry.label)}` : t("overturn");
    entry.line = {
      element: h("li", {}, h("span", { class: "what" }, h("strong", {}, what), h("span", { class: "note block" }, title)), state, button),
      draw(now) {
        entry.line.element.dataset.state = entry.state;
        state.hidden = entry.state === "done";
        state.textContent = state.hidden ? "" : t(`state_${entry.state}`);
        state.classList.toggle("bad", ["failed", "lost"].includes(entry.state));
        button.hidden = !open(entry, now);
        time.textContent = entry.undo_until ? countdown(left(entry, now)) : "";
      },
    };
    return entry.line.element;
  }

  function draw(now) {
    list.replaceChildren(...entries.map(line));
    element.replaceChildren(
      h("section", { class: "panel", "aria-labelledby": "last-title" }, h("h2", { id: "last-title" }, t("last")),
        h("p", { class: "note none" }, t("last_none")), list),
      h("section", { class: "panel", "aria-labelledby": "shift-title" }, h("h2", { id: "shift-title" }, t("shift")), numbers),
    );
    drawShift();
    tick(now);
  }

  function drawShift() {
    const pair = (name, value) => h("div", {}, h("dt", {}, t(`s_${name}`)), h("dd", {}, value));
    numbers.replaceChildren(...COUNTS.map((name) => pair(name, number(shift?.[name] ?? null))),
      pair("median", shift?.seconds_median ? duration(shift.seconds_median) : "–"));
  }

  function tick(now) {
    for (const entry of entries) entry.line.draw(now);
  }

  return {
    element,
    draw,
    tick,
    add(entry, now) {
      entries = [entry, ...entries.filter((one) => one.review_id !== entry.review_id)].slice(0, SHOWN);
      list.prepend(line(entry));
      while (list.children.length > entries.length) {
        const shown = new Set(entries.map((one) => one.line.element));
        [...list.children].filter((one) => !shown.has(one)).forEach((one) => one.remove());
      }
      tick(now);
    },
    /** The newest verdict that can be taken back, with what is left: {entry, text}; null when there is none. */
    undoable(now) {
      const entry = entries.find((one) => open(one, now));
      return entry ? { entry, text: entry.undo_until ? t("undo_left", { time: countdown(left(entry, now)) }) : t("undo") } : null;
    },
    /** The API's view of the shift: its numbers, and verdicts from before this page was loaded. */
    merge(answer, now) {
      shift = answer;
      const mine = new Set(entries.map((entry) => entry.review_id));
      const older = answer.last.filter((one) => !mine.has(one.review_id)).map((one) => ({ ...one, state: "done" }));
      if (older.length) {
        entries = [...entries, ...older].sort((one, two) => Date.parse(two.at) - Date.parse(one.at)).slice(0, SHOWN);
        list.replaceChildren(...entries.map(line));
      }
      drawShift();
      tick(now);
    },
  };
}
