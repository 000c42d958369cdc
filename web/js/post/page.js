// Posting a photo: choose, say what it is, send; then the choice to go on or to watch. Nothing waits for the decision.

import { post as send } from "../api.js";
import { problemText } from "../community.js";
import { button, field, h, say } from "../dom.js";
import { current, number } from "../language.js";
import { page } from "../shell.js";
import { photoField, typeOf } from "./photo.js";
import { upload } from "./upload.js";
import { t } from "./words.js";

let chosen = null; // the file outlives a change of language
let sending = null; // {element} while a photo is on its way, and after it arrived

const tagsOf = (text) => [...new Set(text.split(/[\s,]+/).map((tag) => tag.replace(/^#/, "")).filter(Boolean))];

function content() {
  return [h("h1", {}, t("title")), sending ? sending() : form()];
}

function form() {
  const photo = photoField((file) => { chosen = file; }, chosen);
  const title = h("input", { maxlength: "100", required: true, autocomplete: "off" });
  const words = h("textarea", { rows: "3", maxlength: "2000" });
  const tags = h("input", { maxlength: "330", autocapitalize: "none", autocomplete: "off" });
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: "primary" }, t("send"));
  return h("form", {
    class: "post",
    novalidate: true,
    onsubmit: async (event) => {
      event.preventDefault();
      problem.textContent = "";
      if (!chosen) { photo.complain(t("no_photo")); return; }
      if (!title.value.trim()) { problem.textContent = t("no_title"); title.focus(); return; }
      submit.disabled = true;
      try {
        const asked = { title: title.value, description: words.value, tags: tagsOf(tags.value), content_type: typeOf(chosen), size_bytes: chosen.size, locale: current() };
        await deliver(await send("/posts", asked), chosen);
      } catch (error) {
        problem.textContent = error.name === "AbortError" ? t("stopped") : error.refused === undefined ? problemText(error) : t(error.refused ? "upload_refused" : "upload_failed");
      } finally {
        submit.disabled = false;
      }
    },
  },
  photo.element,
  h("div", {},
    field("title", t("name"), title, t("name_hint")),
    field("words", t("words"), words),
    field("tags", t("tags"), tags, t("tags_hint")),
    h("p", { class: "note" }, t("promise")),
    problem,
    submit));
}

/** Send the file, and show how far it is. */
async function deliver({ post, upload: ticket }, file) {
  const main = document.getElementById("content");
  const form = main.querySelector("form");
  const bar = h("progress", { max: "1", value: "0", "aria-label": t("sending") });
  const share = h("span", { class: "note" });
  const stop = new AbortController();
  const shown = h("div", { class: "card sending" }, h("h2", {}, t("sending")), bar, h("p", {}, share),
    h("p", { class: "buttons" }, h("button", { type: "button", onclick: () => stop.abort() }, t("cancel"))));
  form.hidden = true;
  form.after(shown);
  try {
    await upload(ticket, file, {
      signal: stop.signal,
      progress: (sent) => { bar.value = sent; share.textContent = t("sent_share", { percent: number(100 * sent) }); },
    });
  } finally {
    shown.remove();
    form.hidden = false;
  }
  chosen = null;
  for (const one of form.elements) if (one.id) one.value = "";
  sending = () => arrived(post.post_id);
  draw();
  say(t("done"));
  main.querySelector("h2")?.focus();
}

function arrived(postId) {
  return h("div", { class: "card arrived" },
    h("h2", { tabindex: "-1" }, t("done")),
    h("p", {}, t("done_text")),
    h("p", { class: "buttons" },
      button(t("go_on"), () => { sending = null; draw(); document.getElementById("photo")?.focus(); }, { class: "primary" }),
      h("a", { class: "button", href: `mine.html#${postId}` }, t("watch")),
      h("a", { class: "button", href: "index.html" }, t("to_feed"))));
}

addEventListener("beforeunload", (event) => { if (document.querySelector(".sending")) event.preventDefault(); });
const draw = page({ name: "post", title: () => t("title"), content });
