// What the community's pages share: words for a post's state, the tags of a post, problems, lists that grow.

import { button, h } from "./dom.js";
import { sentence, speaker } from "./language.js";

const t = speaker({
  awaiting_upload: ["업로드 기다리는 중", "Waiting for the photo"],
  screening: ["확인하는 중", "Being checked"],
  published: ["게시됨", "Published"],
  in_review: ["담당자가 확인하는 중", "A person is checking"],
  rejected: ["게시되지 않음", "Not published"],
  appealed: ["이의 제기 확인 중", "Appeal being checked"],
  mosaic: ["모자이크", "Covering faces"],
  withdrawn: ["내린 사진", "Withdrawn"],
  expired: ["업로드되지 않음", "The photo never came"],
  more: ["더 보기", "Show more"],
  loading: ["불러오는 중…", "Loading…"],
  again: ["다시 시도", "Try again"],
  tagged: ["#{tag} 사진 보기", "Photos tagged #{tag}"],
});

const TONES = { published: "good", rejected: "bad", screening: "busy", in_review: "todo", appealed: "todo", mosaic: "busy" };

/** A badge with a post's state in words. */
export const stateBadge = (state) => h("span", { class: `badge state ${TONES[state] ?? ""}` }, t(state));

/** Links to the feed of each tag. */
export const tagLinks = (tags) => h("p", { class: "tags" }, tags.map((tag) => h("a", {
  href: `index.html#tag=${encodeURIComponent(tag)}`, class: "tag", "aria-label": t("tagged", { tag }),
}, `#${tag}`)));

/** What went wrong with a request, as a sentence; what is none of the API's answers is not hidden. */
export function problemText(error) {
  if (!error.sentence) throw error;
  return sentence(error.sentence);
}

/** A list that loads a page of items at a time: when its end comes into view, and by a button for those who prefer it. */
export function growingList({ load, item, empty, name }) {
  const list = h("ul", { class: `items ${name}` });
  const end = h("div", { class: "end" });
  const element = h("div", {}, list, end);
  let cursor = "";
  let busy = false;
  let done = false;
  const seen = new Set();

  const watcher = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) more(); }, { rootMargin: "600px" });

  async function more() {
    if (busy || done || !end.isConnected) return;
    busy = true;
    end.replaceChildren(h("p", { class: "note" }, t("loading")));
    try {
      const { items, next_cursor: next } = await load(cursor);
      // An item may come twice where something new moved the pages on.
      for (const one of items) {
        const made = item(one);
        if (seen.has(made.key)) continue;
        seen.add(made.key);
        list.append(made.element);
      }
      cursor = next ?? "";
      done = next === null;
      end.replaceChildren(...(done ? [seen.size ? "" : empty()] : [button(t("more"), more)]));
      watcher.unobserve(end);
      if (!done) watcher.observe(end); // still in view after a short page: asks on
    } catch (error) {
      watcher.unobserve(end); // the next try is the reader's
      end.replaceChildren(h("p", { class: "problem", role: "alert" }, problemText(error)), button(t("again"), more));
    } finally {
      busy = false;
    }
  }

  watcher.observe(end);
  return { element, list, more, forget: (key) => seen.delete(key) };
}
