// Who is signed in, and the forms by which somebody signs in, signs up, confirms an address or sets a new password.

import { button, field, h, say } from "./dom.js";
import { current, setLanguage, speaker } from "./language.js";
import {
  confirmForgotPassword, confirmSignUp, forgotPassword, person, resendCode, setNewPassword, signIn, signOut, signUp,
} from "./session.js";

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
  join_title: ["회원 가입", "Create an account"],
  join: ["가입하기", "Create the account"],
  no_account: ["처음이신가요? 회원 가입", "New here? Create an account"],
  have_account: ["이미 가입했습니다. 로그인", "I have an account: sign in"],
  forgot: ["비밀번호를 잊었습니다", "I forgot my password"],
  confirm_title: ["이메일 확인", "Confirm your email"],
  confirm: ["확인", "Confirm"],
  code: ["인증 코드", "Code"],
  code_hint: ["{email}(으)로 보낸 코드를 입력해 주세요.", "Enter the code that we mailed to {email}."],
  resend: ["코드 다시 보내기", "Mail the code again"],
  resent: ["코드를 다시 보냈습니다.", "The code was mailed again."],
  welcome: ["가입되었습니다. 이제 로그인해 주세요.", "Your account is ready. Please sign in."],
  forgot_title: ["비밀번호 다시 정하기", "Set a new password"],
  send_code: ["코드 보내기", "Mail me a code"],
  changed: ["비밀번호를 바꾸었습니다. 새 비밀번호로 로그인해 주세요.", "The password is changed. Please sign in with it."],
  NotAuthorizedException: ["이메일이나 비밀번호가 맞지 않습니다.", "Email or password is not right."],
  UserNotFoundException: ["이메일이나 비밀번호가 맞지 않습니다.", "Email or password is not right."],
  InvalidPasswordException: ["비밀번호가 규칙에 맞지 않습니다.", "The password does not keep the rules."],
  InvalidParameterException: ["입력한 내용을 확인해 주세요.", "Please check what you entered."],
  UsernameExistsException: ["이미 가입된 이메일입니다.", "This email has an account already."],
  CodeMismatchException: ["코드가 맞지 않습니다.", "The code is not right."],
  ExpiredCodeException: ["코드가 만료되었습니다. 다시 보내 주세요.", "The code has expired. Have it mailed again."],
  LimitExceededException: ["잠시 후 다시 시도해 주세요.", "Please try again in a moment."],
  TooManyRequestsException: ["잠시 후 다시 시도해 주세요.", "Please try again in a moment."],
  Unreachable: ["로그인 서버에 연결할 수 없습니다. 다시 시도해 주세요.", "Sign-in can't be reached. Please try again."],
  other: ["로그인하지 못했습니다({code}). 관리자에게 알려 주세요.", "Sign-in failed ({code}). Please tell the administrator."],
});

const KNOWN = [
  "NotAuthorizedException", "UserNotFoundException", "InvalidPasswordException", "InvalidParameterException", "UsernameExistsException",
  "CodeMismatchException", "ExpiredCodeException", "LimitExceededException", "TooManyRequestsException", "Unreachable",
];
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

/** The form; the session's listeners hear when it succeeded. `heading`: h2 on a page that has a title of its own. */
export function signInForm({ heading = "h1" } = {}) {
  const place = h("div", { class: "narrow" });
  const forms = formsIn(place, heading);
  forms.show(forms.signIn);
  return place;
}

function formsIn(place, heading) {
  const email = h("input", { type: "email", autocomplete: "username", required: true });
  const ask = {
    email: () => field("email", t("email"), email),
    password: (input) => field("password", t("password"), input),
    chosen: (input) => field("new-password", t("new_password"), input, t("new_hint")),
    code: (input) => field("code", t("code"), input, t("code_hint", { email: address() })),
  };
  const address = () => email.value.trim();
  const known = () => h("input", { type: "password", autocomplete: "current-password", required: true });
  const chosen = () => h("input", { type: "password", autocomplete: "new-password", required: true, minlength: "12" });
  const code = () => h("input", { inputmode: "numeric", autocomplete: "one-time-code", required: true, maxlength: "20" });

  const show = (make, focus = false) => {
    place.replaceChildren(...make());
    if (focus) place.querySelector("input")?.focus();
  };
  const go = (label, make) => h("button", { type: "button", class: "link", onclick: () => show(make, true) }, label);
  const form = (title, label, fields, work) => formOf(heading, title, label, fields, work);

  const forms = {
    show,
    signIn() {
      const password = known();
      return [form(t("title"), t("sign_in"), [ask.email(), ask.password(password)], async () => {
        try {
          const { challenge } = await signIn(address(), password.value);
          if (challenge) show(() => forms.first(challenge), true);
        } catch (error) {
          if (error.code !== "UserNotConfirmedException") throw error;
          show(forms.confirm, true);
        }
      }), h("p", { class: "ways" }, go(t("no_account"), forms.join), go(t("forgot"), forms.forgot))];
    },
    join() {
      const password = chosen();
      return [form(t("join_title"), t("join"), [ask.email(), ask.chosen(password)], async () => {
        await signUp(address(), password.value);
        show(forms.confirm, true);
      }), h("p", { class: "ways" }, go(t("have_account"), forms.signIn))];
    },
    confirm() {
      const given = code();
      return [form(t("confirm_title"), t("confirm"), [ask.code(given)], async () => {
        await confirmSignUp(address(), given.value.trim());
        say(t("welcome"));
        show(forms.signIn, true);
      }), h("p", { class: "ways" }, button(t("resend"), async () => {
        try {
          await resendCode(address());
          say(t("resent"));
        } catch (error) { say(explained(error)); }
      }, { class: "link" }), go(t("have_account"), forms.signIn))];
    },
    forgot: () => [form(t("forgot_title"), t("send_code"), [ask.email()], async () => {
      await forgotPassword(address());
      show(forms.reset, true);
    }), h("p", { class: "ways" }, go(t("have_account"), forms.signIn))],
    reset() {
      const [given, password] = [code(), chosen()];
      return [form(t("forgot_title"), t("save"), [ask.code(given), ask.chosen(password)], async () => {
        await confirmForgotPassword(address(), given.value.trim(), password.value);
        say(t("changed"));
        show(forms.signIn, true);
      }), h("p", { class: "ways" }, go(t("have_account"), forms.signIn))];
    },
    first(challenge) {
      const password = chosen();
      return [form(t("new_title"), t("save"), [ask.chosen(password)], () => setNewPassword(challenge, password.value))];
    },
  };
  return forms;
}

function formOf(heading, title, label, fields, work) {
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: "primary" }, label);
  return h("form", {
    class: "card",
    onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      problem.textContent = "";
      try { await work(); } catch (error) { problem.textContent = explained(error); } finally { submit.disabled = false; }
    },
  }, h(heading, {}, title), fields, problem, submit);
}
