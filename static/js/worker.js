// The service worker: where a page cannot be fetched, it shows one that says so. It looks at nothing else, and keeps
// nothing of what anybody wrote or was sent. Before these lines stand OFFLINE, where that page is, and VERSION, which is
// another one when the page is (views/installing.py).

"use strict";

const KEPT = `offline-${VERSION}`;

async function install() {
  const cache = await caches.open(KEPT);
  await cache.add(new Request(OFFLINE, { cache: "reload", credentials: "omit" }));
  await self.skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
  await self.registration.navigationPreload?.enable();
}

async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { destination, method, mode } = event.request;
  if (mode === "navigate" && method === "GET" && destination === "document") event.respondWith(page(event));
});
