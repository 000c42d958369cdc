// The review console: who may see it, and in which language.

import { h } from "../dom.js";
import { onLanguage } from "../language.js";
import { onSession, person } from "../session.js";
import { frame } from "../shell.js";
import { signInForm } from "../sign_in.js";
import { desk } from "./desk.js";
import { t } from "./words.js";

const main = document.getElementById("content");
let own = null; // the desk outlives a session that has ended: what was typed and not sent is still on it
let seated = false;

function draw() {
  frame("review");
  document.title = `${t("title")} – Pawcast`;
  const known = person();
  const may = known?.groups.includes("operators") ?? false;
  if (seated && !may) own.stop();
  if (may && own?.operator !== known.id) {
    if (seated) own.stop();
    own?.drop(); // another person's verdicts are not sent in this one's name
    own = desk();
    seated = false;
  }
  if (!may) main.replaceChildren(known ? h("p", { class: "card" }, t("not_operator")) : signInForm());
  else if (!own.element.isConnected) main.replaceChildren(own.element);
  if (may && !seated) own.start();
  seated = may;
}

let shownFor = person()?.id ?? null;
onSession(() => { // a renewed token changes nothing that is shown
  const now = person()?.id ?? null;
  if (now === shownFor) return;
  shownFor = now;
  draw();
});
onLanguage(() => {
  draw();
  if (seated) own.draw();
});
draw();
