// The dialogs about one's own post: appeal, and withdraw.

import { post as send } from "../api.js";
import { problemText } from "../community.js";
import { field, h, say } from "../dom.js";
import { t } from "./words.js";

const APPEAL_MAX = 1000;

const drafts = new Map(); // post id -> words of an appeal that was not sent

/** Whether an appeal against this post was begun. */
export const isBegun = (postId) => Boolean(drafts.get(postId)?.trim());

/** Ask for the words of an appeal and send them. Closing keeps them: the next opening shows them again. */
export function appealDialog(one, hooks) {
  const words = h("textarea", {
    rows: "6", required: true, maxlength: String(APPEAL_MAX), oninput: () => drafts.set(one.post_id, words.value),
  });
  words.value = drafts.get(one.post_id) ?? "";
  open({
    name: "appeal",
    content: [field("appeal-text", t("appeal_text"), words, t("appeal_hint"))],
    look: "primary",
    ended: t("appeal_kept"),
    work: async () => {
      const { post } = await send(`/posts/${one.post_id}/appeal`, { text: words.value.trim() });
      drafts.delete(one.post_id);
      return post;
    },
    ...hooks,
  });
}

/** Say what goes and what stays, and withdraw. */
export function withdrawDialog(one, hooks) {
  const list = (codes) => h("ul", {}, codes.map((code) => h("li", {}, t(code))));
  open({
    name: "withdraw",
    content: [
      h("p", {}, t("withdraw_last", { title: one.title })),
      h("h3", {}, t("goes")), list(["goes_photo", "goes_words"]),
      h("h3", {}, t("stays")), list(["stays_line", "stays_record", "stays_hash"]),
    ],
    look: "danger",
    work: async () => (await send(`/posts/${one.post_id}/withdraw`, {})).post,
    ...hooks,
  });
}

/** `done` gets the post as it is then; `stale` is called where it was not what the page thought; `closed` at the end. */
function open({ name, content, look, ended = null, work, done, stale, closed = () => {} }) {
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: look }, t(name === "appeal" ? "appeal_send" : "withdraw_yes"));
  const cancel = h("button", { type: "button", autofocus: look === "danger", onclick: () => dialog.close() }, t("cancel"));
  const dialog = h("dialog", { class: "mine", "aria-labelledby": `${name}-title` },
    h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        submit.disabled = true;
        problem.textContent = "";
        try {
          const post = await work();
          dialog.close();
          done(post);
        } catch (error) {
          problem.textContent = problemText(error);
          if (error.status === 409) stale();
          if (error.status === 401) { // the page behind asks to sign in again
            dialog.close();
            say(ended ?? problem.textContent);
          }
        } finally {
          submit.disabled = false;
        }
      },
    },
    h("h2", { id: `${name}-title` }, t(`${name}_title`)), content, problem,
    h("p", { class: "buttons" }, submit, cancel)));
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
}
