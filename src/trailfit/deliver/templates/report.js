"use strict";
(() => {
  const root = document.documentElement;
  const by = (id) => document.getElementById(id);
  const remember = (theme) => { try { localStorage.setItem("trailfit-theme", theme); } catch { /* a file: page may have no storage */ } };
  const remembered = () => { try { return localStorage.getItem("trailfit-theme"); } catch { return null; } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = by("theme");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const label = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", "Switch to the " + (isDark() ? "light" : "dark") + " theme");
  };
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; remember(root.dataset.theme); label(); });
  system.addEventListener("change", label);
  label();

  const list = by("principals");
  if (!list) return;
  const all = [...list.querySelectorAll("details.one")];
  const search = by("search"), show = by("show"), account = by("account"), sort = by("sort"), shown = by("shown"), none = by("none");
  by("controls").hidden = false;
  const text = (name) => (a, b) => (a.dataset[name] < b.dataset[name] ? -1 : a.dataset[name] > b.dataset[name] ? 1 : 0);
  const number = (name) => (a, b) => b.dataset[name] - a.dataset[name];
  const orders = {
    removable: number("removable"), undetermined: number("undetermined"), findings: number("findings"),
    name: text("name"), account: text("account"),
  };
  const update = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const one of all) {
      const fits = words.every((word) => one.dataset.text.includes(word))
        && (!show.value || one.dataset.disposition === show.value || (show.value === "unsafe" && one.dataset.disposition === "mixed"))
        && (!account.value || one.dataset.account === account.value);
      one.hidden = !fits;
      count += fits;
    }
    shown.textContent = count === all.length ? all.length + " shown" : count + " of " + all.length + " shown";
    none.hidden = count > 0;
  };
  const reorder = () => { list.append(...[...all].sort(orders[sort.value] || (() => 0))); };
  search.addEventListener("input", update);
  show.addEventListener("change", update);
  account.addEventListener("change", update);
  sort.addEventListener("change", reorder);
  document.addEventListener("keydown", (event) => {
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); search.focus(); }
    if (event.key === "Escape" && event.target === search) { search.value = ""; update(); }
  });
  const openTarget = () => {
    const one = location.hash.length > 1 && by(location.hash.slice(1));
    if (one && one.matches("details.one")) { one.hidden = false; one.open = true; one.scrollIntoView(); }
  };
  addEventListener("hashchange", openTarget);
  let closed = [];
  addEventListener("beforeprint", () => { closed = [...document.querySelectorAll("details:not([open])")].filter((d) => !d.closest(".group")); for (const d of closed) d.open = true; });
  addEventListener("afterprint", () => { for (const d of closed) d.open = false; });
  update();
  openTarget();
})();
