// Spans of time in words.

import { speaker } from "./language.js";

const t = speaker({
  seconds: ["{n}초", "{n} s"],
  minutes: ["{n}분", "{n} min"],
  hours: ["{h}시간 {m}분", "{h} h {m} min"],
  days: ["{d}일 {h}시간", "{d} d {h} h"],
});

/** A span in its two largest units. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("seconds", { n: whole });
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return t("minutes", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return t("hours", { h: hours, m: minutes % 60 });
  return t("days", { d: Math.floor(hours / 24), h: hours % 24 });
}

/** What is left, as 9:41. */
export function countdown(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
