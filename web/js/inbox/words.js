// What the inbox says; the notices themselves come from the API in both languages.

import { speaker } from "../language.js";

export const WORDS = {
  title: ["알림", "Inbox"],
  empty: ["아직 알림이 없습니다. 사진을 올리면 결과를 여기에서 알려 드립니다.", "No notices yet. Post a photo, and you will hear of it here."],
  post_one: ["사진 올리기", "Post a photo"],
  fresh: ["새 알림", "New"],
  arrived: ["새 알림이 왔습니다.", "A new notice has arrived."],
  look: ["게시된 사진 보기", "See it in the feed"],
  mine: ["내 게시물에서 보기", "See it in My posts"],
};

export const t = speaker(WORDS);
