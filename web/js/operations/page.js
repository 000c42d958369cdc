// The operations page: the service in figures, for operators. Looks again every minute while somebody looks at it.

import { get } from "../api.js";
import { button, h } from "../dom.js";
import { moment, onLanguage, sentence } from "../language.js";
import { onSession, person } from "../session.js";
import { frame } from "../shell.js";
import { signInForm } from "../sign_in.js";
import { sections } from "./figures.js";
import { t } from "./words.js";

const WINDOWS = [[1, "day"], [7, "week"], [28, "month"]];
const LOOK_AGAIN = 60_000; // ms

const main = document.getElementById("content");
let days = 7;
let known = null; // the last answer: shown again in another language, and when no newer one can be had
let charts = [];
let asked = 0; // an answer that comes too late is not drawn over something newer

const may = () => person()?.groups.includes("operators") ?? false;

function draw(problem = null) {
  frame("operations");
  document.title = `${t("title")} – Pawcast`;
  for (const chart of charts) chart.destroy();
  charts = [];
  if (!person()) return main.replaceChildren(signInForm());
  if (!may()) return main.replaceChildren(h("p", { class: "card" }, t("not_operator")));
  const opened = [...main.querySelectorAll("details")].map((one) => one.open);
  const focused = document.activeElement?.id;
  main.replaceChildren(...[
    h("div", { class: "headline" }, h("h1", {}, t("title")), windows()),
    problem && h("p", { class: "problem card", role: "alert" }, problem, " ", known && t("stale", { at: moment(known.generated_at) }), " ", button(t("again"), look)),
    !known && !problem && h("p", { class: "note" }, t("loading")),
    known && h("p", { class: "note" }, t("as_of", { at: moment(known.generated_at) })),
    known && h("div", { class: "board" }, sections(known, (chart) => charts.push(chart))),
  ].filter(Boolean));
  main.querySelectorAll("details").forEach((one, place) => { one.open = opened[place] ?? false; });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return undefined;
}

function windows() {
  return h("div", { class: "buttons", role: "group", "aria-label": t("window") }, WINDOWS.map(([wanted, name]) => h("button", {
    type: "button", id: `window-${name}`, class: "quiet", "aria-pressed": String(days === wanted), onclick: () => { days = wanted; look(); },
  }, t(name))));
}

async function look() {
  if (!may()) return;
  const mine = (asked += 1);
  try {
    const found = await get("/operations", { days });
    if (mine !== asked) return;
    known = found;
    draw();
  } catch (error) {
    if (!error.sentence) throw error;
    if (mine === asked) draw(sentence(error.sentence));
  }
}

let shownFor = person()?.id ?? null;
onSession(() => { // a renewed token changes nothing that is shown
  if ((person()?.id ?? null) === shownFor) return;
  shownFor = person()?.id ?? null;
  known = null;
  draw();
  look();
});
onLanguage(() => draw());
setInterval(() => { if (!document.hidden && !main.querySelector("details[open]")) look(); }, LOOK_AGAIN);
draw();
look();
