// Jars, bottles, tins, bags, boxes and what is eaten from them.
import * as THREE from 'three';
import { at, cylinder, glass, glaze, group, label, lathe, matt, mesh, metal, physical, sheet, slab, surfaces, texture, tube, wrap } from './studio.mjs';

const shade = (colour, by) => `#${new THREE.Color(colour).offsetHSL(0, 0, by).getHexString()}`;

export const pantry = {
  jar(p, r) {
    const w = p.squat ? 0.56 : 0.46, h = p.squat ? 0.72 : 1.0;
    const inside = lathe([[0, 0.03], [w - 0.05, 0.03], [w - 0.03, 0.1], [w - 0.03, h * 0.76], [w - 0.1, h * 0.9], [0, h * 0.9]], physical({
      color: p.fill ?? '#c8801f', roughness: p.chunky ? 0.7 : 0.12, clearcoat: 0.8, map: p.chunky ? surfaces.speckle(p.fill, r, p.bits ?? 'rgba(40,20,10,.5)', 900) : null,
      emissive: p.fill ?? '#c8801f', emissiveIntensity: 0.14,
    }), false);
    const shell = lathe([[0, 0], [w - 0.02, 0], [w, 0.05], [w, h * 0.76], [w - 0.07, h * 0.9], [w - 0.07, h]], glass('#ffffff', 0.2), false);
    const lidColour = p.lid ?? '#c9a44a';
    const lid = p.cloth
      ? lathe([[0, h + 0.13], [w * 0.6, h + 0.13], [w * 0.86, h + 0.1], [w * 0.9, h - 0.02], [w * 1.12, h - 0.14]], matt('#fff', { map: surfaces.check('#f4ede0', p.lid ?? '#b3493a', 14), side: THREE.DoubleSide }), false)
      : lathe([[0, h + 0.11], [w - 0.07, h + 0.11], [w - 0.03, h + 0.09], [w - 0.03, h - 0.04], [w - 0.06, h - 0.05]], metal(lidColour, { roughness: 0.35 }), false);
    const band = wrap(w + 0.006, h * 0.46, h * 0.18, 2.3, label({ ...p, w: 760, h: 400 }));
    return group(inside, shell, lid, band);
  },
  bottle(p) {
    const w = p.w ?? 0.3, h = p.h ?? 1.55, dark = p.glass ?? '#3c4a22';
    const body = lathe([[0, 0], [w - 0.03, 0], [w, 0.05], [w, h * 0.56], [w * 0.9, h * 0.64], [w * 0.4, h * 0.76], [w * 0.33, h * 0.84], [w * 0.33, h], [w * 0.4, h], [w * 0.4, h + 0.03], [0, h + 0.03]],
      physical({ color: dark, roughness: 0.08, clearcoat: 1, transparent: false, emissive: dark, emissiveIntensity: 0.1 }), false);
    const cap = cylinder(w * 0.42, w * 0.42, h * 0.1, matt(p.cap ?? '#2b2622', { roughness: 0.5 }), h - 0.02);
    return group(body, cap, wrap(w + 0.005, h * 0.34, h * 0.13, 2.5, label({ ...p, w: 620, h: 440 })));
  },
  tin(p) {
    const w = p.w ?? 0.46, h = p.h ?? 0.95, c = p.colour ?? '#2f4a46';
    return group(cylinder(w, w, h, physical({ color: c, metalness: 0.35, roughness: 0.42, clearcoat: 0.3 })),
      cylinder(w + 0.012, w + 0.012, 0.2, physical({ color: p.top ?? shade(c, -0.03), metalness: 0.4, roughness: 0.38 }), h - 0.08),
      cylinder(w - 0.03, w - 0.01, 0.02, physical({ color: p.top ?? c, metalness: 0.4, roughness: 0.4 }), h + 0.12),
      wrap(w + 0.006, h * 0.56, h * 0.16, 2.1, label({ ...p, w: 660, h: 440 })));
  },
  /** A flat, shallow tin: balm, pastilles, fish. */
  flatTin(p) {
    const map = label({ ...p, w: 512, h: 512, plain: true });
    const top = mesh(new THREE.CircleGeometry(0.56, 64), matt('#fff', { map, roughness: 0.5 }), 0, 0.301, 0); top.rotation.x = -Math.PI / 2;
    const g = group(cylinder(0.62, 0.62, 0.26, metal(p.colour ?? '#b9b5ac', { roughness: 0.36 })), cylinder(0.6, 0.62, 0.04, metal(p.colour ?? '#b9b5ac', { roughness: 0.3 }), 0.26), top);
    return group(at(g, 0, 0.62, 0, 0.1, 1.15), at(cylinder(0.62, 0.62, 0.26, metal(p.colour ?? '#b9b5ac', { roughness: 0.36 })), 0, 0, -0.62));
  },
  bag(p, r) {
    const c = p.colour ?? '#c9a87c', w = p.w ?? 0.92, h = p.h ?? 1.35, d = 0.5;
    const g = new THREE.BoxGeometry(w, h, d, 14, 22, 10), q = g.attributes.position;
    for (let i = 0; i < q.count; i++) {
      const y = q.getY(i) / h + 0.5, z = q.getZ(i), x = q.getX(i);
      const belly = 1 + 0.13 * Math.sin(Math.min(y * 1.25, 1) * Math.PI);
      const pinch = y > 0.72 ? 1 - ((y - 0.72) / 0.28) ** 0.8 * 0.94 : 1;
      q.setZ(i, z * belly * pinch + (r() - 0.5) * 0.012); q.setX(i, x * (1 + 0.03 * Math.sin(y * Math.PI)) + (r() - 0.5) * 0.008);
    }
    g.computeVertexNormals();
    const bump = surfaces.grain(r);
    const body = mesh(g, matt(c, { bumpMap: bump, bumpScale: 0.6 }), 0, h / 2, 0);
    const fold = slab(w * 0.99, 0.2, 0.1, matt(shade(c, -0.04), { bumpMap: bump, bumpScale: 0.6 }), h - 0.13, 0.03);
    const card = sheet(w * 0.66, w * 0.6, label({ ...p, w: 600, h: 540 }), { polygonOffset: true, polygonOffsetFactor: -2 }); at(card, 0, h * 0.4, d / 2 * 1.135 + 0.012);
    return group(body, fold, card);
  },
  /** A coloured stand-up pouch with a crimped top and a pale label. */
  pouch(p, r) {
    const pouch = pantry.bag({ paper: '#f1e9da', colour: '#7d5f3a', h: 1.45, w: 0.95, ...p }, r);
    pouch.children[0].material.roughness = 0.55;
    return pouch;
  },
  box(p, r) {
    const w = p.w ?? 0.9, h = p.h ?? 1.1, d = p.d ?? 0.42, c = p.colour ?? '#d9cbb3';
    const body = slab(w, h, d, matt(c, { roughness: 0.7 }), 0, 0.012);
    const front = sheet(w * 0.99, h * 0.98, label({ paper: c, ...p, w: Math.round(600 * w), h: Math.round(600 * h) })); at(front, 0, h / 2, d / 2 + 0.004);
    return at(group(body, front), 0, 0, 0, r.between(-0.5, -0.3));
  },
  chocolate(p) {
    const bar = (c) => slab(0.78, 1.5, 0.1, matt(c, { roughness: 0.6 }), 0, 0.012);
    const front = sheet(0.77, 1.48, label({ ...p, w: 480, h: 900 })); at(front, 0, 0.75, 0.056);
    const one = at(group(bar(p.paper ?? '#5a3a2a'), front), 0, 0, 0, 0, -0.16);
    return group(one, at(slab(0.78, 1.5, 0.1, matt(shade(p.paper ?? '#5a3a2a', -0.06)), 0, 0.012), 0.12, 0, -0.14, 0.06, -0.16));
  },
  loaf(p, r) {
    const g = new THREE.SphereGeometry(0.7, 64, 40), q = g.attributes.position;
    for (let i = 0; i < q.count; i++) q.setXYZ(i, q.getX(i) * 1.45, Math.max(q.getY(i) * 0.75, -0.3) + r() * 0.008, q.getZ(i) * 0.85);
    g.computeVertexNormals();
    const crust = texture(512, 256, (c, w, h) => {
      c.fillStyle = p.fill ?? '#a8692f'; c.fillRect(0, 0, w, h);
      for (let i = 0; i < 2600; i++) { c.fillStyle = r() < 0.5 ? 'rgba(255,240,215,.22)' : 'rgba(70,30,10,.2)'; c.fillRect(r() * w, r() * h, 1 + r() * 7, 1 + r() * 4); }
    });
    const cuts = [-0.5, -0.12, 0.26].map((x) => { const t = tube([[x, 0.42, -0.3], [x + 0.12, 0.54, 0], [x + 0.24, 0.42, 0.3]], 0.045, matt('#e9cf9f')); t.scale.y = 0.98; return t; });
    return at(group(at(group(mesh(g, matt('#fff', { map: crust, bumpMap: surfaces.grain(r), bumpScale: 1 })), ...cuts), 0, 0.3)), 0, 0, 0, 0.35);
  },
  cheese(p, r) {
    const s = new THREE.Shape(); s.moveTo(0, 0); s.lineTo(1.3, 0); s.absarc(0, 0, 1.3, 0, 0.75, false); s.lineTo(0, 0);
    const g = new THREE.ExtrudeGeometry(s, { depth: 0.5, bevelSize: 0.015, bevelThickness: 0.015, curveSegments: 30 }); g.rotateX(-Math.PI / 2);
    return at(group(mesh(g, matt('#fff', { map: surfaces.speckle(p.fill ?? '#ecd590', r, 'rgba(160,120,50,.25)', 40), bumpMap: surfaces.grain(r), bumpScale: 0.4 }))), 0, 0, 0, -0.9);
  },
  /** A glass of salt, spice, dried things: straight sides and a cork. */
  corked(p, r) {
    const w = 0.34, h = 0.95;
    return group(cylinder(w - 0.03, w - 0.03, h * 0.76, matt('#fff', { map: surfaces.speckle(p.fill ?? '#d8d4cc', r, p.bits ?? 'rgba(60,50,40,.4)', 2600), bumpMap: surfaces.grain(r), bumpScale: 1.5 }), 0.03),
      lathe([[0, 0], [w, 0], [w, h], [w - 0.02, h]], glass('#ffffff', 0.17), false),
      cylinder(w * 0.95, w * 0.86, 0.2, matt('#fff', { map: surfaces.speckle('#c49a6c', r, 'rgba(80,45,20,.5)', 300) }), h - 0.08),
      wrap(w + 0.005, h * 0.4, h * 0.2, 2.4, label({ ...p, w: 640, h: 360 })));
  },
  teabowl(p, r) {
    return group(lathe([[0, 0.04], [0.3, 0.04], [0.36, 0.0], [0.4, 0.06], [0.6, 0.3], [0.66, 0.58], [0.63, 0.58], [0.56, 0.3], [0, 0.2]], glaze(p.colour ?? '#8a9a8a', { map: surfaces.speckle(p.colour ?? '#8a9a8a', r), side: THREE.DoubleSide })),
      cylinder(0.6, 0.6, 0.02, physical({ color: p.fill ?? '#a5601f', roughness: 0.05 }), 0.44));
  },
};
