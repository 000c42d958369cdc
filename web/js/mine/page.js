// My posts, newest first; mine.html#<post id> goes to that one, also when it is further down.

import { get } from "../api.js";
import { growingList } from "../community.js";
import { h, say } from "../dom.js";
import { page } from "../shell.js";
import { item } from "./item.js";
import { t } from "./words.js";

const PAGE = 20;

let wanted = asked(); // null once the page has gone there

function asked() {
  const hash = location.hash.slice(1);
  return /^[0-9a-f]{32}$/.test(hash) ? hash : null;
}

function content() {
  const list = growingList({
    name: "posts",
    load,
    item: (one) => {
      const made = item(one);
      if (one.post_id === wanted) queueMicrotask(() => goTo(made)); // by then it is in the page
      return { key: one.post_id, element: h("li", {}, made) };
    },
    empty: () => h("p", { class: "card" }, t("empty"), " ", h("a", { href: "post.html" }, t("post_one"))),
  });
  return [h("h1", {}, t("title")), list.element];
}

/** A page of posts; a wanted one that is not among the newest comes before them. */
async function load(cursor) {
  const found = await get("/posts", { cursor, limit: PAGE });
  if (cursor || !wanted || found.items.some((one) => one.post_id === wanted)) return found;
  const one = await mine(wanted);
  if (one) return { ...found, items: [one, ...found.items] };
  wanted = null;
  say(t("missing"));
  return found;
}

/** A post of mine, or null. */
async function mine(postId) {
  try {
    const one = await get(`/posts/${postId}`);
    return one.is_own ? one : null;
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

function goTo(element) {
  wanted = null;
  element.scrollIntoView({ block: "center" });
  element.focus({ preventScroll: true });
}

const draw = page({ name: "mine", title: () => t("title"), content });
addEventListener("hashchange", () => {
  wanted = asked();
  if (!wanted) return;
  const shown = document.getElementById(`post-${wanted}`);
  if (shown) goTo(shown);
  else draw();
});
