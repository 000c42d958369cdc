// The inbox: what became of my photos, newest first. Looking at it is reading it; what was new stays marked until one leaves.

import { get, post as send } from "../api.js";
import { growingList } from "../community.js";
import { h, say } from "../dom.js";
import { moment, sentence } from "../language.js";
import { person } from "../session.js";
import { page, setUnread } from "../shell.js";
import { t } from "./words.js";

const PAGE = 20;
const LOOK_AGAIN = 30_000; // ms
const PUBLIC = new Set(["PostPublished", "PostOverturned"]); // what everybody can see has its link into the feed

const fresh = new Set(); // ids of what was unread when this page first showed it
let unmarked = 0; // how many of the unread ones have not been shown yet: the API calls them read by now
let shownIds; // ids of the notices in the list
let list;

function content() {
  shownIds = new Set();
  list = growingList({
    name: "notices",
    load,
    item: (notice) => ({ key: notice.notice_id, element: entry(notice) }),
    empty: () => h("p", { class: "card" }, t("empty"), " ", h("a", { href: "post.html" }, t("post_one"))),
  });
  return [h("h1", {}, t("title")), list.element];
}

async function load(cursor) {
  const answer = await get("/inbox", { cursor, limit: PAGE });
  if (!cursor) {
    unmarked = answer.unread;
    await read(answer);
  }
  for (const { notice_id: id, read: isRead } of answer.items) {
    if (fresh.has(id) || (isRead && !(cursor && unmarked > 0))) continue;
    fresh.add(id);
    unmarked -= 1;
  }
  return answer;
}

/** Tell the API that the newest notices are being looked at. Should that fail they stay unread, and are shown all the same. */
async function read({ unread }) {
  try {
    setUnread(unread === 0 ? 0 : (await send("/inbox/read", {})).unread);
  } catch (error) {
    if (!error.sentence) throw error;
  }
}

/** Put what has arrived since above the rest. */
async function look() {
  if (document.hidden || !person()) return;
  const { list: shown } = list;
  try {
    const answer = await get("/inbox", { limit: PAGE });
    const arrived = answer.items.filter((one) => !one.read && !shownIds.has(one.notice_id));
    if (!shown.isConnected || arrived.length === 0) return;
    if (shown.childElementCount === 0) {
      draw();
    } else {
      for (const one of arrived) fresh.add(one.notice_id);
      shown.prepend(...arrived.map(entry));
      await read(answer);
    }
    say(t("arrived"));
  } catch (error) {
    if (!error.sentence) throw error; // the next look may succeed
  }
}

function entry(notice) {
  shownIds.add(notice.notice_id);
  const isFresh = fresh.has(notice.notice_id);
  const [target, label] = PUBLIC.has(notice.kind) ? ["index.html", t("look")] : ["mine.html", t("mine")];
  const heading = `notice-${shownIds.size}`;
  return h("li", {}, h("article", { class: `notice ${isFresh ? "fresh" : ""}`, "aria-labelledby": heading },
    h("h2", { id: heading }, isFresh && [h("span", { class: "badge busy" }, t("fresh")), " "], sentence(notice.title)),
    h("p", {}, sentence(notice.body)),
    h("p", { class: "foot" },
      h("time", { class: "note", datetime: notice.created_at }, moment(notice.created_at)),
      h("a", { href: `${target}#${notice.post_id}`, "aria-describedby": heading }, label))));
}

const draw = page({ name: "inbox", title: () => t("title"), content });
setInterval(look, LOOK_AGAIN);
