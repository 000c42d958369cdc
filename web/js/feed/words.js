// What the feed says.

import { speaker } from "../language.js";

export const t = speaker({
  title: ["둘러보기", "Feed"],
  hero: ["동물 친구들의 사진을 나누는 곳", "Where animal friends share their photos"],
  hero_text: [
    "강아지, 고양이, 그리고 모든 동물의 사진을 올려 보세요. 사람 얼굴이 나온 사진은 게시하기 전에 담당자가 확인하고, 결과는 한 시간 안에 알려 드립니다.",
    "Share photos of dogs, cats and every other animal. A photo with a human face is checked by a person before anybody sees it, and you hear the result within an hour.",
  ],
  fact_private: ["위치와 기기 정보는 사진에서 모두 지웁니다.", "Location and device data are removed from every photo."],
  fact_person: ["게시할 수 없는 사진은 사람이 결정합니다. 이의를 제기하거나 얼굴을 가려 다시 올릴 수 있습니다.", "A person decides about what is not shown. You can appeal, or have faces covered."],
  fact_yours: ["내 사진은 언제든 내릴 수 있고, 사본도 모두 지워집니다.", "Withdraw a photo at any time, and every copy goes with it."],
  search: ["태그로 찾기", "Search by tag"],
  search_hint: ["예: 고양이", "For example: cat"],
  find: ["찾기", "Find"],
  tagged: ["#{tag} 태그가 붙은 사진", "Photos tagged #{tag}"],
  all: ["전체 보기", "Show all"],
  empty: ["아직 게시된 사진이 없습니다. 첫 사진을 올려 보세요.", "No photo is here yet. Post the first one."],
  empty_tag: ["이 태그가 붙은 사진이 없습니다.", "No photo has this tag."],
  post_one: ["사진 올리기", "Post a photo"],
  own: ["내 사진", "Yours"],
  report: ["신고", "Report"],
  report_of: ["‘{title}’ 신고", "Report “{title}”"],
  report_title: ["사진 신고하기", "Report this photo"],
  report_why: ["무엇이 문제인가요?", "What is wrong with it?"],
  human_face: ["알아볼 수 있는 사람 얼굴이 있습니다", "A human face can be recognised"],
  no_living_animal: ["살아 있는 동물이 없습니다", "There is no living animal"],
  gruesome: ["보기 힘든 장면입니다", "It is shocking to look at"],
  other: ["다른 문제가 있습니다", "Something else"],
  report_text: ["자세한 내용 (선택)", "In your words (optional)"],
  report_hint: ["500자까지. 사진을 올린 사람에게는 누가 신고했는지 알리지 않습니다.", "Up to 500 characters. The author is not told who reported it."],
  send: ["신고하기", "Send the report"],
  cancel: ["취소", "Cancel"],
  reported: ["신고했습니다. 담당자가 곧 확인합니다.", "Reported. A person will look at it soon."],
  here: ["알림에서 연 사진", "The photo from your notice"],
  gone: ["이 사진은 더 이상 볼 수 없습니다.", "This photo can't be seen any more."],
});
