// The frame of every page: navigation by group, unread notices, language, who is signed in.
//
//   frame("weeks")                              draw the frame; call again after sign-in, sign-out, change of language
//   page({ name: "mine", title: "…", content }) a whole page for signed-in people: `content()` gives the nodes of <main>
//                                               anew after each of those; what was typed under an id stays

import { get, post } from "./api.js";
import { h } from "./dom.js";
import { current, onLanguage, speaker } from "./language.js";
import { onSession, person } from "./session.js";
import { languages, signInForm, who } from "./sign_in.js";

const t = speaker({
  skip: ["본문으로 건너뛰기", "Skip to content"],
  menu: ["메뉴", "Menu"],
  feed: ["둘러보기", "Feed"],
  post: ["사진 올리기", "Post a photo"],
  mine: ["내 게시물", "My posts"],
  inbox: ["알림", "Inbox"],
  unread: ["읽지 않은 알림 {n}개", "{n} unread"],
  review: ["사진 확인", "Review"],
  operations: ["운영 현황", "Operations"],
  weeks: ["주간 계획", "Weekly plans"],
});

const PAGES = [
  { name: "feed", href: "index.html" },
  { name: "post", href: "post.html" },
  { name: "mine", href: "mine.html" },
  { name: "inbox", href: "inbox.html" },
  { name: "review", href: "review.html", group: "operators" },
  { name: "operations", href: "operations.html", group: "operators" },
  { name: "weeks", href: "weeks.html#/", group: "planners" },
];
const COMMUNITY = new Set(["feed", "post", "mine", "inbox"]);
const LOOK_AGAIN = 60_000; // ms until the number of unread notices is asked for again

let unread = 0;
let framed = null;

/** Draw the frame of the page with this name. */
export function frame(name) {
  framed = name;
  document.getElementById("skip").textContent = t("skip");
  document.getElementById("who").replaceChildren(who() ?? "");
  document.getElementById("languages").replaceChildren(languages());
  const menu = document.getElementById("menu");
  menu.setAttribute("aria-label", t("menu"));
  menu.replaceChildren(...links(name));
  menu.hidden = !person();
}

/** How many notices are unread, as the page itself has just learnt. */
export function setUnread(count) {
  unread = count;
  frame(framed);
}

/** Start a page for signed-in people; gives a function that draws its content anew. */
export function page({ name, title, content, before = () => [signInForm()] }) {
  const main = document.getElementById("content");
  let shownFor = person()?.id ?? null;
  const draw = () => {
    frame(name);
    document.title = `${title()} – Pawcast`;
    const typed = new Map(fields(main).map((one) => [one.id, one.value]));
    main.replaceChildren(...(person() ? content() : before()));
    for (const one of fields(main)) if (typed.get(one.id)) one.value = typed.get(one.id);
  };
  onSession(() => { // a renewed token changes nothing that is shown
    if ((person()?.id ?? null) === shownFor) return;
    shownFor = person()?.id ?? null;
    draw();
    countUnread();
  });
  onLanguage(() => {
    draw();
    tellLanguage();
  });
  draw();
  countUnread();
  setInterval(countUnread, LOOK_AGAIN);
  return draw;
}

function links(current) {
  const groups = person()?.groups ?? [];
  return PAGES.filter(({ group }) => !group || groups.includes(group)).map(({ name, href }) => h("a", {
    href, "aria-current": name === current ? "page" : null, class: name === "post" ? "call" : null,
  }, t(name), name === "inbox" && unread > 0 && [
    " ", h("span", { class: "count", "aria-hidden": "true" }, unread > 99 ? "99+" : String(unread)),
    h("span", { class: "unseen" }, t("unread", { n: unread })),
  ]));
}

/** Notices and mails come in the language that was chosen last. */
async function tellLanguage() {
  if (!person()) return;
  try {
    await post("/me", { language: current() });
  } catch (error) {
    if (!error.sentence) throw error; // the next post says it as well
  }
}

async function countUnread() {
  if (!person() || !COMMUNITY.has(framed) || document.hidden) return;
  try {
    const { unread: found } = await get("/inbox", { limit: 1 });
    if (found !== unread) setUnread(found);
  } catch (error) {
    if (!error.sentence) throw error; // the next look may succeed; the page itself says what it could not load
  }
}

const fields = (main) => [...main.querySelectorAll("input[id]:not([type=file], [type=checkbox], [type=radio]), textarea[id]")];
