// Choosing a photo: by file, camera, dragging or pasting; with a preview, and what is wrong with it before it is sent.

import { h } from "../dom.js";
import { number } from "../language.js";
import { t } from "./words.js";

const TYPES = { jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", webp: "image/webp", heic: "image/heic", heif: "image/heic" };
const ACCEPTED = new Set(Object.values(TYPES));
export const BYTES_MAX = 20 * 1024 * 1024;

/** The type that the API is told: browsers do not know HEIC everywhere, so the name helps. */
export function typeOf(file) {
  if (ACCEPTED.has(file.type)) return file.type;
  return TYPES[file.name.split(".").pop().toLowerCase()] ?? null;
}

/** What is wrong with a file, in words; empty when nothing is. */
export function wrongWith(file) {
  if (typeOf(file) === null) return t("wrong_type", { name: file.name });
  if (file.size === 0) return t("empty", { name: file.name });
  if (file.size > BYTES_MAX) return t("too_large", { size: number(file.size / 1024 / 1024, 1) });
  return "";
}

/** The area; `chosen` hears of every file that is fine. `kept` is the file that was chosen before. */
export function photoField(chosen, kept) {
  const problem = h("p", { class: "problem", role: "alert", id: "photo-problem" });
  const shown = h("div", { class: "shown" });
  const pick = h("input", { type: "file", id: "photo", class: "unseen", accept: "image/jpeg,image/png,image/webp,image/heic,.heic,.heif", "aria-describedby": "photo-limits photo-problem" });
  const camera = h("input", { type: "file", id: "camera", class: "unseen touch", accept: "image/*", capture: "environment", "aria-describedby": "photo-limits photo-problem" });
  const area = h("div", { class: "drop", role: "group", "aria-label": t("photo") },
    shown,
    h("p", { class: "drag" }, t("drop")),
    h("p", { class: "buttons" },
      pick, h("label", { for: "photo", class: "button" }, t("choose")),
      camera, h("label", { for: "camera", class: "button touch" }, t("camera"))),
    h("p", { class: "note", id: "photo-limits" }, t("limits")),
    problem);

  const show = (file) => {
    for (const old of shown.querySelectorAll("img")) URL.revokeObjectURL(old.src);
    const image = h("img", { src: URL.createObjectURL(file), alt: t("preview") });
    image.addEventListener("error", () => image.replaceWith(h("p", { class: "note" }, t("no_preview", { name: file.name }))));
    shown.replaceChildren(image);
    area.classList.add("filled");
  };
  const take = (file) => {
    if (!file) return;
    problem.textContent = wrongWith(file);
    if (problem.textContent) return;
    show(file);
    chosen(file);
  };
  for (const input of [pick, camera]) {
    input.addEventListener("change", () => { take(input.files[0]); input.value = ""; });
  }
  for (const kind of ["dragenter", "dragover"]) {
    area.addEventListener(kind, (event) => { event.preventDefault(); area.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) {
    area.addEventListener(kind, (event) => { event.preventDefault(); area.classList.remove("over"); });
  }
  area.addEventListener("drop", (event) => take(event.dataTransfer.files[0]));
  area.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
  if (kept) show(kept);
  return { element: area, complain: (sentence) => { problem.textContent = sentence; pick.focus(); } };
}
