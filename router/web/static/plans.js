// The curves of a day that was played again, drawn by uPlot from what the page carries.

const COLOURS = { recorded: "#8a8f98", same: "#2f6fb5", changed: "#c2571a", arrivals: "#5b9b6b" };
const HEIGHT = 200;

function draw(charts) {
  const curves = JSON.parse(charts.dataset.curves);
  const times = curves.times.map((each) => Date.parse(each) / 1000);
  const wide = () => Math.max(280, charts.clientWidth - 24);
  for (const box of charts.querySelectorAll("[data-chart]")) {
    const what = box.dataset.chart;
    const names = what === "agents" ? ["recorded", "changed"] : ["recorded", "same", "changed"];
    const series = [{}, ...names.map((name) => ({ label: charts.dataset[name], stroke: COLOURS[name], width: 2, points: { show: false } }))];
    const values = [times, ...names.map((name) => curves[name][what])];
    if (what === "agents") {
      series.push({ label: box.dataset.arrivals, stroke: COLOURS.arrivals, width: 1, dash: [4, 3], points: { show: false } });
      values.push(curves.changed.arrivals);
    }
    const chart = new uPlot({ width: wide(), height: HEIGHT, series, scales: { y: { range: (_u, _low, high) => [0, Math.max(1, high * 1.05)] } } }, values, box);
    new ResizeObserver(() => chart.setSize({ width: wide(), height: HEIGHT })).observe(charts);
  }
}

function look() {
  for (const charts of document.querySelectorAll(".charts[data-curves]:not([data-drawn])")) {
    charts.dataset.drawn = "yes";
    if (charts.dataset.curves) draw(charts);
  }
}

document.addEventListener("htmx:afterSettle", look);
look();
