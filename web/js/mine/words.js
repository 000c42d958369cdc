// What the page of one's own posts says.

import { speaker } from "../language.js";

export const t = speaker({
  title: ["내 사진", "My posts"],
  empty: ["아직 올린 사진이 없습니다.", "You have not posted anything yet."],
  post_one: ["사진 올리기", "Post a photo"],
  no_photo: ["사진 없음", "No photo"],
  photo_of: ["내 사진: {title}", "Your photo: {title}"],
  posted: ["올린 때", "Posted"],
  decided: ["결정된 때", "Decided"],
  promise: ["늦어도 {at}까지 알려 드립니다.", "You will hear by {at} at the latest."],
  withdrawn_title: ["(내린 사진)", "(withdrawn)"],
  seen: ["게시된 사진 보기", "See it in the feed"],
  your_appeal: ["보낸 이의 제기", "Your appeal"],

  appeal: ["이의 제기", "Appeal"],
  appeal_title: ["이의 제기하기", "Appeal this decision"],
  appeal_text: ["왜 게시되어야 하나요?", "Why should it be shown?"],
  appeal_hint: ["1,000자까지. 처음 결정한 사람이 아닌 다른 담당자가 봅니다. 한 번만 할 수 있습니다.", "Up to 1,000 characters. Another person than the first decides. You can appeal once."],
  appeal_send: ["보내기", "Send"],
  appealed: ["이의를 접수했습니다. 한 시간 안에 알려 드립니다.", "We have your appeal. You will hear within the hour."],
  cancel: ["취소", "Cancel"],

  mosaic: ["얼굴 가리기", "Cover faces"],
  mosaic_making: ["얼굴을 가리는 중입니다…", "Covering faces…"],
  mosaic_ready: ["얼굴을 {n}곳 가렸습니다. 확인해 주세요.", "{n} faces covered. Please have a look."],
  mosaic_ready_one: ["얼굴을 1곳 가렸습니다. 확인해 주세요.", "1 face covered. Please have a look."],
  before: ["가리기 전", "Before"],
  after: ["가린 뒤", "After"],
  mosaic_accept: ["이 사진으로 올리기", "Post this one"],
  mosaic_decline: ["올리지 않기", "Don't post it"],
  mosaic_accepted: ["가린 사진을 확인하고 있습니다. 곧 알려 드립니다.", "The covered photo is being checked. You will hear soon."],
  mosaic_declined: ["가린 사진을 올리지 않았습니다.", "The covered photo was not posted."],

  upload_again: ["다른 사진 올리기", "Post another photo"],
  withdraw: ["내리기", "Withdraw"],
  withdraw_of: ["‘{title}’ 내리기", "Withdraw “{title}”"],
  withdraw_title: ["이 사진을 내릴까요?", "Withdraw this photo?"],
  withdraw_text: [
    "사진과 모든 사본, 제목, 설명, 태그가 지워지며 되돌릴 수 없습니다. 게시할 수 없다고 결정된 사진이면, 같은 사진을 알아보기 위한 값만 남습니다. 그 값으로 사진을 되살릴 수는 없습니다.",
    "The photo with every copy, its title, description and tags are deleted for good. If it was decided that the photo can't be shown, a fingerprint that recognises the same photo remains; no photo can be made from it.",
  ],
  withdraw_yes: ["내리기", "Withdraw it"],
  withdrawn: ["사진을 내렸습니다.", "The photo is withdrawn."],
});
