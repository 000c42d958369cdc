// What went wrong, kept on the page until the operator has seen it.

import { h } from "../dom.js";
import { t } from "./words.js";

export function notices() {
  const element = h("div", { class: "notices", role: "alert" });

  /** Say it; answers how to take it away. `more`: further lines, `key`: an earlier one of the same key is replaced. */
  function add(text, { more = [], key = text, action = null } = {}) {
    [...element.children].filter((one) => one.dataset.key === key).forEach((one) => one.remove());
    const card = h("div", { class: "problem card", "data-key": key },
      h("p", {}, text), more.filter(Boolean).map((line) => h("p", { class: "note" }, line)),
      h("p", { class: "buttons" },
        action && h("button", { type: "button", onclick: () => { card.remove(); action.work(); } }, action.label),
        h("button", { type: "button", class: "quiet", onclick: () => card.remove() }, t("dismiss"))));
    element.append(card);
  }

  const remove = (key) => [...element.children].filter((one) => one.dataset.key === key).forEach((one) => one.remove());

  return { element, add, remove };
}
