// On a narrow screen the list of chats is a drawer: a button opens it; Escape, the shade, or focus that goes
// elsewhere closes it.

const drawer = document.getElementById("chats");
const opener = document.querySelector("[data-drawer-open]");
const shade = document.querySelector("[data-drawer-shade]");
const wide = matchMedia("(min-width: 52rem)");

function isOpen() {
  return "open" in drawer.dataset;
}

function open() {
  drawer.dataset.open = "";
  shade.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  drawer.querySelector("a").focus();
}

function close({ giveBack }) {
  if (!isOpen()) return;
  delete drawer.dataset.open;
  shade.hidden = true;
  opener.setAttribute("aria-expanded", "false");
  if (giveBack) opener.focus();
}

if (drawer && opener) {
  opener.addEventListener("click", open);
  shade.addEventListener("click", () => close({ giveBack: true }));
  drawer.querySelector("[data-drawer-close]").addEventListener("click", () => close({ giveBack: true }));
  drawer.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !drawer.querySelector(":popover-open")) close({ giveBack: true });
  });
  drawer.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !drawer.contains(relatedTarget)) close({ giveBack: false });
  });
  wide.addEventListener("change", () => close({ giveBack: false }));
}
