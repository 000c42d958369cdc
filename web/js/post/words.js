// What the page for posting says.

import { speaker } from "../language.js";

export const t = speaker({
  title: ["사진 올리기", "Post a photo"],
  photo: ["사진", "Photo"],
  drop: ["여기에 사진을 끌어다 놓거나", "Drop a photo here, or"],
  choose: ["사진 고르기", "Choose a photo"],
  camera: ["카메라로 찍기", "Take one now"],
  limits: ["JPEG, PNG, WebP, HEIC · 20 MB까지", "JPEG, PNG, WebP or HEIC, up to 20 MB"],
  other: ["다른 사진 고르기", "Choose another photo"],
  preview: ["올릴 사진 미리 보기", "Preview of your photo"],
  no_preview: ["이 형식은 브라우저에서 미리 볼 수 없습니다: {name}", "Your browser can't show this format: {name}"],
  name: ["제목", "Title"],
  name_hint: ["100자까지", "Up to 100 characters"],
  words: ["설명 (선택)", "Description (optional)"],
  tags: ["태그 (선택)", "Tags (optional)"],
  tags_hint: ["띄어쓰기로 구분, 10개까지. 예: 고양이 산책", "Separated by spaces, up to 10. For example: cat walk"],
  send: ["올리기", "Post"],
  promise: [
    "사진에 알아볼 수 있는 사람 얼굴이 있으면 담당자가 먼저 확인합니다. 위치와 기기 정보는 지워집니다.",
    "If a human face can be recognised, a person looks first. Location and device data are removed.",
  ],
  sending: ["사진을 보내는 중입니다…", "Sending your photo…"],
  sent_share: ["{percent} % 보냄", "{percent} % sent"],
  cancel: ["그만두기", "Stop"],
  stopped: ["보내기를 그만두었습니다. 사진은 올라가지 않았습니다.", "Stopped. The photo was not posted."],
  done: ["사진을 받았습니다!", "We have your photo!"],
  done_text: [
    "확인이 끝나면 알림과 메일로 알려 드립니다. 보통 몇 초, 길어도 한 시간 안에 끝납니다. 기다리지 않으셔도 됩니다.",
    "We will tell you by notice and mail when it is checked: usually within seconds, at most within the hour. No need to wait.",
  ],
  go_on: ["한 장 더 올리기", "Post another"],
  watch: ["진행 상황 보기", "Watch it"],
  to_feed: ["둘러보기로", "Go to the feed"],
  no_photo: ["사진을 골라 주세요.", "Please choose a photo."],
  wrong_type: ["이 파일은 사진이 아니거나 받을 수 없는 형식입니다: {name}", "This is no photo, or of a kind that can't be taken: {name}"],
  too_large: ["사진이 {size} MB입니다. 20 MB까지 올릴 수 있습니다.", "The photo has {size} MB; 20 MB is the most."],
  empty: ["파일이 비어 있습니다: {name}", "The file is empty: {name}"],
  no_title: ["제목을 적어 주세요.", "Please give a title."],
  upload_failed: ["사진을 보내지 못했습니다. 입력한 내용은 그대로 있으니 다시 시도해 주세요.", "The photo could not be sent. Nothing you entered is lost: please try again."],
  upload_refused: ["저장소가 사진을 받지 않았습니다. 다른 사진으로 다시 시도해 주세요.", "The storage did not take the photo. Please try another one."],
});
