// My posts, newest first; mine.html#<post id> goes to that one.

import { get } from "../api.js";
import { growingList } from "../community.js";
import { h } from "../dom.js";
import { page } from "../shell.js";
import { item } from "./item.js";
import { t } from "./words.js";

const PAGE = 20;

function content() {
  const wanted = location.hash.slice(1);
  const list = growingList({
    name: "posts",
    load: (cursor) => get("/posts", { cursor, limit: PAGE }),
    item: (one) => {
      const made = item(one);
      if (one.post_id === wanted) queueMicrotask(() => { made.scrollIntoView({ block: "center" }); made.focus({ preventScroll: true }); });
      return { key: one.post_id, element: h("li", {}, made) };
    },
    empty: () => h("p", { class: "card" }, t("empty"), " ", h("a", { href: "post.html" }, t("post_one"))),
  });
  if (/^[0-9a-f]{32}$/.test(wanted)) lead(wanted, list.list);
  return [h("h1", {}, t("title")), list.element];
}

/** A post that is further down than the first page is shown on top as well. */
async function lead(postId, list) {
  await new Promise((done) => { setTimeout(done, 1500); });
  if (!list.isConnected || document.getElementById(`post-${postId}`)) return;
  try {
    const made = item(await get(`/posts/${postId}`));
    list.prepend(h("li", {}, made));
    made.focus();
  } catch (error) {
    if (error.status !== 404) throw error; // withdrawn long ago, or never mine: the list is all there is
  }
}

const draw = page({ name: "mine", title: () => t("title"), content });
addEventListener("hashchange", draw);
