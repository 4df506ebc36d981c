// The ledger's filters, kept in the address so that a filtered view can be linked to; and search on pages read from disk.
(() => {
  "use strict";

  const ledger = () => {
    const form = document.querySelector(".ledger-filters");
    if (!form) return;
    const rows = [...document.querySelectorAll(".ledger-row")];
    const groups = [...document.querySelectorAll(".ledger-group")];
    const headings = [...document.querySelectorAll(".ledger-heading")];
    const flat = document.querySelector(".ledger-flat");
    const none = document.querySelector(".ledger-none");
    const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    const homes = new Map(rows.map((row) => [row, row.parentElement]));
    const verdicts = [...form.elements.verdict.options].map((option) => option.value);
    const id = (row) => row.querySelector(".claim").id;
    const year = (group) => Number(group.dataset.name.match(/\d{4}/)?.[0] ?? 0);
    const orders = {
      "by id": (a, b) => id(a).localeCompare(id(b), "en", { numeric: true }),
      "by verdict": (a, b) => verdicts.indexOf(a.dataset.verdict) - verdicts.indexOf(b.dataset.verdict) || orders["by id"](a, b),
    };

    let order = null;
    const arrange = (wanted) => {
      if (wanted === order) return;
      order = wanted;
      if (orders[wanted]) {
        flat.append(...[...rows].sort(orders[wanted]));
      } else {
        for (const row of rows) homes.get(row).append(row);
        const sorted = wanted === "by year" ? [...groups].sort((a, b) => year(a) - year(b)) : groups;
        for (const group of sorted) group.parentElement.append(group);
      }
    };

    const apply = (event) => {
      const wanted = Object.fromEntries(new FormData(form));
      const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
      const keys = ["origin", "verdict", "known", "part", "profile"];
      arrange(wanted.order);
      let shown = 0;
      for (const row of rows) {
        const matches =
          keys.every((key) => !wanted[key] || row.dataset[key] === wanted[key]) &&
          words.every((word) => texts.get(row).includes(word));
        row.hidden = !matches;
        shown += matches;
      }
      // What is asked for is shown; without a question the groups are closed and the page is short.
      const asked = words.length > 0 || keys.some((key) => wanted[key]);
      for (const group of groups) {
        group.hidden = !group.querySelector(".ledger-row:not([hidden])");
        if (event?.target.name !== "order") group.open = asked;
      }
      for (const heading of headings) heading.hidden = Boolean(orders[wanted.order]);
      none.hidden = shown > 0;
      form.querySelector("output").textContent = `${shown} of ${rows.length} claims`;
      const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
      history.replaceState(null, "", (query ? `?${query}` : location.pathname) + location.hash);
    };

    // A link to a claim opens the group it is in.
    const follow = () => {
      const group = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest(".ledger-group");
      if (group) group.open = true;
    };
    window.addEventListener("hashchange", follow);

    // A link to one claim shows it whatever the filters say.
    if (!location.hash) {
      for (const [key, value] of new URLSearchParams(location.search)) {
        if (form.elements[key]) form.elements[key].value = value;
      }
    }
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
    follow();
  };

  // Excerpts are fetched page by page, which a browser refuses for files on disk: there, show titles only.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  // A formula in running text cannot break: where it is wider than its paragraph, it gets a line that scrolls.
  const widen = () => {
    for (const formula of document.querySelectorAll('mjx-container:not([display="true"])')) {
      formula.classList.remove("wide");
      const block = formula.closest("p, li, dd, td, div");
      if (formula.offsetWidth > block.clientWidth) formula.classList.add("wide");
    }
  };
  // Formulas change the height of the page when they are set, which carries off the place a link led to.
  let moved = false;
  for (const event of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    window.addEventListener(event, () => (moved = true), { once: true, passive: true });
  }
  const settle = () => {
    widen();
    if (location.hash && !moved) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView({ behavior: "instant" });
  };
  window.addEventListener("load", () => {
    window.MathJax?.startup?.promise.then(settle).then(() => document.fonts.ready).then(widen);
    window.addEventListener("resize", widen);
  });

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ledger);
  else ledger();
})();
