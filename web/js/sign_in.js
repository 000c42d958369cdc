// The sign-in form and who is signed in, for every page.

import { button, field, h } from "./dom.js";
import { current, setLanguage, speaker } from "./language.js";
import { person, setNewPassword, signIn, signOut } from "./session.js";

const t = speaker({
  title: ["로그인", "Sign in"],
  email: ["이메일", "Email"],
  password: ["비밀번호", "Password"],
  sign_in: ["로그인", "Sign in"],
  sign_out: ["로그아웃", "Sign out"],
  new_title: ["새 비밀번호 정하기", "Choose a new password"],
  new_password: ["새 비밀번호", "New password"],
  new_hint: ["12자 이상, 대문자·소문자·숫자 포함", "At least 12 characters with upper case, lower case and a number"],
  save: ["저장", "Save"],
  NotAuthorizedException: ["이메일이나 비밀번호가 맞지 않습니다.", "Email or password is not right."],
  UserNotFoundException: ["이메일이나 비밀번호가 맞지 않습니다.", "Email or password is not right."],
  InvalidPasswordException: ["비밀번호가 규칙에 맞지 않습니다.", "The password does not keep the rules."],
  TooManyRequestsException: ["잠시 후 다시 시도해 주세요.", "Please try again in a moment."],
  Unreachable: ["로그인 서버에 연결할 수 없습니다. 다시 시도해 주세요.", "Sign-in can't be reached. Please try again."],
  other: ["로그인하지 못했습니다({code}). 관리자에게 알려 주세요.", "Sign-in failed ({code}). Please tell the administrator."],
});

const KNOWN = ["NotAuthorizedException", "UserNotFoundException", "InvalidPasswordException", "TooManyRequestsException", "Unreachable"];
const explained = (error) => (KNOWN.includes(error.code) ? t(error.code) : t("other", { code: error.code ?? error.message }));

/** The two buttons of the language. */
export function languages() {
  const one = (language, label) => h("button", {
    type: "button", lang: language, "aria-pressed": String(current() === language), onclick: () => setLanguage(language),
  }, label);
  return h("div", { class: "languages", role: "group", "aria-label": "언어 Language" }, one("ko", "한국어"), one("en", "English"));
}

/** Who is signed in, with the way out. */
export function who() {
  const known = person();
  return known && h("span", {}, h("span", { class: "email" }, known.email), " ", button(t("sign_out"), signOut, { class: "quiet" }));
}

/** The form; the session's listeners hear when it succeeded. */
export function signInForm() {
  const email = h("input", { type: "email", autocomplete: "username", required: true });
  const password = h("input", { type: "password", autocomplete: "current-password", required: true });
  return form(t("title"), t("sign_in"), [field("email", t("email"), email), field("password", t("password"), password)],
    async (place) => {
      const { challenge } = await signIn(email.value.trim(), password.value);
      if (challenge) place.replaceWith(newPasswordForm(challenge));
    });
}

function newPasswordForm(challenge) {
  const password = h("input", { type: "password", autocomplete: "new-password", required: true, minlength: "12" });
  return form(t("new_title"), t("save"), [field("new-password", t("new_password"), password, t("new_hint"))],
    () => setNewPassword(challenge, password.value));
}

function form(title, label, fields, work) {
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: "primary" }, label);
  const made = h("form", {
    class: "card narrow",
    onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      problem.textContent = "";
      try { await work(made); } catch (error) { problem.textContent = explained(error); } finally { submit.disabled = false; }
    },
  }, h("h1", {}, title), fields, problem, submit);
  return made;
}
