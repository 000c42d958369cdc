// The photo before the operator: blurred until asked for, its boxes on demand.

import { h } from "../dom.js";
import { boxes } from "./picture.js";
import { KEYS } from "./keys.js";
import { t } from "./words.js";

export const keyHint = (key) => h("kbd", { "aria-hidden": "true" }, key);

/** `item`: the photo; `reveal()`, `showBoxes()`, `reload()`: what was asked for. Answers {element, focus, draw}. */
export function stage(item, { reveal, showBoxes, reload }) {
  const { view, draft } = item;
  const heading = h("h1", { id: "photo-title", tabindex: "-1" }, view.title || t("untitled"));
  const frame = h("div", { class: "frame", onclick: () => !draft.revealed && reveal() });
  const place = h("div", { class: "place" }, frame);
  const shows = toggle("Space", `Space ${KEYS.reveal}`, reveal, t("show"));
  const boxed = toggle(KEYS.boxes, KEYS.boxes, showBoxes, t("boxes"));
  if (view.width && view.height) frame.style.setProperty("--ratio", view.width / view.height);

  function draw() {
    shows.label.textContent = draft.revealed ? t("blur") : t("show");
    shows.button.disabled = !item.picture;
    boxed.button.setAttribute("aria-pressed", String(draft.boxes));
    const picture = item.picture;
    if (!picture) return frame.replaceChildren(h("p", { class: "no-photo" }, t("photo_none")));
    if (picture.failed) {
      return frame.replaceChildren(h("div", { class: "no-photo" }, h("p", {}, t("photo_failed")),
        h("button", { type: "button", onclick: reload }, t("again"))));
    }
    if (!picture.veil) return frame.replaceChildren(h("p", { class: "no-photo" }, t("photo_loading")));
    frame.style.setProperty("--ratio", picture.image.naturalWidth / picture.image.naturalHeight);
    picture.image.alt = t("photo_alt", { title: view.title || t("untitled") });
    picture.veil.setAttribute("role", "img");
    picture.veil.setAttribute("aria-label", t("photo_veiled"));
    return frame.replaceChildren(
      draft.revealed ? picture.image : picture.veil,
      draft.revealed ? "" : h("span", { class: "ask", "aria-hidden": "true" }, t("show"), " ", keyHint("Space")),
      draft.boxes && view.faces?.length ? boxes(view.faces, t("boxes_label", { n: view.faces.length })) : "",
    );
  }

  draw();
  return {
    element: h("section", { class: "stage", "aria-labelledby": "photo-title" }, heading, place,
      h("div", { class: "buttons" }, shows.button, boxed.button, h("span", { class: "note faces" }, facesNote(view)))),
    focus: () => heading.focus(),
    draw,
  };
}

function toggle(key, shortcuts, work, text) {
  const label = h("span", {}, text);
  return { label, button: h("button", { type: "button", class: "quiet", "aria-keyshortcuts": shortcuts, onclick: work }, label, " ", keyHint(key)) };
}

function facesNote(view) {
  if (!view.faces) return t("boxes_unknown");
  return view.faces.length ? t("faces", { n: view.faces.length }) : t("boxes_none");
}
