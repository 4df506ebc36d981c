// Draws every stored plotly figure of the page, always in ink on white: in dark mode the style sheet turns it over,
// as it does with all other figures.
document.addEventListener("DOMContentLoaded", () => {
  "use strict";
  const INK = "#1f2933";
  const LINE = "#d9dee3";

  for (const figure of document.querySelectorAll(".plot")) {
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
    const options = { ...config, responsive: true, displaylogo: false, showSendToCloud: false };
    Plotly.newPlot(figure, data, drawn, options).then(() => frames && Plotly.addFrames(figure, frames));
  }
});
