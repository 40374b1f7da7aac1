// Passkeys: asks the browser for one, and sends what it signed with the form that the button stands in.
// A form names what to do in data-passkey: "create" one or "get" one. What the server asks for is in data-options, or
// is fetched from data-ask when it is needed.

import { gettext } from "./words.js";

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const described = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));

async function create(options) {
  const asked = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: described(options.excludeCredentials),
    // Kept on the device where it can be: then it also signs in without a name and a password.
    authenticatorSelection: { ...options.authenticatorSelection, residentKey: "preferred", userVerification: "preferred" },
  };
  const made = await navigator.credentials.create({ publicKey: asked });
  return {
    ...common(made),
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    },
  };
}

async function get(options) {
  const asked = { ...options, challenge: bytes(options.challenge), allowCredentials: described(options.allowCredentials) };
  const found = await navigator.credentials.get({ publicKey: asked });
  const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
  return {
    ...common(found),
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
  };
}

const common = (credential) => ({
  type: credential.type,
  id: credential.id,
  rawId: text(credential.rawId),
  clientExtensionResults: credential.getClientExtensionResults(),
});

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options).publicKey;
  const reply = await fetch(form.dataset.ask, { headers: { Accept: "application/json" } });
  if (!reply.ok) throw new Error(`asked for a passkey: ${reply.status}`);
  return (await reply.json()).request_options.publicKey;
}

const SENTENCES = {
  NotAllowedError: gettext("No passkey was given. Try again, or use another way."),
  InvalidStateError: gettext("This device has a passkey for your account already."),
  SecurityError: gettext("Passkeys need an address with a name and a secure connection; this page has none."),
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const said = form.querySelector("[data-passkey-error]");
  if (!window.PublicKeyCredential) {
    if (form.dataset.passkey === "create") said.textContent = SENTENCES.SecurityError;
    else form.hidden = true;
    continue;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    said.textContent = "";
    button.disabled = true;
    try {
      const act = form.dataset.passkey === "create" ? create : get;
      form.elements.credential.value = JSON.stringify(await act(await optionsOf(form)));
      form.submit();
    } catch (error) {
      said.textContent = SENTENCES[error.name] ?? gettext("That did not work. Reload the page and try again.");
      button.disabled = false;
      button.focus();
    }
  });
}
