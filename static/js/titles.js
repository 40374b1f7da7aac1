// What a chat is called, once it is called otherwise: in the list, and in the tab of its own page.

document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id !== "titled") return;
  const { chat, title } = document.getElementById("titled").dataset;
  const line = document.getElementById(`chat-title-${chat}`);
  if (line) {
    line.textContent = line.closest("a").title = title;
    line.closest("li").querySelector(".chat-tick").setAttribute("aria-label", `Select ${title}`);
  }
  if (location.pathname === `/c/${chat}/`) document.title = title;
});
