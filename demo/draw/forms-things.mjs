// Toys, jewellery, the garden and the outdoors.
import * as THREE from 'three';
import { at, cylinder, glass, group, label, lathe, matt, mesh, metal, physical, plateOf, random, sheet, slab, surfaces, texture, tube } from './studio.mjs';

const wood = (colour, r) => matt('#fff', { map: surfaces.wood(colour, r), roughness: 0.6 });
const paint = (colour) => physical({ color: colour, roughness: 0.5, clearcoat: 0.25 });
const outline = (points) => { const s = new THREE.Shape(); s.moveTo(...points[0]); s.splineThru([...points.slice(1), points[0]].map(([x, y]) => new THREE.Vector2(x, y))); return s; };
const beasts = {
  whale: [[-1, 0.5], [-0.95, 0.8], [-0.6, 0.86], [0, 0.84], [0.5, 0.62], [0.85, 0.66], [1.08, 0.98], [1.12, 0.62], [0.9, 0.34], [0.5, 0.1], [0, 0], [-0.6, 0.02], [-0.95, 0.2]],
  bird: [[-0.95, 0.62], [-0.7, 0.68], [-0.55, 0.86], [-0.3, 0.84], [-0.15, 0.6], [0.35, 0.55], [1.05, 0.72], [0.8, 0.4], [0.4, 0.12], [0, 0], [-0.3, 0.05], [-0.6, 0.3], [-0.72, 0.56]],
  hare: [[-0.62, 0], [-0.7, 0.3], [-0.5, 0.62], [-0.1, 0.7], [0.2, 0.72], [0.3, 0.95], [0.2, 1.35], [0.3, 1.48], [0.42, 1.4], [0.48, 1.0], [0.68, 0.84], [0.72, 0.66], [0.5, 0.5], [0.42, 0.2], [0.5, 0], [0.1, 0.04]],
  bear: [[-0.9, 0], [-0.92, 0.4], [-0.8, 0.75], [-0.3, 0.86], [0.3, 0.82], [0.55, 0.95], [0.62, 1.06], [0.72, 0.97], [1.0, 0.78], [1.02, 0.64], [0.75, 0.52], [0.62, 0.3], [0.6, 0], [0.3, 0], [0.22, 0.28], [-0.3, 0.28], [-0.5, 0]],
  fox: [[-1.15, 0.2], [-0.8, 0.52], [-0.4, 0.5], [0.2, 0.56], [0.45, 0.8], [0.5, 1.02], [0.66, 0.86], [0.95, 0.66], [0.74, 0.52], [0.5, 0.36], [0.46, 0], [0.28, 0], [0.2, 0.26], [-0.3, 0.26], [-0.4, 0], [-0.58, 0], [-0.6, 0.28], [-0.9, 0.1]],
};
const wheel = (x, z, R, c, r) => group(at(mesh(new THREE.CylinderGeometry(R, R, 0.12, 40), wood(c, r)), x, R, z, 0, Math.PI / 2), at(mesh(new THREE.CylinderGeometry(R * 0.25, R * 0.25, 0.15, 24), wood('#7d5230', r)), x, R, z, 0, Math.PI / 2));
const gem = (p, R = 0.12) => p.gem ? mesh(new THREE.IcosahedronGeometry(R, p.smooth ? 4 : 1), physical({ color: p.gem, roughness: 0.06, clearcoat: 1, metalness: 0.1, flatShading: !p.smooth, emissive: p.gem, emissiveIntensity: 0.12 })) : null;
const gold = (p) => metal(p.metal === 'gold' ? '#d8ad5a' : p.metal === 'rose' ? '#d39a80' : '#d9dadb', { roughness: p.matt ? 0.42 : 0.16 });
const plinth = (h, c) => slab(1.5, h, 1.1, matt(c ?? '#e7ddcd'), 0, 0.02);
const leaf = (m, x, y, z, turn, lean, len = 0.5, wide = 0.16) => { const g = new THREE.SphereGeometry(1, 16, 12); g.translate(0, 1, 0); const l = mesh(g, m); l.scale.set(wide, len / 2, 0.025); return at(l, x, y, z, turn, lean); };

export const things = {
  blocks(p, r) {
    const cs = p.colours ?? ['#c96f3f', '#5f7d7a', '#d8ad5a', '#8f4a4a', '#e2d3b8'], n = p.n ?? 9, g = group();
    const cube = (i) => { const m = i % 3 === 2 && !p.all ? wood('#cfa570', r) : paint(cs[i % cs.length]); if (p.letters) { const ch = p.letters[i % p.letters.length]; const t = texture(128, 128, (c) => { c.fillStyle = '#d8b483'; c.fillRect(0, 0, 128, 128); c.fillStyle = cs[i % cs.length]; c.font = '600 92px Fraunces'; c.textAlign = 'center'; c.textBaseline = 'middle'; c.fillText(ch, 64, 70); }); return mesh(new THREE.BoxGeometry(0.46, 0.46, 0.46), matt('#fff', { map: t })); } return slab(0.46, 0.46, 0.46, m, -0.23, 0.03); };
    let k = 0; for (let y = 0; k < n; y++) { const row = Math.max(1, 4 - y); for (let x = 0; x < row && k < n; x++, k++) g.add(at(group(cube(k)), (x - (row - 1) / 2) * 0.52 + r.between(-0.02, 0.02), 0.23 + y * 0.46, r.between(-0.06, 0.06), r.between(-0.22, 0.22))); }
    return at(g, 0, 0, 0, -0.3);
  },
  stacker(p, r) {
    const cs = p.colours ?? ['#c96f3f', '#d8ad5a', '#8fa08f', '#5f7d7a', '#33514f'];
    return group(cylinder(0.68, 0.7, 0.1, wood('#c99a63', r)), cs.map((c, i) => { const R = 0.46 - i * 0.062; return at(mesh(new THREE.TorusGeometry(R, 0.15, 24, 60), p.natural ? wood(c, r) : paint(c)), 0, 0.24 + i * 0.27, 0, 0, Math.PI / 2); }), mesh(new THREE.SphereGeometry(0.18, 30, 24), wood('#a8703c', r), 0, 0.3 + cs.length * 0.27, 0));
  },
  wheels(p, r) {
    const body = p.beast ? at(group(plateOf(outline(beasts[p.beast]), 0.3, p.colour ? paint(p.colour) : wood('#c3925a', r), 0, 0.05)), 0, 0.18, 0.15, 0, Math.PI / 2)
      : p.kind === 'train' ? group(at(slab(1.7, 0.2, 0.5, wood('#b98552', r), 0.16)), at(slab(0.5, 0.62, 0.5, paint(p.colour), 0.34), -0.55), at(cylinder(0.2, 0.2, 1.0, paint(p.second ?? '#d8ad5a')), 0.75, 0.58, 0, 0, 0, Math.PI / 2).translateY(0.5), at(cylinder(0.1, 0.075, 0.34, wood('#7d5230', r)), 0.5, 0.9, 0))
        : p.kind === 'boat' ? group(plateOf(outline([[-1, 0.1], [-0.8, 0.36], [0, 0.42], [0.7, 0.34], [1.1, 0], [0.7, -0.34], [0, -0.42], [-0.8, -0.36], [-1, -0.1]]), 0.34, paint(p.colour), 0, 0.06), cylinder(0.035, 0.035, 1.2, wood('#a8703c', r), 0.3), at(mesh(new THREE.ShapeGeometry(new THREE.Shape([[0.06, 0.5], [0.8, 0.52], [0.06, 1.42]].map(([x, y]) => new THREE.Vector2(x, y)))), matt('#f4ecdb', { side: THREE.DoubleSide })), 0, 0, 0))
          : group(at(slab(1.7, 0.32, 0.62, paint(p.colour), 0.16, 0.08)), at(slab(p.kind === 'van' ? 1.3 : 0.85, 0.36, 0.56, paint(p.second ?? p.colour), 0.46, 0.1), p.kind === 'van' ? -0.15 : -0.05), p.kind === 'tractor' ? at(cylinder(0.06, 0.06, 0.4, wood('#7d5230', r)), 0.55, 0.66, 0) : null);
    const R = p.beast || p.kind === 'boat' ? 0.2 : 0.25;
    const wheels = p.kind === 'boat' || p.still ? [] : [[-0.55, 0.34], [0.55, 0.34], [-0.55, -0.34], [0.55, -0.34]].map(([x, z], i) => wheel(x, z * (p.beast ? 0.7 : 1), p.kind === 'tractor' && x < 0 ? 0.36 : R, '#dcb987', r));
    return at(group(body, wheels), 0, 0, 0, -0.5);
  },
  top(p) {
    const c = p.colours ?? ['#c96f3f', '#e2d3b8', '#33514f'];
    const one = (k, s) => { const g = group(lathe([[0, 0], [0.05, 0.04], [0.5, 0.42], [0.56, 0.52]], paint(c[k % c.length]), false), lathe([[0.56, 0.52], [0.52, 0.6], [0.3, 0.66]], paint(c[(k + 1) % c.length]), false), lathe([[0.3, 0.66], [0.1, 0.7], [0.07, 0.8], [0.06, 1.1], [0, 1.12]], paint(c[(k + 2) % c.length]), false)); g.scale.setScalar(s); return g; };
    return group(at(one(0, 1), -0.45, 0.07, 0, 0, 0, 0.62), at(one(1, 0.8), 0.55, 0.06, 0.2, 0, 0, -0.66));
  },
  skittles(p, r) {
    const cs = p.colours ?? ['#c96f3f', '#d8ad5a', '#5f7d7a', '#8f4a4a', '#33514f', '#8fa08f'];
    return group(cs.map((c, i) => at(group(lathe([[0, 0], [0.16, 0], [0.2, 0.3], [0.13, 0.66], [0.08, 0.78]], paint(c)), mesh(new THREE.SphereGeometry(0.13, 28, 20), wood('#d8b483', r), 0, 0.88, 0)), (i % 3) * 0.52 - 0.52 + (i > 2 ? 0.22 : 0), 0, i > 2 ? -0.46 : 0)), mesh(new THREE.SphereGeometry(0.2, 30, 24), wood('#a8703c', r), -0.1, 0.2, 0.62));
  },
  puzzle(p, r) {
    const inks = p.inks ?? ['#f0e6d2', '#d98e3f', '#8fa39a', '#5f7d7a', '#33514f'];
    const g = group(slab(1.8, 0.07, 1.4, wood('#c3925a', r), 0, 0.03));
    const nx = p.nx ?? 4, nz = p.nz ?? 3;
    for (let x = 0; x < nx; x++) for (let z = 0; z < nz; z++) { const out = x === nx - 1 && z === nz - 1; g.add(at(group(slab(1.56 / nx, 0.08, 1.16 / nz, paint(inks[(x * 2 + z * 3) % inks.length]), 0, 0.025), p.discs ? cylinder(0.11, 0.11, 0.06, paint(inks[(x + z) % inks.length]), 0.08) : null), (x + 0.5 - nx / 2) * (1.62 / nx) + (out ? 0.5 : 0), out ? 0 : 0.06, (z + 0.5 - nz / 2) * (1.22 / nz) + (out ? 0.55 : 0), out ? 0.5 : 0)); }
    return at(g, 0, 0, 0, 0.4);
  },
  balls(p, r) { return group((p.colours ?? ['#c96f3f', '#d8ad5a', '#5f7d7a']).map((c, i) => mesh(new THREE.SphereGeometry(0.34 - i * 0.02, 40, 30), p.wool ? matt(c, { bumpMap: surfaces.grain(r), bumpScale: 5 }) : paint(c), [-0.5, 0.28, -0.02, 0.8][i], 0.34 - i * 0.02, [0, -0.2, 0.55, 0.4][i]))); },
  rattle(p, r) {
    return at(group(at(lathe([[0, 0], [0.1, 0.02], [0.07, 0.2], [0.08, 0.7], [0.14, 0.76]], wood('#d2a56c', r)), 0, 0, 0), at(mesh(new THREE.TorusGeometry(0.36, 0.085, 20, 60), wood('#d2a56c', r)), 0, 1.16, 0), (p.colours ?? ['#c96f3f', '#8fa08f', '#d8ad5a']).map((c, i) => at(mesh(new THREE.TorusGeometry(0.13, 0.06, 16, 40), paint(c)), (i - 1) * 0.3, 0.86 + Math.abs(i - 1) * 0.08, 0, Math.PI / 2 + i * 0.3))), 0, 0.1, 0, 0.3, -1.2);
  },
  ring(p) {
    const m = gold(p), one = (s, w) => { const t = mesh(new THREE.TorusGeometry(0.42, w, 24, 90), m); if (p.flat) t.scale.z = 2.2; if (p.hammered) { const q = t.geometry.attributes.position, r = random(p.hammered + ''); for (let i = 0; i < q.count; i++) { const k = 1 + (r() - 0.5) * 0.022; q.setXYZ(i, q.getX(i) * k, q.getY(i) * k, q.getZ(i) * k); } t.geometry.computeVertexNormals(); } t.scale.multiplyScalar(s); return t; };
    const w = p.thick ?? 0.05, stone = gem(p, 0.14);
    if (stone) { stone.position.y = 0.42 + w + 0.07; stone.scale.y = 0.7; }
    const upright = at(group(one(1, w), stone, stone ? cylinder(0.12, 0.08, 0.07, m, 0.43 + w - 0.04) : null), -0.1, 0.62 + w, 0, 0.65, 0.0, 0.1);
    return group(plinth(0.2, p.plinth), at(group(upright), 0, 0.0, 0), p.pair ? at(one(0.94, w * 1.2), 0.36, 0.2 + w, 0.28, 0, Math.PI / 2) : null);
  },
  earrings(p) {
    const m = gold(p), rail = group(cylinder(0.03, 0.03, 1.25, metal('#b5895a', { roughness: 0.35 }), 0.1), at(mesh(new THREE.CapsuleGeometry(0.03, 0.9, 6, 14), metal('#b5895a', { roughness: 0.35 })), 0, 1.35, 0, 0, 0, Math.PI / 2), slab(0.9, 0.1, 0.5, matt('#e7ddcd')));
    const drop = (x) => {
      const hook = tube([[x, 1.3, 0.06], [x, 1.4, 0], [x, 1.3, -0.06], [x, 1.18, -0.02], [x, 1.1, 0]], 0.012, m), s = gem(p, 0.13);
      const part = p.kind === 'hoop' ? at(mesh(new THREE.TorusGeometry(p.big ? 0.27 : 0.19, 0.028, 16, 70), m), x, p.big ? 0.84 : 0.92, 0, 0.5)
        : p.kind === 'leaf' ? group(at(leaf(m, 0, 0, 0, 0.3, Math.PI, 0.55, 0.13), x, 1.1, 0, 0.3, Math.PI)) : p.kind === 'disc' ? at(cylinder(0.2, 0.2, 0.03, m), x, 0.9, 0, 0.35, Math.PI / 2) : p.kind === 'bar' ? at(slab(0.07, 0.5, 0.03, m), x, 0.6, 0) : at(mesh(new THREE.SphereGeometry(0.07, 24, 18), m), x, 1.05, 0);
      if (s) { s.position.set(x, p.kind ? 0.5 : 0.86, 0); s.scale.y = 1.35; }
      return group(hook, part, s);
    };
    return group(rail, drop(-0.28), drop(0.28));
  },
  studs(p) { const m = gold(p); return group(plinth(0.2, p.plinth), [-0.3, 0.3].map((x) => { const s = p.gem ? gem(p, 0.2) : p.kind === 'square' ? slab(0.3, 0.08, 0.3, m, 0, 0.02) : p.kind === 'disc' ? cylinder(0.2, 0.2, 0.06, m) : mesh(new THREE.SphereGeometry(0.19, 40, 30), m); return at(group(s, p.gem ? cylinder(0.2, 0.16, 0.1, m, -0.12) : null), x, p.kind ? 0.24 : 0.38, 0.1, 0.2, p.kind ? 0.5 : 0); })); },
  necklace(p) {
    const m = gold(p), bust = lathe([[0, 0], [0.55, 0], [0.6, 0.1], [0.5, 0.5], [0.42, 0.86], [0.3, 1.15], [0.27, 1.55], [0, 1.6]], matt(p.plinth ?? '#ded3c2'));
    bust.scale.z = 0.62;
    const line = Array.from({ length: 41 }, (_, i) => { const a = (i / 40) * Math.PI * 2, low = (1 - Math.cos(a)) / 2; const y = 1.38 - low * 0.62; const R = 0.3 + low * 0.17 + 0.012; return [Math.sin(a) * R * (1 - low * 0.1), y, -Math.cos(a) * (R * 0.66) ]; });
    const chain = p.beads ? group(line.map(([x, y, z], i) => mesh(new THREE.SphereGeometry(0.055, 20, 14), i % 5 === 2 ? m : physical({ color: p.beads, roughness: 0.15, clearcoat: 1 }), x, y, z + 0.01))) : tube(line, p.heavy ? 0.024 : 0.013, m, true);
    const [, y, z] = line[20], s = gem(p, 0.12);
    const pend = p.beads ? null : group(p.kind === 'disc' ? at(cylinder(0.15, 0.15, 0.03, m), 0, y - 0.17, z + 0.05, 0, Math.PI / 2 - 0.2) : p.kind === 'bar' ? at(slab(0.36, 0.07, 0.035, m), 0, y - 0.08, z + 0.03) : p.kind === 'leaf' ? leaf(m, 0, y, z + 0.04, 0, Math.PI + 0.2, 0.4, 0.09) : p.kind === 'ring' ? at(mesh(new THREE.TorusGeometry(0.13, 0.024, 14, 50), m), 0, y - 0.13, z + 0.05, 0, -0.25) : null, s ? at(s, 0, y - 0.13, z + 0.07) : null);
    return at(group(bust, chain, pend), 0, 0, 0, 0.15);
  },
  bangle(p) { const m = gold(p), t = (y, a) => { const g = mesh(new THREE.TorusGeometry(0.62, p.thick ?? 0.045, 20, 100), m); if (p.flat) g.scale.z = 2.4; return at(g, 0, y, 0, 0, Math.PI / 2 + a); }; return group(Array.from({ length: p.n ?? 1 }, (_, i) => t(0.08 + i * 0.11, (i % 2 ? 0.1 : -0.07))), p.charm ? at(gem({ gem: p.charm, smooth: true }, 0.1), 0.3, 0.1, 0.62) : null); },
  brooch(p) { const m = gold(p); return at(group(at(slab(1.3, 0.1, 1.3, matt(p.felt ?? '#4b5a52'), 0, 0.02)), Array.from({ length: 5 }, (_, i) => leaf(m, -0.02 + (i - 2) * 0.1, 0.13, 0.25 - Math.abs(i - 2) * 0.03, (i - 2) * 0.42, -1.45, 0.62, 0.12)), p.gem ? at(gem({ ...p, smooth: true }, 0.09), 0, 0.2, 0.28) : null), 0, 0, 0, 0.3); },

  planter(p, r) {
    const c = p.colour ?? '#b8653f', m = matt('#fff', { map: surfaces.speckle(c, r, 'rgba(255,230,210,.25)', 300), bumpMap: surfaces.grain(r), bumpScale: 0.4, side: THREE.DoubleSide }), w = p.w ?? 0.55, h = p.h ?? 0.78;
    const body = p.round ? lathe([[0, 0], [w * 0.6, 0], [w, h * 0.35], [w, h * 0.7], [w * 0.78, h], [w * 0.7, h * 0.96]], m) : lathe([[0, 0], [w * 0.7, 0], [w * 0.95, h * 0.76], [w * 1.06, h * 0.76], [w * 1.08, h], [w * 0.98, h], [w * 0.9, h * 0.8]], m, false);
    const soil = cylinder(w * 0.9, w * 0.9, 0.02, matt('#3b2c22'), h * 0.88);
    const green = ['#5d7a4a', '#6f8d5a', '#4c6b47'];
    const plant = p.plant === 'none' ? null : Array.from({ length: p.plant === 'herb' ? 60 : 22 }, (_, i) => { const a = r() * 7, herb = p.plant === 'herb'; return leaf(matt(herb ? (p.green ?? green[i % 3]) : green[i % 3]), Math.cos(a) * r() * w * 0.5, h * 0.88 + (herb ? r() * 0.45 : 0), Math.sin(a) * r() * w * 0.5, a, r.between(0.15, herb ? 1.2 : 0.75), herb ? r.between(0.16, 0.3) : r.between(0.6, 1.05), herb ? 0.07 : 0.085); });
    const set = p.n ? Array.from({ length: p.n - 1 }, (_, i) => { const k = body.clone(); k.scale.setScalar(0.82 - i * 0.18); return at(k, (i ? -0.9 : 0.95), 0, i ? 0.35 : 0.1); }) : null;
    return group(body, soil, plant, set, p.saucer ? cylinder(w * 0.95, w * 0.8, 0.08, m) : null);
  },
  seeds(p, r) {
    const c = p.inks ?? ['#f0e6d2', '#c96f3f', '#5d7a4a'];
    const face = texture(520, 720, (g, w, h) => {
      g.fillStyle = c[0]; g.fillRect(0, 0, w, h); g.fillStyle = c[2]; g.fillRect(0, h * 0.83, w, h * 0.17); g.strokeStyle = c[2]; g.lineWidth = 7;
      for (let i = 0; i < 5; i++) { const x = w * (0.2 + i * 0.15), y = h * r.between(0.42, 0.56); g.beginPath(); g.moveTo(w * 0.5, h * 0.83); g.quadraticCurveTo(x, h * 0.74, x, y); g.stroke();
        g.fillStyle = c[2]; g.beginPath(); g.ellipse(x + 12, h * 0.72, 34, 11, -0.5, 0, 7); g.fill(); g.fillStyle = c[1];
        if (p.veg === 'root') { g.beginPath(); g.ellipse(x, y, 26, 64, 0, 0, 7); g.fill(); } else if (p.veg === 'round') { g.beginPath(); g.arc(x, y, 44, 0, 7); g.fill(); } else if (p.veg === 'pod') { g.beginPath(); g.ellipse(x, y, 17, 74, 0.3, 0, 7); g.fill(); } else if (p.veg === 'leaf') { for (let k = -2; k < 3; k++) { g.beginPath(); g.ellipse(x + k * 13, y + Math.abs(k) * 8, 20, 54, k * 0.35, 0, 7); g.fill(); } } else { for (let k = 0; k < 8; k++) { g.beginPath(); g.ellipse(x + Math.cos(k * 0.785) * 27, y + Math.sin(k * 0.785) * 27, 22, 13, k * 0.785, 0, 7); g.fill(); } g.fillStyle = c[3] ?? '#e2b23c'; g.beginPath(); g.arc(x, y, 15, 0, 7); g.fill(); } }
      g.fillStyle = '#2e2a26'; g.textAlign = 'center'; let s = 62; g.font = `600 ${s}px Fraunces`; const words = (p.text ?? '').split(' '), lines = words.length > 1 ? [words.slice(0, Math.ceil(words.length / 2)).join(' '), words.slice(Math.ceil(words.length / 2)).join(' ')] : words;
      while (lines.some((l) => g.measureText(l).width > w - 60)) { s -= 3; g.font = `600 ${s}px Fraunces`; } lines.forEach((l, i) => g.fillText(l, w / 2, h * 0.14 + i * s * 1.1));
      g.fillStyle = '#f6efdf'; g.font = '400 30px Karla'; g.letterSpacing = '4px'; g.fillText((p.maker ?? '').toUpperCase(), w / 2, h * 0.93);
    });
    const one = (x, z, t, front) => at(group(mesh(new THREE.BoxGeometry(0.9, 1.24, 0.03), matt(c[0])), front ? at(sheet(0.895, 1.235, face), 0, 0, 0.017) : null), x, 0.61, z, t, -0.16);
    return group(one(0, 0.1, 0.1, true), one(0.24, -0.1, -0.12, true));
  },
  handTool(p, r) {
    const steel = metal(p.steel ?? '#a9adb0', { roughness: 0.34 }), grip = group(lathe([[0, 0], [0.09, 0.02], [0.11, 0.15], [0.085, 0.5], [0.1, 0.75], [0.06, 0.86]], wood(p.colour ?? '#b07a44', r)), cylinder(0.065, 0.075, 0.1, metal('#c8a250'), 0.82), cylinder(0.03, 0.035, 0.4, steel, 0.9));
    let head;
    if (p.kind === 'fork') head = group(slab(0.46, 0.06, 0.06, steel, 1.28), [-0.2, 0, 0.2].map((x) => tube([[x, 1.3, 0], [x, 1.6, 0.05], [x, 1.95, 0.02]], 0.03, steel)));
    else if (p.kind === 'shears') return at(group([-1, 1].map((s) => at(group(at(tube([[0, 0, 0], [0.16, 0.35, 0], [0.2, 0.75, 0], [0.04, 1.05, 0]], 0.06, matt(p.colour ?? '#8f3f2f')), 0, 0, 0), plateOf(outline([[-0.06, 1.0], [0.1, 1.1], [0.12, 1.6], [0, 2.0], [-0.05, 1.5]]), 0.04, steel).rotateX(Math.PI / 2)), 0, 0.04, s * 0.02, s > 0 ? 0 : Math.PI, 0, s * 0.1))), 0, 0.1, 0, 0.5, -1.5);
    else if (p.kind === 'dibber') return at(group(lathe([[0, 0], [0.02, 0.02], [0.09, 0.4], [0.12, 0.9], [0.09, 1.2], [0.16, 1.35], [0.12, 1.5], [0, 1.52]], wood(p.colour ?? '#b07a44', r))), 0, 0.14, 0, 0.4, -1.35, 0.5);
    else { head = mesh(new THREE.SphereGeometry(0.3, 40, 24, 0, Math.PI * 2, 0, Math.PI / 1.9), steel); steel.side = THREE.DoubleSide; head.scale.set(p.narrow ? 0.55 : 0.85, 0.42, p.narrow ? 1.7 : 1.45); head.rotation.x = Math.PI / 2; head.position.set(0, 1.68, 0.0); }
    return at(group(at(group(grip, head), 0, 0, 0)), 0, 0.14, 0, p.kind === 'fork' ? 0.6 : 0.45, -1.48);
  },
  can(p, r) {
    const m = physical({ color: p.colour ?? '#5d7a6a', metalness: p.bare ? 1 : 0.2, roughness: 0.38, side: THREE.DoubleSide });
    return at(group(lathe([[0, 0], [0.52, 0], [0.54, 0.04], [0.5, 0.8], [0.3, 0.94]], m, false), tube([[0.48, 0.2, 0], [0.85, 0.5, 0], [1.3, 1.02, 0]], 0.07, m), at(cylinder(0.2, 0.08, 0.16, metal('#c8a250')), 1.33, 0.98, 0, 0, 0, -0.75), tube([[-0.5, 0.25, 0], [-0.85, 0.6, 0], [-0.55, 1.12, 0], [0, 1.2, 0], [0.22, 0.95, 0]], 0.045, m)), 0, 0, 0, -0.35);
  },
  twine(p, r) {
    const spool = (c, s) => { const m = matt(c, { bumpMap: surfaces.weave(r), bumpScale: 1 }); const g = group(Array.from({ length: 15 }, (_, i) => at(mesh(new THREE.TorusGeometry(0.36 + Math.sin((i / 14) * Math.PI) * 0.06, 0.036, 10, 60), m), 0, 0.1 + i * 0.056, 0, 0, Math.PI / 2, 0)), cylinder(0.36, 0.36, 0.86, m, 0.07), p.spool ? [cylinder(0.5, 0.5, 0.07, wood('#b98552', r)), cylinder(0.5, 0.5, 0.07, wood('#b98552', r), 0.93)] : null); g.scale.setScalar(s); return g; };
    const cs = p.colours ?? ['#b79a68', '#6f8458'];
    return group(at(spool(cs[0], 1), -0.4, 0, 0), cs[1] ? at(spool(cs[1], 0.85), 0.55, 0, -0.15) : null);
  },
  basket(p, r) {
    const m = (i) => matt(i % 2 ? p.colour ?? '#b78a54' : p.second ?? '#a3763f', { bumpMap: surfaces.weave(r), bumpScale: 2 });
    const rows = Array.from({ length: 11 }, (_, i) => { const t = at(mesh(new THREE.TorusGeometry(0.6 + i * 0.022, 0.05, 10, 60), m(i)), 0, 0.06 + i * 0.07, 0, 0, Math.PI / 2); t.scale.x = 1.35; return t; });
    const base = cylinder(0.6, 0.6, 0.04, m(0)); base.scale.x = 1.35;
    return at(group(base, rows, p.handle === false ? null : tube([[-0.86, 0.8, 0], [-0.7, 1.25, 0], [0, 1.55, 0], [0.7, 1.25, 0], [0.86, 0.8, 0]], 0.05, m(1)), p.fill ? Array.from({ length: 14 }, () => mesh(new THREE.SphereGeometry(0.2, 24, 18), matt(p.fill), r.between(-0.55, 0.55), 0.7 + r() * 0.1, r.between(-0.35, 0.35))) : null), 0, 0, 0, 0.25);
  },
  birdhouse(p, r) {
    const m = p.colour ? paint(p.colour) : wood('#b98552', r), roof = wood('#7d5a3c', r);
    return at(group(slab(0.9, 1.05, 0.8, m, 0, 0.02), at(slab(0.78, 0.06, 1.0, roof, 0), -0.3, 1.1, 0, 0, 0, 0.62), at(slab(0.78, 0.06, 1.0, roof, 0), 0.3, 1.1, 0, 0, 0, -0.62), at(mesh(new THREE.CircleGeometry(p.feeder ? 0.26 : 0.14, 40), matt('#241c16')), 0, 0.66, 0.406), at(cylinder(0.03, 0.03, 0.3, roof), 0, 0.4, 0.4, 0, Math.PI / 2)), 0, 0, 0, -0.45);
  },
  lantern(p) {
    const m = metal(p.colour ?? '#3a3d3f', { roughness: 0.45 }), light = new THREE.MeshBasicMaterial({ color: '#ffd98a' });
    const flame = mesh(new THREE.SphereGeometry(0.07, 20, 16), light, 0, 0.72, 0); flame.scale.y = 1.9;
    return group(lathe([[0, 0], [0.46, 0], [0.48, 0.06], [0.42, 0.26], [0.3, 0.3]], m, false), cylinder(0.14, 0.16, 0.32, matt('#f0e4cc'), 0.3), flame, lathe([[0.3, 0.3], [0.38, 0.5], [0.38, 0.85], [0.28, 1.05]], glass('#fff4dd', 0.22)), [0, 1, 2, 3].map((i) => tube([[Math.cos(i * 1.57 + 0.6) * 0.42, 0.26, Math.sin(i * 1.57 + 0.6) * 0.42], [Math.cos(i * 1.57 + 0.6) * 0.43, 0.7, Math.sin(i * 1.57 + 0.6) * 0.43], [Math.cos(i * 1.57 + 0.6) * 0.3, 1.1, Math.sin(i * 1.57 + 0.6) * 0.3]], 0.02, m)), lathe([[0.36, 1.05], [0.34, 1.12], [0.16, 1.26], [0.14, 1.34], [0, 1.38]], m, false), at(mesh(new THREE.TorusGeometry(0.34, 0.018, 10, 60, Math.PI), m), 0, 1.25, 0));
  },
  flask(p) {
    const m = physical({ color: p.colour ?? '#3f5a4c', metalness: 0.25, roughness: 0.46, clearcoat: 0.2 }), st = metal('#c9ccce', { roughness: 0.25 });
    return group(lathe([[0, 0], [0.33, 0], [0.35, 0.04], [0.35, 1.35], [0.3, 1.48], [0.24, 1.54]], m, false), cylinder(0.24, 0.24, 0.06, st, 1.52), cylinder(0.28, 0.28, 0.3, p.cup ? st : physical({ color: p.cap ?? '#26241f', roughness: 0.5 }), 1.57), cylinder(0.352, 0.352, 0.05, st, 0.02), p.handle ? at(mesh(new THREE.TorusGeometry(0.16, 0.03, 12, 40), st), 0, 1.95, 0, 0.5) : null);
  },
  /** A tool that folds or fits a pocket: knife, spork, striker. */
  pocket(p, r) {
    const s = new THREE.Shape(); s.moveTo(0, 0); s.quadraticCurveTo(0.9, 0.02, 1.25, 0.2); s.quadraticCurveTo(0.8, 0.3, 0, 0.28); s.closePath();
    return at(group(at(slab(1.4, 0.16, 0.28, wood(p.colour ?? '#8a5a33', r), 0, 0.06), -0.7, 0, 0), [-1.2, -0.2].map((x) => cylinder(0.05, 0.05, 0.165, metal('#c8a250'), 0).translateX(x)), p.kind === 'striker' ? at(cylinder(0.06, 0.06, 1.2, metal('#4a4b4e', { roughness: 0.5 })), 0.55, 0.08, 0, 0, 0, Math.PI / 2) : at(plateOf(s, 0.04, metal('#d3d6d9', { roughness: 0.2 }), 0.06, 0.01), 0, 0, 0.14)), 0, 0, 0, 0.5);
  },
  bell(p) { const m = metal(p.colour ?? '#c09548', { roughness: 0.25, side: THREE.DoubleSide }); return group(lathe([[0.7, 0], [0.62, 0.1], [0.46, 0.5], [0.36, 0.8], [0, 0.92]], m), at(mesh(new THREE.TorusGeometry(0.13, 0.035, 12, 40), m), 0, 1.04, 0)); },
  hook(p) { const m = metal(p.colour ?? '#333436', { roughness: 0.5 }); return at(group(slab(1.7, 0.24, 0.08, matt('#b98552'), 0.6), [-0.55, 0, 0.55].map((x) => tube([[x, 0.8, 0.06], [x, 0.5, 0.1], [x, 0.34, 0.24], [x, 0.42, 0.4], [x, 0.55, 0.42]], 0.038, m))), 0, 0, 0, -0.3); },
};
