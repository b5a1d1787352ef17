"use strict";
(() => {
  const marks = JSON.parse(document.getElementById("marks").textContent);
  const series = JSON.parse(document.getElementById("series").textContent);
  const tip = document.getElementById("tip");
  const root = document.documentElement;
  const NEAR = 28, MOST = 40, SVG = "http://www.w3.org/2000/svg";

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => { root.dataset.theme = dark.matches ? "dark" : "light"; };
  follow();
  dark.addEventListener("change", follow);
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  });

  // Long lines: 16-bit places between the ends of their axes, drawn and told from the same numbers.
  for (const [name, {frames, lines, data}] of Object.entries(series)) {
    const bytes = new DataView(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);
    const own = marks[name] = marks[name] || [];
    let at = 0;
    for (const [place, number, words, count] of lines) {
      const frame = frames[number], {box} = frame, path = document.getElementById(name + "-" + place).firstElementChild;
      let drawn = "", pen = "M";
      for (let i = 0; i < count; i++, at += 4) {
        const [x, y] = [bytes.getUint16(at, true), bytes.getUint16(at + 2, true)];
        if (y === 65535) { pen = "M"; continue; }
        const left = along(frame.x, x), top = along(frame.y, y);
        drawn += pen + left.toFixed(2) + " " + top.toFixed(2);
        pen = "L";
        if (left < box[0] - 0.7 || left > box[2] + 0.7 || top < box[1] - 0.7 || top > box[3] + 0.7) continue;
        own.push([left, top, () => (words && words + ": ") + value(frame.x, x) + "; " + value(frame.y, y), path]);
      }
      path.setAttribute("d", drawn);
    }
  }

  function along(side, step) { return side.start + (side.end - side.start) * step / 65534; }
  // No digit finer than the places: 0 is 0, not 0.0000023.
  function value(side, step) {
    const one = (side.high - side.low) / 65534, at = side.low + one * step;
    const digits = Math.min(Math.max(-Math.floor(Math.log10(one)), 0), 100);
    const known = side.log ? 10 ** at : one > 1e-100 ? Number(at.toFixed(digits)) : at;
    return (side.label && side.label + " ") + Number(known.toPrecision(4));
  }

  for (const figure of document.querySelectorAll("figure[data-drawing]")) {
    const name = figure.dataset.drawing;
    for (const svg of figure.querySelectorAll("svg.drawing")) {
      if (!svg.querySelector("g")) {
        const use = document.createElementNS(SVG, "use");
        use.setAttribute("href", "#" + name);
        svg.append(use);
      }
      prepare(svg, marks[name] || []);
    }
  }

  function prepare(svg, own) {
    const whole = svg.getAttribute("viewBox").split(" ").map(Number);
    let box = [...whole], lit = null;
    const spot = document.createElementNS(SVG, "circle");
    spot.setAttribute("class", "spot");
    spot.setAttribute("r", 0);
    svg.append(spot);
    const bar = document.createElement("div");
    bar.className = "zoom";
    for (const [sign, words, factor] of [["+", "zoom in", 0.6], ["−", "zoom out", 1 / 0.6], ["↺", "whole figure", 0]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.setAttribute("aria-label", words);
      button.addEventListener("click", () => factor ? zoom(factor, box[0] + box[2] / 2, box[1] + box[3] / 2) : show(whole));
      bar.append(button);
    }
    svg.before(bar);

    function show(next) {
      box = [...next];
      svg.setAttribute("viewBox", box.join(" "));
      svg.classList.toggle("zoomed", box[2] < whole[2] * 0.999);
    }
    function zoom(factor, x, y) {
      const width = Math.min(whole[2], Math.max(whole[2] / MOST, box[2] * factor));
      const share = width / box[2];
      move(x - (x - box[0]) * share, y - (y - box[1]) * share, width);
    }
    function move(x, y, width = box[2]) {
      const height = width * whole[3] / whole[2];
      const inside = (at, side, low, room) => Math.min(Math.max(at, low), low + room - side);
      show([inside(x, width, whole[0], whole[2]), inside(y, height, whole[1], whole[3]), width, height]);
    }
    function place(event) {
      const area = svg.getBoundingClientRect();
      const scale = box[2] / area.width;
      return [box[0] + (event.clientX - area.left) * scale, box[1] + (event.clientY - area.top) * scale, scale];
    }
    function point(event) {
      const [x, y, scale] = place(event);
      let best = null, least = (NEAR * scale) ** 2;
      for (const mark of own) {
        const gap = (mark[0] - x) ** 2 + (mark[1] - y) ** 2;
        if (gap < least) { least = gap; best = mark; }
      }
      if (!best) return leave();
      spot.setAttribute("cx", best[0]);
      spot.setAttribute("cy", best[1]);
      spot.setAttribute("r", 6 * scale);
      tip.textContent = typeof best[2] === "string" ? best[2] : best[2]();
      light(best[3]);
      tip.hidden = false;
      const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
      const below = event.clientY + 18 + tip.offsetHeight < innerHeight;
      tip.style.left = Math.max(8, left) + "px";
      tip.style.top = (below ? event.clientY + 18 : event.clientY - tip.offsetHeight - 14) + "px";
    }
    function light(path) {
      if (lit) lit.classList.remove("lit");
      if (path) path.classList.add("lit");
      lit = path;
    }
    function leave() {
      light(null);
      tip.hidden = true;
      spot.setAttribute("r", 0);
    }

    const held = new Map();
    let before = null;
    svg.addEventListener("pointerdown", (event) => {
      held.set(event.pointerId, event);
      before = held.size === 2 ? span() : null;
      if (svg.classList.contains("zoomed")) svg.setPointerCapture(event.pointerId);
      point(event);
    });
    svg.addEventListener("pointermove", (event) => {
      const last = held.get(event.pointerId);
      if (last) {
        held.set(event.pointerId, event);
        if (held.size === 2 && before) {
          const now = span();
          zoom(before.gap / now.gap, ...place(now).slice(0, 2));
          before = now;
        } else if (held.size === 1 && svg.classList.contains("zoomed")) {
          const scale = place(event)[2];
          move(box[0] - (event.clientX - last.clientX) * scale, box[1] - (event.clientY - last.clientY) * scale);
        }
      }
      point(event);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      svg.addEventListener(kind, (event) => { held.delete(event.pointerId); before = null; });
    }
    svg.addEventListener("pointerleave", (event) => { held.delete(event.pointerId); leave(); });
    svg.addEventListener("dblclick", (event) => zoom(0.5, ...place(event).slice(0, 2)));
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !svg.classList.contains("zoomed")) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 0.85 : 1 / 0.85, ...place(event).slice(0, 2));
    }, { passive: false });

    function span() {
      const [a, b] = [...held.values()];
      return {
        gap: Math.max(1, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)),
        clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2,
      };
    }
  }
})();
