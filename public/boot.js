// Starts the islands of a page, if it has any. The page works without this; see src/server/page.rs.
// The empty lists are what leptos looks for: our pages are rendered whole, so nothing is streamed later.
globalThis.__RESOLVED_RESOURCES = [];
globalThis.__SERIALIZED_ERRORS = [];
globalThis.__INCOMPLETE_CHUNKS = [];

document.querySelector("[data-autofocus]")?.focus();

const href = (id) => document.getElementById(id)?.getAttribute("href");
const slots = [];

async function hydrate(node, mod) {
  for (const child of [...node.children]) {
    if (child.localName === "leptos-island") {
      slots.at(-1)?.();
      await mod[child.dataset.component]?.(child);
      await hydrate(child, mod);
    } else if (child.localName === "leptos-children") {
      slots.push(child.$$on_hydrate);
      await hydrate(child, mod);
      slots.pop();
    } else {
      await hydrate(child, mod);
    }
  }
}

if (document.querySelector("leptos-island") && href("souk-js")) {
  const mod = await import(href("souk-js"));
  await mod.default({ module_or_path: href("souk-wasm") });
  mod.hydrate();
  await hydrate(document.body, mod);
}
document.documentElement.dataset.hydrated = "";
