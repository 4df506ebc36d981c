// Draws the stored plotly figures of the page when they come near to view, and loads the script that draws them only
// then. Always in ink on white: in dark mode the style sheet turns a figure over, as it does with all others.
(() => {
  "use strict";
  const INK = "#1f2933";
  const LINE = "#d9dee3";
  const BUNDLE = new URL("plotly-cartesian.min.js", document.currentScript.src);

  let loading;
  const load = () =>
    (loading ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = BUNDLE;
      script.onload = done;
      script.onerror = failed;
      document.head.append(script);
    }));

  const draw = async (figure) => {
    await load();
    const { data, layout = {}, config, frames } = JSON.parse(figure.querySelector("script").textContent);
    const axes = {};
    for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))])) {
      axes[name] = { ...layout[name], gridcolor: LINE, zerolinecolor: LINE };
    }
    const drawn = {
      ...layout,
      ...axes,
      autosize: true,
      width: undefined,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { ...layout.font, color: INK, family: getComputedStyle(figure).fontFamily },
    };
    await Plotly.newPlot(figure, data, drawn, { ...config, responsive: true, displayModeBar: false });
    if (frames) await Plotly.addFrames(figure, frames);
  };

  document.addEventListener("DOMContentLoaded", () => {
    const near = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          near.unobserve(target);
          draw(target);
        }
      },
      { rootMargin: "600px" },
    );
    for (const figure of document.querySelectorAll(".plot")) near.observe(figure);
  });
})();
