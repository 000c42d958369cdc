// What the page of one's own posts says.

import { speaker } from "../language.js";

export const WORDS = {
  title: ["내 게시물", "My posts"],
  empty: ["아직 올린 사진이 없습니다.", "You have not posted anything yet."],
  post_one: ["사진 올리기", "Post a photo"],
  missing: ["링크가 가리키는 게시물을 찾을 수 없습니다.", "The post that the link names can't be found."],
  no_photo: ["사진 없음", "No photo"],
  photo_of: ["내 사진: {title}", "Your photo: {title}"],
  posted: ["올린 때", "Posted"],
  decided: ["결정된 때", "Decided"],
  withdrawn_title: ["(내린 사진)", "(withdrawn)"],
  seen: ["게시된 사진 보기", "See it in the feed"],
  your_appeal: ["보낸 이의 제기", "Your appeal"],
  changed: ["“{title}”: {state}", "“{title}”: {state}"],

  // what the state means, and what comes next
  awaiting_upload: [
    "사진이 아직 도착하지 않았습니다. 업로드가 끊겼다면 다시 올려 주세요. 이 게시물의 사진은 {at}까지 받습니다.",
    "The photo has not arrived yet. If its upload broke off, please post it again. This post takes its photo until {at}.",
  ],
  screening: ["사진을 확인하고 있습니다. 이 페이지를 닫아도 됩니다.", "The photo is being checked. You can leave this page."],
  in_review: ["담당자가 사진을 직접 확인하고 있습니다.", "A person is looking at the photo."],
  appealed: ["처음 결정한 사람이 아닌 다른 담당자가 다시 확인하고 있습니다.", "Another person than the one who decided first is looking at it again."],
  published: ["모두가 피드에서 볼 수 있습니다.", "Everybody can see it in the feed."],
  withdrawn: ["사진과 글을 지웠습니다. 올린 때만 남아 있습니다.", "The photo and its words are deleted. Only the time of the post remains."],
  expired: ["사진이 도착하지 않아 게시물을 닫았습니다.", "The photo never arrived, so the post was closed."],
  appeal_failed: ["이의를 받아 다른 담당자가 다시 확인했지만 결정은 그대로입니다.", "Another person looked after your appeal, and the decision stands."],
  promise: ["늦어도 {at}까지 알려 드립니다.", "You will hear by {at} at the latest."],
  soon: ["결과가 나오는 대로 알려 드립니다.", "You will hear as soon as there is a result."],

  appeal: ["이의 제기", "Appeal"],
  appeal_on: ["쓰던 이의 제기 이어 쓰기", "Go on with your appeal"],
  appeal_title: ["이의 제기하기", "Appeal this decision"],
  appeal_text: ["왜 게시되어야 하나요?", "Why should it be published?"],
  appeal_hint: [
    "1,000자까지 쓸 수 있습니다. 처음 결정한 사람이 아닌 다른 담당자가 확인하며, 이의는 한 번만 제기할 수 있습니다.",
    "Up to 1,000 characters. Another person than the first decides. You can appeal once.",
  ],
  appeal_send: ["보내기", "Send"],
  appeal_sent: ["이의를 접수했습니다. 한 시간 안에 알려 드립니다.", "We have your appeal. You will hear within the hour."],
  appeal_kept: ["다시 로그인해 주세요. 쓰신 글은 그대로 있습니다.", "Please sign in again. What you wrote is kept."],
  cancel: ["취소", "Cancel"],

  mosaic: ["얼굴 가리기", "Cover the faces"],
  mosaic_making: ["얼굴을 가리고 있습니다. 이 페이지를 닫아도 되고, 다 되면 알려 드립니다.", "The faces are being covered. You can leave this page: you will hear when it is done."],
  mosaic_failed: ["얼굴을 가리지 못했습니다. 이유는 알림에 있습니다.", "The faces could not be covered. Your inbox says why."],
  inbox: ["알림 열기", "Open the inbox"],
  mosaic_look: ["비교를 기다리는 중", "Waiting for you"],
  mosaic_ready: ["얼굴을 {n}곳 가렸습니다. 비교해 보세요.", "{n} faces are covered. Please compare."],
  mosaic_ready_one: ["얼굴을 1곳 가렸습니다. 비교해 보세요.", "1 face is covered. Please compare."],
  mosaic_next: [
    "게시를 요청하시면 가린 사진을 한 번 더 확인한 다음 게시합니다. 그전에는 아무에게도 보이지 않습니다.",
    "If you ask for it, the covered photo is checked once more and then published. Until then nobody sees it.",
  ],
  before: ["가리기 전", "Before"],
  after: ["가린 뒤", "After"],
  mosaic_accept: ["가린 사진으로 게시 요청", "Publish the covered photo"],
  mosaic_decline: ["쓰지 않기", "Don't use it"],
  mosaic_accepted: ["가린 사진을 확인하고 있습니다. 결과를 곧 알려 드립니다.", "The covered photo is being checked. You will hear the result soon."],
  mosaic_declined: ["가린 사진을 쓰지 않습니다. 원래 결정은 그대로입니다.", "The covered photo is not used. The decision stands as it was."],

  upload_again: ["다시 올리기", "Upload again"],
  upload_other: ["다른 사진 올리기", "Post another photo"],

  withdraw: ["내리기", "Withdraw"],
  withdraw_of: ["내리기: {title}", "Withdraw: {title}"],
  withdraw_title: ["이 사진을 내릴까요?", "Withdraw this photo?"],
  withdraw_last: ["“{title}”: 되돌릴 수 없습니다.", "“{title}”: this can't be undone."],
  goes: ["지워지는 것", "What is deleted"],
  goes_photo: ["사진과 모든 사본", "The photo and every copy of it"],
  goes_words: ["제목, 설명, 태그, 이의 제기 글", "Title, description, tags and the words of an appeal"],
  stays: ["남는 것", "What stays"],
  stays_line: ["이 목록에서 올린 때가 적힌 내용 없는 한 줄", "A line without content in this list, with the time of the post"],
  stays_record: ["담당자의 결정 기록. 사진이나 글은 들어 있지 않습니다.", "The record of operators' decisions, which holds neither photo nor words"],
  stays_hash: [
    "게시할 수 없다고 결정된 사진이면 같은 사진을 알아보는 값. 이 값으로 사진을 되살릴 수는 없습니다.",
    "If an operator decided that the photo can't be published: a fingerprint that recognises the same photo. No photo can be made from it.",
  ],
  withdraw_yes: ["사진 내리기", "Withdraw the photo"],
  withdrawn_now: ["사진을 내렸습니다.", "The photo is withdrawn."],
};

export const t = speaker(WORDS);
