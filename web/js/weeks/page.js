// The planners' page: #/ all weeks, #/2026-W49 one week, #/2026-W49/S001 one store of it.

import { button, h } from "../dom.js";
import { onLanguage, sentence } from "../language.js";
import { onSession, person } from "../session.js";
import { frame } from "../shell.js";
import { signInForm } from "../sign_in.js";
import { listPage } from "./list.js";
import { storePage } from "./store.js";
import { weekPage } from "./week.js";
import { t } from "./words.js";

const main = document.getElementById("content");
let shown = 0; // counts what is drawn, so that an answer that comes too late is not drawn over something newer
let timer;

function route() {
  const [, week, store] = location.hash.slice(1).split("/").map(decoded);
  if (store) return () => storePage({ week, store, reload: () => draw(), reloadKeeping: () => keeping(draw) });
  if (week) return () => weekPage({ week, reload: () => draw(), reloadKeeping: () => keeping(draw) });
  return () => listPage();
}

function decoded(part) {
  try { return decodeURIComponent(part); } catch { return part; } // what nobody can have meant is asked for as it is
}

/** Draw the page of the address. `quiet`: keep what is shown until the answer is there, and drop it if it can't come. */
async function draw({ quiet = false, moved = false } = {}) {
  const mine = (shown += 1);
  clearTimeout(timer);
  frame("weeks");
  const known = person();
  if (!known) return show({ title: "Pawcast", content: [signInForm()], again: null }, moved);
  if (!known.groups.includes("planners")) return show({ title: "Pawcast", content: [h("p", { class: "card" }, t("not_planner"))], again: null }, moved);
  if (!quiet && moved) main.replaceChildren(h("p", { class: "note" }, t("loading")));
  try {
    const page = await route()();
    if (mine === shown) show(page, moved);
  } catch (error) {
    if (mine !== shown) return undefined;
    if (!error.sentence) throw error;
    if (error.status === 401 || quiet) return again(quiet ? 60 : null);
    show({ title: "Pawcast", content: [
      h("p", { class: "problem card", role: "alert" }, sentence(error.sentence), error.detail ? ` ${error.detail}` : ""),
      h("p", {}, h("a", { href: "#/" }, t("back_weeks")), " ", button(t("again"), () => draw())),
    ], again: null }, moved);
  }
  return undefined;
}

function show(page, moved) {
  document.title = page.title === "Pawcast" ? "Pawcast" : `${page.title} – Pawcast`;
  main.replaceChildren(...page.content.filter((each) => each !== ""));
  if (moved) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  again(page.again);
}

function again(seconds) {
  if (!seconds) return;
  timer = setTimeout(() => (inUse() ? again(seconds) : draw({ quiet: true })), 1000 * seconds);
}

/** Whether somebody is typing, reads further down a list they opened, or has another tab before them. */
function inUse() {
  const typed = [...main.querySelectorAll("input, textarea")].some((one) => one.value !== one.defaultValue);
  return document.hidden || typed || main.contains(document.activeElement) || Boolean(document.querySelector("dialog[open], details[open] form"));
}

let signedIn = Boolean(person());
onSession(() => { // a renewed token changes nothing that is shown
  if (Boolean(person()) === signedIn) return;
  signedIn = !signedIn;
  draw({ moved: true });
});

/** Draw anew, and put back what somebody typed and opened; untouched fields show what is known now. Whether it fitted. */
async function keeping(drawing) {
  const typed = fields().map((one) => (one.value === one.defaultValue ? null : one.value));
  const opened = folds().map((one) => one.open);
  await drawing();
  if (folds().length === opened.length) folds().forEach((one, place) => { one.open ||= opened[place]; });
  const now = fields();
  if (now.length !== typed.length) return false;
  now.forEach((one, place) => {
    if (typed[place] === null) return;
    one.value = typed[place];
    one.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return true;
}

const fields = () => [...main.querySelectorAll("input:not([type=checkbox]), textarea")];
const folds = () => [...main.querySelectorAll("details")];

onLanguage(() => keeping(draw));
addEventListener("hashchange", () => draw({ moved: true }));
draw();
