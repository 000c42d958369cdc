// The inbox: what became of my photos, newest first. Looking at it is reading it.

import { get, post as send } from "../api.js";
import { growingList } from "../community.js";
import { h } from "../dom.js";
import { moment, sentence, speaker } from "../language.js";
import { page, setUnread } from "../shell.js";

const PAGE = 30;
const PUBLIC = new Set(["PostPublished", "PostOverturned"]); // what everybody can see has its link into the feed

const t = speaker({
  title: ["알림", "Inbox"],
  empty: ["아직 알림이 없습니다. 사진을 올리면 결과를 여기에서 알려 드립니다.", "No notices yet. Post a photo, and you will hear of it here."],
  fresh: ["새 알림", "New"],
  look: ["게시된 사진 보기", "See it in the feed"],
  mine: ["내 사진에서 보기", "See it in my posts"],
});

function content() {
  let read = false;
  const list = growingList({
    name: "notices",
    load: async (cursor) => {
      const answer = await get("/inbox", { cursor, limit: PAGE });
      if (!read) {
        read = true;
        setUnread(0);
        if (answer.unread > 0) await send("/inbox/read", {});
      }
      return answer;
    },
    item: (notice) => ({ key: notice.notice_id, element: h("li", {}, shown(notice)) }),
    empty: () => h("p", { class: "card" }, t("empty")),
  });
  return [h("h1", {}, t("title")), list.element];
}

function shown(notice) {
  const [target, label] = PUBLIC.has(notice.kind) ? ["index.html", t("look")] : ["mine.html", t("mine")];
  return h("article", { class: `notice ${notice.read ? "" : "fresh"}` },
    h("h2", {}, !notice.read && h("span", { class: "badge busy" }, t("fresh")), " ", sentence(notice.title)),
    h("p", {}, sentence(notice.body)),
    h("p", { class: "foot" },
      h("time", { class: "note", datetime: notice.created_at }, moment(notice.created_at)),
      h("a", { href: `${target}#${notice.post_id}` }, label)));
}

page({ name: "inbox", title: () => t("title"), content });
