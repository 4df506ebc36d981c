// The ledger's filters, kept in the address so that a filtered view can be linked to; and search on pages read from disk.
(() => {
  "use strict";

  const ledger = () => {
    const form = document.querySelector(".ledger-filters");
    if (!form) return;
    const rows = [...document.querySelectorAll(".ledger-row")];
    const none = document.querySelector(".ledger-none");
    const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

    const apply = () => {
      const wanted = Object.fromEntries(new FormData(form));
      const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const matches =
          ["origin", "verdict", "known", "part", "profile"].every((key) => !wanted[key] || row.dataset[key] === wanted[key]) &&
          words.every((word) => texts.get(row).includes(word));
        row.hidden = !matches;
        shown += matches;
      }
      none.hidden = shown > 0;
      form.querySelector("output").textContent = `${shown} of ${rows.length} claims`;
      const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
      history.replaceState(null, "", (query ? `?${query}` : location.pathname) + location.hash);
    };

    // A link to one claim shows it whatever the filters say.
    if (!location.hash) {
      for (const [key, value] of new URLSearchParams(location.search)) {
        if (form.elements[key]) form.elements[key].value = value;
      }
    }
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
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
    window.MathJax?.startup?.promise.then(settle);
    window.addEventListener("resize", widen);
  });

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ledger);
  else ledger();
})();
