// Paper, prints and pencils. The artwork of the prints is drawn here too.
import * as THREE from 'three';
import { at, cylinder, group, label, lathe, matt, mesh, metal, physical, plateOf, sheet, slab, surfaces, texture, tube } from './studio.mjs';

const art = {
  hills: (g, w, h, c, r) => {
    g.fillStyle = c[0]; g.fillRect(0, 0, w, h);
    g.fillStyle = c[1]; g.beginPath(); g.arc(w * r.between(0.28, 0.72), h * r.between(0.22, 0.34), w * r.between(0.07, 0.13), 0, 7); g.fill();
    for (let k = 0; k < 5; k++) {
      g.fillStyle = c[2 + (k % (c.length - 2))]; g.globalAlpha = 0.5 + k * 0.12; g.beginPath(); g.moveTo(0, h);
      const base = h * (0.42 + k * 0.11), a = r.between(18, 60) - k * 4, f = r.between(1, 2.6), o = r() * 7;
      for (let x = 0; x <= w; x += 8) g.lineTo(x, base + Math.sin((x / w) * f * Math.PI + o) * a + Math.sin((x / w) * f * 7 + o) * a * 0.14);
      g.lineTo(w, h); g.fill();
    } g.globalAlpha = 1;
  },
  sea: (g, w, h, c, r) => {
    g.fillStyle = c[0]; g.fillRect(0, 0, w, h); g.fillStyle = c[1]; g.beginPath(); g.arc(w * 0.62, h * 0.3, w * 0.12, 0, 7); g.fill();
    for (let y = h * 0.46; y < h; y += 26) { g.fillStyle = c[2 + Math.floor(r() * (c.length - 2))]; g.beginPath(); g.moveTo(0, y); for (let x = 0; x <= w; x += 10) g.lineTo(x, y + Math.sin(x / 34 + y) * 7); g.lineTo(w, h); g.lineTo(0, h); g.fill(); }
    g.fillStyle = '#f6f0e2'; g.beginPath(); g.moveTo(w * 0.34, h * 0.5); g.lineTo(w * 0.34, h * 0.3); g.lineTo(w * 0.46, h * 0.49); g.fill(); g.fillStyle = c.at(-1); g.beginPath(); g.moveTo(w * 0.28, h * 0.51); g.lineTo(w * 0.47, h * 0.51); g.lineTo(w * 0.43, h * 0.545); g.lineTo(w * 0.31, h * 0.545); g.fill();
  },
  plant: (g, w, h, c, r) => {
    g.fillStyle = c[0]; g.fillRect(0, 0, w, h); g.strokeStyle = c[1]; g.lineWidth = 6; const x0 = w / 2;
    const sway = r.between(-70, 70); g.beginPath(); g.moveTo(x0, h * 0.92); g.quadraticCurveTo(x0 + sway, h * 0.5, x0 + sway * 0.3, h * 0.12); g.stroke();
    for (let i = 0; i < 9; i++) for (const s of [-1, 1]) {
      const t = i / 9, y = h * (0.84 - t * 0.68), x = x0 + sway * 2 * t * (1 - t) + sway * 0.3 * t * t, l = w * 0.27 * (1 - t * 0.55), up = r.between(0.35, 0.6);
      g.fillStyle = c[1 + ((i + (s > 0)) % (c.length - 1))]; g.beginPath(); g.moveTo(x, y); g.quadraticCurveTo(x + s * l * 0.4, y - l * (up + 0.5), x + s * l, y - l * up); g.quadraticCurveTo(x + s * l * 0.6, y + l * 0.08, x, y); g.fill();
    }
  },
  fruit: (g, w, h, c, r) => {
    g.fillStyle = c[0]; g.fillRect(0, 0, w, h);
    for (let i = 0; i < 7; i++) { const x = w * (0.28 + (i % 3) * 0.22), y = h * (0.3 + Math.floor(i / 3) * 0.19) + r.between(-10, 10); g.fillStyle = c[1 + (i % 2)]; g.beginPath(); g.arc(x, y, w * 0.105, 0, 7); g.fill(); g.fillStyle = c[3] ?? '#5c7046'; g.beginPath(); g.ellipse(x + w * 0.06, y - w * 0.12, w * 0.07, w * 0.028, -0.6, 0, 7); g.fill(); }
  },
  type: (g, w, h, c, r, text) => {
    g.fillStyle = c[0]; g.fillRect(0, 0, w, h); g.fillStyle = c[1]; g.textAlign = 'center'; g.textBaseline = 'middle';
    const lines = text.split('|'); const size = Math.min(w / Math.max(...lines.map((l) => l.length)) * 1.45, h * 0.2); g.font = `600 ${size}px Fraunces`;
    lines.forEach((l, i) => g.fillText(l, w / 2, h / 2 + (i - (lines.length - 1) / 2) * size * 1.15)); g.fillStyle = c[2] ?? c[1]; g.fillRect(w * 0.4, h * 0.88, w * 0.2, 5);
  },
  dots: (g, w, h, c, r) => { g.fillStyle = c[0]; g.fillRect(0, 0, w, h); for (let y = 0; y < 12; y++) for (let x = 0; x < 9; x++) { g.fillStyle = c[1 + ((x * 3 + y) % (c.length - 1))]; g.beginPath(); g.arc((x + (y % 2 ? 0.9 : 0.4)) * w / 8.6, (y + 0.5) * h / 12, w * 0.035, 0, 7); g.fill(); } },
  leaves: (g, w, h, c, r) => { g.fillStyle = c[0]; g.fillRect(0, 0, w, h); for (let i = 0; i < 90; i++) { g.save(); g.translate(r() * w, r() * h); g.rotate(r() * 7); g.fillStyle = c[1 + (i % (c.length - 1))]; g.beginPath(); g.ellipse(0, 0, w * 0.07, w * 0.026, 0, 0, 7); g.fill(); g.restore(); } },
  lines: (g, w, h, c) => { g.fillStyle = c[0]; g.fillRect(0, 0, w, h); for (let i = 0; i < 26; i++) { g.fillStyle = c[1 + (i % (c.length - 1))]; g.fillRect((i * w) / 26, 0, w / 60, h); } },
  birds: (g, w, h, c, r) => { g.fillStyle = c[0]; g.fillRect(0, 0, w, h); for (let i = 0; i < 14; i++) { const x = w * r.between(0.12, 0.88), y = h * r.between(0.1, 0.8), s = w * r.between(0.05, 0.1); g.fillStyle = c[1 + (i % (c.length - 1))]; g.beginPath(); g.moveTo(x - s, y - s * 0.3); g.quadraticCurveTo(x - s * 0.4, y - s * 0.5, x, y); g.quadraticCurveTo(x + s * 0.4, y - s * 0.5, x + s, y - s * 0.3); g.quadraticCurveTo(x + s * 0.3, y - s * 0.1, x, y + s * 0.35); g.quadraticCurveTo(x - s * 0.3, y - s * 0.1, x - s, y - s * 0.3); g.fill(); } },
};
const picture = (p, r, w = 600, h = 800) => texture(w, h, (g) => (art[p.art] ?? art.hills)(g, w, h, p.inks ?? ['#f0e6d2', '#d98e3f', '#8fa39a', '#5f7d7a', '#33514f'], r, p.text ?? ''));

export const paper = {
  print(p, r) {
    const wide = p.wide ? 1.35 : 1, w = 1.2 * wide, h = p.wide ? 1.25 : 1.6, f = 0.07;
    const wood = p.frame === 'none' ? null : p.frame ? matt(p.frame, { roughness: 0.5 }) : matt('#fff', { map: surfaces.wood('#b98a58', r), roughness: 0.5 });
    const bars = wood ? [[w, f, 0, f / 2], [w, f, 0, h - f / 2]].map(([a, b, x, y]) => mesh(new THREE.BoxGeometry(a, b, 0.09), wood, x, y)).concat([-1, 1].map((s) => mesh(new THREE.BoxGeometry(f, h, 0.09), wood, s * (w / 2 - f / 2), h / 2))) : [];
    const mount = at(mesh(new THREE.BoxGeometry(w - 0.02, h - 0.02, 0.03), matt('#faf6ee')), 0, h / 2, -0.01);
    const image = at(sheet(w * (wood ? 0.7 : 0.84), h * (wood ? 0.74 : 0.86), picture(p, r, p.wide ? 900 : 640, p.wide ? 680 : 860)), 0, h / 2, 0.008);
    return at(group(at(group(bars, mount, image), 0, 0, 0, 0, -0.12)), 0, 0, 0, r.between(-0.4, -0.2));
  },
  card(p, r) {
    const w = 0.95, h = 1.3;
    const front = at(group(mesh(new THREE.BoxGeometry(w, h, 0.012), matt('#fbf7ef')), at(sheet(w * 0.98, h * 0.98, picture(p, r)), 0, 0, 0.008)), -0.1, h / 2, 0.1, 0.3, -0.1);
    const back = at(mesh(new THREE.BoxGeometry(w, h, 0.01), matt('#f2eadb')), 0.1, h / 2 - 0.01, -0.02, 0.02, -0.1);
    const env = p.flat ? null : at(slab(1.4, 0.014, 0.98, matt(p.envelope ?? '#cbb493'), 0, 0.005), 0.45, 0, 0.42, 0.4);
    return group(front, back, env);
  },
  notebook(p, r) {
    const w = p.w ?? 1.05, d = p.d ?? 1.45, t = p.t ?? 0.16, c = p.colour ?? '#2f4858';
    const cover = p.cloth ? matt(c, { bumpMap: surfaces.weave(r), bumpScale: 1 }) : physical({ color: c, roughness: 0.55, bumpMap: surfaces.grain(r), bumpScale: 0.4 });
    const one = (m) => group(slab(w, 0.03, d, m, 0, 0.012), at(slab(w * 0.97, t - 0.04, d * 0.975, matt('#f4ecdb'), 0, 0.008), 0, 0.025), slab(w, 0.03, d, m, t - 0.02, 0.012), at(mesh(new THREE.BoxGeometry(0.04, t * 0.98, d * 0.995), m), -w / 2 + 0.02, t / 2 + 0.004, 0));
    const top = p.art ? sheet(w * 0.96, d * 0.97, picture(p, r)) : p.text ? sheet(w * 0.56, w * 0.36, label({ maker: '', ...p, w: 480, h: 310 })) : null;
    if (top) { top.rotation.x = -Math.PI / 2; top.position.set(p.art ? 0.01 : 0.02, t + 0.013, p.art ? 0 : -d * 0.16); }
    const elastic = p.elastic ? mesh(new THREE.BoxGeometry(0.035, t + 0.03, d * 1.002), matt(p.elastic), w * 0.38, t / 2 + 0.006, 0) : null;
    const ribbon = p.ribbon ? at(mesh(new THREE.BoxGeometry(0.04, 0.008, 0.34), matt(p.ribbon)), 0.1, t * 0.5, d / 2 + 0.1, 0.1) : null;
    const book = group(one(cover), top, elastic, ribbon);
    return at(group(at(book, 0, p.n ? t * p.n : 0, 0, 0.12), p.n ? Array.from({ length: p.n }, (_, i) => at(one(matt((p.colours ?? ['#b98a58', '#7d8f84', '#a35a43'])[i % 3])), 0, t * i, 0, -0.1 + i * 0.09)) : null), 0, 0, 0, 0.38, 0);
  },
  pencils(p, r) {
    const cs = p.colours ?? ['#2f4858', '#b4552f', '#c9a04a', '#5f7d5f', '#8f4a5a', '#3d3a36'];
    const one = (c) => group(mesh(new THREE.CylinderGeometry(0.05, 0.05, 1.5, 6), physical({ color: c, roughness: 0.4, clearcoat: 0.4 }), 0, 0.75, 0), mesh(new THREE.CylinderGeometry(0.018, 0.05, 0.16, 24), matt('#dcb987'), 0, 1.58, 0), mesh(new THREE.ConeGeometry(0.018, 0.05, 20), matt(p.lead ? '#2b2b2b' : c), 0, 1.685, 0), mesh(new THREE.CylinderGeometry(0.051, 0.051, 0.05, 6), matt(p.end ?? '#e9dcc0'), 0, 0.02, 0));
    if (p.cup) return group(lathe([[0, 0.02], [0.36, 0.0], [0.38, 0.05], [0.38, 0.9], [0.35, 0.9], [0.34, 0.2]], matt('#fff', { map: surfaces.wood('#a9753f', r) }), false), cs.map((c, i) => at(one(c), Math.cos(i * 1.1) * 0.16, 0.1, Math.sin(i * 1.1) * 0.16, 0, Math.sin(i * 1.1) * 0.16, -Math.cos(i * 1.1) * 0.16)));
    return at(group(cs.map((c, i) => at(one(c), i * 0.125 - cs.length * 0.06, 0.05, r.between(-0.05, 0.05), 0, -Math.PI / 2 + 0.0))), 0, 0, 0, -0.75);
  },
  pen(p) {
    const b = physical({ color: p.colour ?? '#26313c', roughness: 0.2, clearcoat: 1 }), m = metal(p.trim ?? '#c8a250', { roughness: 0.2 });
    const pen = group(lathe([[0, 0], [0.06, 0.02], [0.085, 0.3], [0.085, 1.0]], b), cylinder(0.09, 0.09, 0.03, m, 1.0), cylinder(0.075, 0.088, 0.46, b, 1.03), lathe([[0.07, 1.49], [0.055, 1.55], [0.03, 1.78], [0.004, 1.84]], m), null);
    const cap = group(lathe([[0.1, 0], [0.105, 0.1], [0.1, 0.75], [0.06, 0.84], [0, 0.85]], b), cylinder(0.108, 0.108, 0.04, m, 0), at(slab(0.05, 0.55, 0.03, m), 0, 0.22, 0.12));
    return at(group(at(pen, -0.9, 0.1, 0, 0, 0, -Math.PI / 2), at(cap, -0.25, 0.11, 0.42, 0, 0, -Math.PI / 2)), 0, 0, 0, 0.6);
  },
  ink(p) {
    return group(slab(0.82, 0.62, 0.82, physical({ color: p.colour, roughness: 0.05, clearcoat: 1, emissive: p.colour, emissiveIntensity: 0.1 }), 0, 0.1), cylinder(0.24, 0.27, 0.12, physical({ color: p.colour, roughness: 0.1 }), 0.6), cylinder(0.31, 0.31, 0.22, physical({ color: '#22201e', roughness: 0.35 }), 0.68), at(sheet(0.56, 0.4, label({ ...p, w: 480, h: 340 })), 0, 0.31, 0.413)).rotateY(-0.4);
  },
  wrap(p, r) {
    const rolls = (p.sets ?? [p.inks]).map((inks, i) => { const t = picture({ ...p, inks }, r, 600, 600); t.wrapS = t.wrapT = THREE.RepeatWrapping; t.repeat.set(1.4, 2.4);
      const tubeMesh = mesh(new THREE.CylinderGeometry(0.15, 0.15, 2.1, 48, 1, true), matt('#fff', { map: t, side: THREE.DoubleSide }), 0, 1.05, 0);
      return at(group(tubeMesh, mesh(new THREE.CylinderGeometry(0.1, 0.1, 2.09, 30, 1, true), matt('#d6c3a1', { side: THREE.DoubleSide }), 0, 1.05, 0), cylinder(0.153, 0.153, 0.24, matt('#f3ead9'), 0.9)), i * 0.36, 0, (i % 2) * 0.18, i * 0.7, 0, 0.04 - i * 0.04); });
    return group(rolls);
  },
  sealing(p) { return group([0, 1, 2].map((i) => at(slab(0.16, 1.2, 0.16, physical({ color: (p.colours ?? ['#8f2f2a', '#27445a', '#b98a3a'])[i], roughness: 0.35, clearcoat: 0.5 }), 0, 0.03), i * 0.3 - 0.3, 0, 0, 0.2)), at(group(lathe([[0.12, 0], [0.13, 0.1], [0.08, 0.2], [0.12, 0.5], [0.1, 0.7], [0, 0.72]], matt('#6b4326', { roughness: 0.4 })), cylinder(0.14, 0.14, 0.08, metal('#c8a250'))), 0.75, 0, 0.1)); },
};
