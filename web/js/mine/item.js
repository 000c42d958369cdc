// One of my posts: what became of it, why, and what can be done. Looks again by itself while something is under way.

import { get, post as send } from "../api.js";
import { problemText, stateBadge, tagLinks } from "../community.js";
import { button, h, say } from "../dom.js";
import { moment, sentence } from "../language.js";
import { mosaicOf } from "./compare.js";
import { appealDialog, isBegun, withdrawDialog } from "./dialogs.js";
import { t } from "./words.js";

const LOOK_AGAIN = 2_000; // ms, then half as long again each time
const MOST = 15_000; // ms between looks at what machines do
const MOST_PERSON = 60_000; // ms between looks at what waits for a person
const RENEW = 300_000; // ms between attempts to have links to photos signed anew: they end after an hour
const ANSWER_WITHIN = 3_600_000; // ms: what Pawcast promises

const PERSON = new Set(["in_review", "appealed"]);
const WAITING = new Set(["screening", "in_review", "appealed"]);
const DECIDED = new Set(["published", "rejected"]);
const WITH_REASON = new Set(["in_review", "rejected", "appealed", "mosaic"]);
const SAID = new Set(["screening", "in_review", "appealed", "published", "withdrawn", "expired"]);
const LATER = new Set(["claimed", "checked_again"]); // reasons of a check that the upload does not wait for

const isMaking = (one) => one.state === "mosaic" && one.mosaic?.state === "making";
const isUnderWay = (one) => one.state === "awaiting_upload" || WAITING.has(one.state) || isMaking(one);
const standing = (one) => [one.state, one.mosaic?.state, one.reason?.code, one.remedies.join()].join("|");

/** An element that shows the post and keeps itself up to date. */
export function item(first) {
  const element = h("article", { class: "own", id: `post-${first.post_id}`, tabindex: "-1", "aria-labelledby": `title-${first.post_id}` });
  const problem = h("p", { class: "problem", role: "alert" });
  let one = first;
  let uncovered = false; // a mosaic was asked for here and could not be made
  let pause = LOOK_AGAIN;
  let renewed = 0;
  let timer;

  function show(now) {
    uncovered = now.state === "rejected" && (uncovered || isMaking(one));
    one = now;
    pause = LOOK_AGAIN;
    draw();
    schedule();
  }

  function draw() {
    const within = element.contains(document.activeElement);
    element.classList.toggle("compared", one.mosaic?.state === "ready");
    element.replaceChildren(...view(one, { uncovered, actions: actions(), problem, renew }));
    if (within) element.focus({ preventScroll: true });
  }

  function schedule() {
    clearTimeout(timer);
    if (isUnderWay(one)) timer = setTimeout(lookLater, pause);
  }

  async function lookLater() {
    if (!element.isConnected) return;
    pause = Math.min(pause * 1.5, PERSON.has(one.state) ? MOST_PERSON : MOST);
    if (!document.hidden && await look()) problem.textContent = "";
    schedule();
  }

  /** Show what has become of the post, and whether anything has; a look that fails is made up for by the next one. */
  async function look() {
    try {
      const now = await get(`/posts/${one.post_id}`);
      if (standing(now) === standing(one)) return false;
      const before = badge(one).textContent;
      show(now);
      const state = badge(now).textContent;
      if (state !== before) say(t("changed", { title: now.title || t("withdrawn_title"), state }));
      return true;
    } catch (error) {
      if (!error.sentence) throw error;
      return false;
    }
  }

  /** A photo did not come: its link may have ended. */
  async function renew() {
    if (Date.now() - renewed < RENEW) return;
    renewed = Date.now();
    try { show(await get(`/posts/${one.post_id}`)); } catch (error) { if (!error.sentence) throw error; }
  }

  /** A button that does something about the post at once, and shows it as it is then. */
  const doing = (label, what, told, kind) => button(t(label), async () => {
    problem.textContent = "";
    try {
      const { post } = await send(`/posts/${one.post_id}/${what}`, {});
      show(post);
      say(t(told));
    } catch (error) {
      problem.textContent = problemText(error);
      if (error.status === 409) await look(); // somebody or something was faster
    }
    if (document.activeElement === document.body) element.focus({ preventScroll: true });
  }, { class: kind });

  const hooks = (told) => ({
    done: (now) => { problem.textContent = ""; show(now); say(t(told)); },
    stale: look,
    closed: () => { if (element.isConnected) draw(); },
  });

  function actions() {
    const can = (remedy) => one.remedies.includes(remedy);
    const made = [
      ...(one.mosaic?.state === "ready" ? [
        doing("mosaic_accept", "mosaic/accept", "mosaic_accepted", "primary quiet"),
        doing("mosaic_decline", "mosaic/decline", "mosaic_declined", "quiet"),
      ] : []),
      one.state === "published" && h("a", { class: "button quiet", href: `index.html#${one.post_id}` }, t("seen")),
      can("mosaic") && doing("mosaic", "mosaic", "mosaic_making", "primary quiet"),
      can("appeal") && button(t(isBegun(one.post_id) ? "appeal_on" : "appeal"), () => appealDialog(one, hooks("appeal_sent")), { class: "quiet" }),
      can("upload_again") && h("a", { class: "button quiet", href: "post.html" }, t(can("appeal") || can("mosaic") ? "upload_other" : "upload_again")),
      !["withdrawn", "expired"].includes(one.state) && button(t("withdraw"), () => withdrawDialog(one, hooks("withdrawn_now")), {
        class: "quiet danger", "aria-label": t("withdraw_of", { title: one.title }),
      }),
    ].filter(Boolean);
    return made.length > 0 && h("p", { class: "buttons" }, made);
  }

  show(first);
  return element;
}

function view(one, { uncovered, actions, problem, renew }) {
  return [
    one.mosaic?.state !== "ready" && photo(one, renew),
    h("div", { class: "about" },
      h("h2", { id: `title-${one.post_id}` }, one.title || t("withdrawn_title"), " ", badge(one)),
      meaning(one) && h("p", { class: "told" }, meaning(one)),
      one.reason && WITH_REASON.has(one.state) && h("p", { class: "reason" }, sentence(one.reason.text)),
      WAITING.has(one.state) && !LATER.has(one.reason?.code) && h("p", {}, until(one)),
      one.state === "rejected" && one.appeal && h("p", {}, t("appeal_failed")),
      uncovered && h("p", {}, t("mosaic_failed"), " ", h("a", { href: "inbox.html" }, t("inbox"))),
      one.description && h("p", { class: "words" }, one.description),
      one.tags.length > 0 && tagLinks(one.tags),
      one.appeal && h("details", {}, h("summary", {}, t("your_appeal")), h("blockquote", {}, one.appeal.text)),
      h("p", { class: "note" }, t("posted"), " ", time(one.created_at),
        one.decided_at && DECIDED.has(one.state) && [" · ", t("decided"), " ", time(one.decided_at)]),
      one.mosaic && mosaicOf(one, renew), problem, actions),
  ].filter(Boolean);
}

const badge = (one) => (one.mosaic?.state === "ready" ? h("span", { class: "badge todo" }, t("mosaic_look")) : stateBadge(one.state));

const photo = (one, renew) => (one.photo_url
  ? h("img", { src: one.photo_url, alt: t("photo_of", { title: one.title }), loading: "lazy", decoding: "async", onerror: renew })
  : h("div", { class: "nothing", "aria-hidden": "true" }, t("no_photo")));

const time = (iso) => h("time", { datetime: iso }, moment(iso));

/** What the state means, where a reason does not say it. */
function meaning(one) {
  if (one.state === "awaiting_upload") return t("awaiting_upload", { at: moment(one.upload_expires_at) });
  if (one.state === "in_review" && one.reason) return null;
  return SAID.has(one.state) ? t(one.state) : null;
}

/** Until when the next word comes. An hour that has passed is not named: a notice says sorry for it. */
function until(one) {
  const by = Date.parse(one.appeal?.at ?? one.uploaded_at ?? "") + ANSWER_WITHIN;
  return by > Date.now() ? t("promise", { at: moment(new Date(by).toISOString()) }) : t("soon");
}
