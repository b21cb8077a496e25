// Passkeys: before a form with data-passkey is sent, the browser is asked for one, and its answer goes with the form.
// Where there are no passkeys, or no scripts, such forms stay hidden.
"use strict";

// WebAuthn speaks in bytes, JSON in base64url. The browsers' own functions for this are too new to rely on.
const fromText = text => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), c => c.charCodeAt(0));
const toText = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function readOptions({publicKey}) {
  publicKey.challenge = fromText(publicKey.challenge);
  if (publicKey.user) publicKey.user.id = fromText(publicKey.user.id);
  for (const known of publicKey.excludeCredentials ?? []) known.id = fromText(known.id);
  return {publicKey};
}

function writeAnswer({id, rawId, type, response}) {
  const answer = {id, rawId: toText(rawId), type, response: {clientDataJSON: toText(response.clientDataJSON)}};
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[part]) answer.response[part] = toText(response[part]);
  }
  if (response.getTransports) answer.response.transports = response.getTransports();
  return JSON.stringify(answer);
}

// What people can make of the browser's errors.
const problems = {
  NotAllowedError: "Nothing was chosen, or it took too long. Try again.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Passkeys do not work at this address.",
};

async function ask(form) {
  const body = new URLSearchParams({csrf: form.elements.csrf.value});
  const response = await fetch(form.dataset.options, {method: "POST", body});
  if (response.redirected) { location.assign(response.url); return; } // to log in, or to prove again who one is
  if (!response.ok) {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    throw new Error(page.querySelector(".problem")?.textContent);
  }
  const options = readOptions(await response.json());
  const credential = await navigator.credentials[form.dataset.passkey](options);
  form.elements.credential.value = writeAnswer(credential);
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) break;
  form.hidden = false;
  const problem = form.querySelector("[role=alert]");
  form.addEventListener("submit", async event => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    problem.hidden = true;
    try {
      await ask(form);
    } catch (error) {
      problem.textContent = problems[error.name] ?? (error.message || "That did not work; please try again.");
      problem.hidden = false;
    } finally {
      form.ariaBusy = "false";
    }
  });
}
