// The feed: newest first, all or by tag (#tag=cat), one photo at the top when a notice links to it (#<post id>).

import { get } from "../api.js";
import { growingList, problemText, tagLinks } from "../community.js";
import { button, field, h } from "../dom.js";
import { moment } from "../language.js";
import { page } from "../shell.js";
import { signInForm } from "../sign_in.js";
import { reportDialog } from "./report.js";
import { t } from "./words.js";

const PAGE = 18;
const FIRST_ROWS = 6; // photos that are loaded at once; those further down when they come near

function asked() {
  const hash = decodeURIComponentOr(location.hash.slice(1));
  if (hash.startsWith("tag=")) return { tag: hash.slice(4), photo: "" };
  return { tag: "", photo: /^[0-9a-f]{32}$/.test(hash) ? hash : "" };
}

function decodeURIComponentOr(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function content() {
  const { tag, photo } = asked();
  let drawn = 0;
  const list = growingList({
    name: "photos",
    load: (cursor) => get("/feed", { tag, cursor, limit: PAGE }),
    item: (one) => ({ key: one.post_id, element: h("li", {}, card(one, { eager: (drawn += 1) <= FIRST_ROWS })) }),
    empty: () => h("p", { class: "card" }, t(tag ? "empty_tag" : "empty"), " ", h("a", { href: "post.html" }, t("post_one"))),
  });
  return [
    h("div", { class: "headline" }, h("h1", {}, tag ? t("tagged", { tag }) : t("title")), search(tag)),
    photo && linked(photo),
    list.element,
  ].filter(Boolean);
}

function search(tag) {
  const input = h("input", { type: "search", value: tag, placeholder: t("search_hint"), autocapitalize: "none", maxlength: "31" });
  return h("form", {
    class: "search",
    role: "search",
    onsubmit: (event) => {
      event.preventDefault();
      const wanted = input.value.trim().replace(/^#/, "");
      location.hash = wanted ? `tag=${encodeURIComponent(wanted)}` : "";
    },
  }, field("tag", t("search"), input), h("button", {}, t("find")), tag && h("a", { href: "#", class: "all" }, t("all")));
}

function card(one, { eager = false } = {}) {
  const report = one.is_own
    ? h("span", { class: "badge" }, t("own"))
    : button(t("report"), () => reportDialog(one, () => report.replaceWith(h("span", { class: "note" }, "✓"))), {
      class: "quiet", "aria-label": t("report_of", { title: one.title }),
    });
  return h("article", { class: "photo", id: `photo-${one.post_id}` },
    one.photo_url && h("img", { src: one.photo_url, alt: one.title, loading: eager ? "eager" : "lazy", decoding: "async" }),
    h("div", { class: "about" },
      h("h2", {}, one.title),
      one.description && h("p", { class: "words" }, one.description),
      one.tags.length > 0 && tagLinks(one.tags),
      h("p", { class: "foot" }, h("time", { datetime: one.published_at, class: "note" }, moment(one.published_at)), report)));
}

/** The photo that a notice links to, above the rest. */
function linked(postId) {
  const place = h("section", { class: "linked", "aria-label": t("here") });
  get(`/posts/${postId}`).then((one) => place.replaceChildren(card(one, { eager: true })), (error) => {
    place.replaceChildren(h("p", { class: "card" }, error.status === 404 ? t("gone") : problemText(error)));
  });
  return place;
}

/** What somebody sees who is not signed in. */
function welcome() {
  return [h("div", { class: "welcome" },
    h("div", {},
      h("h1", {}, t("hero")),
      h("p", { class: "lead" }, t("hero_text")),
      h("ul", { class: "facts" }, ["fact_private", "fact_person", "fact_yours"].map((fact) => h("li", {}, t(fact))))),
    signInForm({ heading: "h2" }))];
}

const draw = page({ name: "feed", title: () => t("title"), content, before: welcome });
addEventListener("hashchange", () => {
  document.getElementById("tag")?.setAttribute("id", "tag-before"); // another search: what was typed there is done with
  draw();
  scrollTo(0, 0);
});
