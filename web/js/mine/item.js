// One of my posts: what became of it, why, and what can be done. Looks again by itself while something is under way.

import { get, post as send } from "../api.js";
import { problemText, stateBadge, tagLinks } from "../community.js";
import { button, h, say } from "../dom.js";
import { moment, sentence } from "../language.js";
import { appealDialog, withdrawDialog } from "./dialogs.js";
import { t } from "./words.js";

const LOOK_AGAIN = 2000; // ms, then a little longer each time
const LOOK_AGAIN_MOST = 30_000;
const ANSWER_WITHIN = 3_600_000; // ms: what Pawcast promises
const UNDER_WAY = new Set(["awaiting_upload", "screening", "in_review", "appealed"]);

const DECIDED = new Set(["published", "rejected"]);

const underWay = (one) => UNDER_WAY.has(one.state) || (one.state === "mosaic" && one.mosaic?.state === "making");

/** An element that shows the post and keeps itself up to date. */
export function item(first) {
  const element = h("article", { class: "own", id: `post-${first.post_id}`, tabindex: "-1" });
  let pause = LOOK_AGAIN;
  let timer;

  const show = (one) => {
    const within = element.contains(document.activeElement);
    element.replaceChildren(...view(one, show));
    if (within) element.focus({ preventScroll: true });
    clearTimeout(timer);
    if (underWay(one)) timer = setTimeout(() => look(one), pause);
  };

  async function look(one) {
    if (!element.isConnected) return;
    pause = Math.min(pause * 1.4, LOOK_AGAIN_MOST);
    try {
      const now = document.hidden ? one : await get(`/posts/${one.post_id}`);
      const changed = now.state !== one.state || now.mosaic?.state !== one.mosaic?.state;
      if (changed) pause = LOOK_AGAIN;
      if (changed) show(now);
      else timer = setTimeout(() => look(now), pause);
    } catch (error) {
      if (!error.sentence) throw error; // it may work the next time
      if (error.status !== 401) timer = setTimeout(() => look(one), pause);
    }
  }

  show(first);
  return element;
}

function view(one, show) {
  return [
    one.photo_url
      ? h("img", { src: one.photo_url, alt: t("photo_of", { title: one.title }), loading: "lazy" })
      : h("div", { class: "nothing", "aria-hidden": "true" }, t("no_photo")),
    h("div", { class: "about" },
      h("h2", {}, one.title || t("withdrawn_title"), " ", stateBadge(one.state)),
      one.reason && h("p", { class: "reason" }, sentence(one.reason.text)),
      UNDER_WAY.has(one.state) && one.uploaded_at && h("p", { class: "note" }, t("promise", { at: moment(new Date(Date.parse(one.appeal?.at ?? one.uploaded_at) + ANSWER_WITHIN).toISOString()) })),
      one.description && h("p", { class: "words" }, one.description),
      one.tags.length > 0 && tagLinks(one.tags),
      one.appeal && h("details", {}, h("summary", {}, t("your_appeal")), h("blockquote", {}, one.appeal.text)),
      one.mosaic && mosaic(one, show),
      h("p", { class: "note" }, t("posted"), " ", h("time", { datetime: one.created_at }, moment(one.created_at)),
        one.decided_at && DECIDED.has(one.state) && [" · ", t("decided"), " ", h("time", { datetime: one.decided_at }, moment(one.decided_at))]),
      actions(one, show)),
  ];
}

function actions(one, show) {
  const can = (remedy) => one.remedies.includes(remedy);
  const made = [
    one.state === "published" && h("a", { class: "button quiet", href: `index.html#${one.post_id}` }, t("seen")),
    can("mosaic") && doing("mosaic", one, `/posts/${one.post_id}/mosaic`, show, null, "primary quiet"),
    can("appeal") && button(t("appeal"), () => appealDialog(one, (now) => { say(t("appealed")); show(now); }), { class: "quiet" }),
    can("upload_again") && h("a", { class: "button quiet", href: "post.html" }, t("upload_again")),
    !["withdrawn", "expired"].includes(one.state) && button(t("withdraw"), () => withdrawDialog(one, (now) => { say(t("withdrawn")); show(now); }), {
      class: "quiet danger", "aria-label": t("withdraw_of", { title: one.title }),
    }),
  ].filter(Boolean);
  return made.length > 0 && h("p", { class: "buttons" }, made);
}

function mosaic(one, show) {
  const { state, before_url: before, after_url: after, faces } = one.mosaic;
  if (state === "making") return h("p", { class: "note", role: "status" }, t("mosaic_making"));
  const side = (label, url) => h("figure", {}, h("img", { src: url, alt: label }), h("figcaption", {}, label));
  return h("div", { class: "mosaic" },
    h("p", {}, h("strong", {}, faces === 1 ? t("mosaic_ready_one") : t("mosaic_ready", { n: faces }))),
    h("div", { class: "pair" }, side(t("before"), before), side(t("after"), after)),
    h("p", { class: "buttons" },
      doing("mosaic_accept", one, `/posts/${one.post_id}/mosaic/accept`, show, "mosaic_accepted", "primary quiet"),
      doing("mosaic_decline", one, `/posts/${one.post_id}/mosaic/decline`, show, "mosaic_declined", "quiet")));
}

/** A button that does something about the post at once, and shows it as it is then. */
function doing(label, one, path, show, told, look) {
  return button(t(label), async () => {
    try {
      const { post } = await send(path, {});
      if (told) say(t(told));
      show(post);
    } catch (error) {
      say(problemText(error));
      if (error.status === 409) show(await get(`/posts/${one.post_id}`)); // somebody or something was faster
    }
  }, { class: look });
}
