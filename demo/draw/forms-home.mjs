// Ceramics, candles, soap and kitchen tools.
import * as THREE from 'three';
import { at, cylinder, glass, glaze, group, label, lathe, matt, mesh, metal, physical, plateOf, sheet, slab, surfaces, texture, tube, wrap } from './studio.mjs';

const pot = (p, r) => p.enamel
  ? physical({ color: p.colour, roughness: 0.18, clearcoat: 1, side: THREE.DoubleSide })
  : glaze('#fff', { map: p.plain ? surfaces.speckle(p.colour, r, 'rgba(0,0,0,0)', 1) : surfaces.speckle(p.colour, r, p.fleck), side: THREE.DoubleSide, roughness: p.dull ? 0.7 : 0.32, clearcoat: p.dull ? 0 : 0.6 });

const handle = (x, y, size, material, thick = 0.055) =>
  tube([[x - 0.04, y + size * 0.5, 0], [x + size * 0.5, y + size * 0.5, 0], [x + size * 0.72, y, 0], [x + size * 0.45, y - size * 0.5, 0], [x - 0.04, y - size * 0.56, 0]], thick, material);

const dip = (p, make) => (p.dip ? make(matt(p.dip, { roughness: 0.9 })) : null);

export const home = {
  mug(p, r) {
    const m = pot(p, r), w = p.w ?? 0.46, h = p.h ?? 0.86;
    const rim = p.enamel ? at(mesh(new THREE.TorusGeometry(w, 0.018, 12, 64), physical({ color: p.rim ?? '#1d2a3a', roughness: 0.2 })), 0, h, 0, 0, Math.PI / 2) : null;
    return at(group(lathe([[0, 0.02], [w * 0.8, 0.02], [w * 0.97, 0.08], [w, 0.2], [w, h - 0.02], [w - 0.02, h], [w - 0.05, h - 0.02], [w - 0.05, 0.15], [0, 0.1]], m, false),
      dip(p, (d) => lathe([[0, 0.0], [w * 0.82, 0.0], [w * 0.985, 0.07], [w + 0.006, 0.2], [w + 0.006, h * 0.3]], d, false)), handle(w, h * 0.52, h * 0.52, m), rim), 0, 0, 0, -0.55);
  },
  tumbler(p, r) {
    const m = pot(p, r);
    const one = (s) => { const c = lathe([[0, 0], [0.33, 0], [0.36, 0.05], [0.42, 0.75], [0.4, 0.77], [0.375, 0.74], [0.32, 0.1], [0, 0.08]], m, false); c.scale.setScalar(s); return c; };
    return group(at(one(1), -0.42, 0, 0), at(one(1), 0.46, 0, -0.28));
  },
  bowl(p, r) {
    const m = pot(p, r), w = p.w ?? 0.85, h = p.h ?? 0.46;
    const one = () => group(lathe([[0, 0.03], [w * 0.42, 0.03], [w * 0.45, 0], [w * 0.5, 0.04], [w * 0.84, h * 0.5], [w, h], [w * 0.975, h + 0.01], [w * 0.8, h * 0.52], [w * 0.45, 0.12], [0, 0.09]], m),
      dip(p, (d) => lathe([[w * 0.45, -0.002], [w * 0.51, 0.04], [w * 0.7, h * 0.27]], d)));
    return p.n ? group(...Array.from({ length: p.n }, (_, i) => at(one(), 0, i * 0.14, 0))) : one();
  },
  plate(p, r) {
    const m = pot(p, r), w = p.w ?? 1;
    const one = () => lathe([[0, 0.04], [w * 0.55, 0.04], [w * 0.6, 0], [w * 0.64, 0.04], [w * 0.93, 0.12], [w, 0.17], [w * 0.985, 0.185], [w * 0.72, 0.1], [w * 0.6, 0.075], [0, 0.07]], m, false);
    return p.stand ? at(group(at(one(), 0, w, 0, 0, 1.25)), 0, 0, 0, 0.2) : group(...Array.from({ length: p.n ?? 3 }, (_, i) => at(one(), 0, i * 0.1, 0)));
  },
  vase(p, r) {
    const shapes = {
      round: [[0, 0], [0.3, 0], [0.6, 0.3], [0.66, 0.6], [0.46, 0.96], [0.2, 1.12], [0.2, 1.28], [0.26, 1.34], [0.22, 1.33], [0.15, 1.25]],
      tall: [[0, 0], [0.26, 0], [0.33, 0.2], [0.4, 0.8], [0.36, 1.3], [0.24, 1.55], [0.24, 1.66], [0.3, 1.74], [0.26, 1.73], [0.2, 1.6]],
      bud: [[0, 0], [0.24, 0], [0.36, 0.2], [0.3, 0.45], [0.1, 0.66], [0.085, 0.98], [0.13, 1.06], [0.1, 1.05], [0.06, 0.95]],
      cylinder: [[0, 0], [0.38, 0], [0.4, 0.05], [0.4, 1.2], [0.39, 1.24], [0.36, 1.22], [0.36, 0.6]],
      wide: [[0, 0], [0.4, 0], [0.7, 0.24], [0.74, 0.5], [0.6, 0.8], [0.48, 0.9], [0.52, 0.98], [0.48, 0.97], [0.44, 0.88]],
    };
    const m = pot(p, r), body = lathe(shapes[p.shape ?? 'round'], m);
    const stems = p.stems ? Array.from({ length: p.stems }, (_, i) => {
      const a = r() * 7, s = r.between(0.1, 0.35), top = shapes[p.shape ?? 'round'].at(-2)[1] + r.between(0.5, 0.9);
      const ear = mesh(new THREE.SphereGeometry(0.06, 12, 10), matt(p.flower ?? '#c9a05a'), Math.cos(a) * s, top, Math.sin(a) * s); ear.scale.set(0.8, 2.4, 0.8);
      return group(tube([[0, 0.9, 0], [Math.cos(a) * s * 0.5, (top + 0.9) / 2, Math.sin(a) * s * 0.5], [Math.cos(a) * s, top, Math.sin(a) * s]], 0.012, matt('#8b8a52')), ear);
    }) : [];
    return group(body, stems);
  },
  jug(p, r) {
    const m = pot(p, r), body = lathe([[0, 0], [0.36, 0], [0.5, 0.2], [0.52, 0.5], [0.4, 0.9], [0.36, 1.12], [0.44, 1.3], [0.41, 1.3], [0.33, 1.12], [0.36, 0.9]], m);
    const q = body.geometry.attributes.position;
    for (let i = 0; i < q.count; i++) if (q.getY(i) > 1.05 && q.getX(i) < -0.2) { const t = (q.getY(i) - 1.05) / 0.25; q.setX(i, q.getX(i) - 0.2 * t * Math.max(0, 1 - Math.abs(q.getZ(i)) * 4)); q.setY(i, q.getY(i) + 0.05 * t); }
    body.geometry.computeVertexNormals();
    return at(group(body, handle(0.38, 0.82, 0.66, m, 0.05)), 0, 0, 0, -0.25);
  },
  teapot(p, r) {
    const m = pot(p, r);
    return at(group(lathe([[0, 0], [0.4, 0], [0.66, 0.22], [0.72, 0.48], [0.58, 0.78], [0.36, 0.9]], m), lathe([[0.37, 0.9], [0.3, 0.97], [0.12, 1.02], [0.06, 1.06], [0.1, 1.14], [0.06, 1.2], [0, 1.21]], m),
      tube([[-0.55, 0.35, 0], [-0.85, 0.5, 0], [-0.98, 0.78, 0], [-1.12, 0.92, 0]], 0.075, m), handle(0.6, 0.5, 0.66, m, 0.055)), 0, 0, 0, -0.3);
  },
  lidded(p, r) {
    const m = pot(p, r), w = 0.55, h = 0.8;
    return group(lathe([[0, 0], [w * 0.9, 0], [w, 0.08], [w, h], [w - 0.05, h]], m, false), p.wood
      ? cylinder(w, w, 0.1, matt('#fff', { map: surfaces.wood('#b98552', r) }), h) : group(lathe([[w, h + 0.02], [w, h + 0.07], [0.1, h + 0.13], [0, h + 0.13]], m, false), mesh(new THREE.SphereGeometry(0.1, 24, 18), m, 0, h + 0.2, 0)));
  },
  /** A candle poured into a glass or a tin. */
  candle(p, r) {
    const w = 0.42, h = 0.86, wax = physical({ color: p.wax ?? '#f3e8d2', roughness: 0.55, emissive: '#f0b860', emissiveIntensity: 0.16 });
    const flame = mesh(new THREE.SphereGeometry(0.05, 20, 16), new THREE.MeshBasicMaterial({ color: '#ffdf94' }), 0, h * 0.72 + 0.2, 0); flame.scale.set(0.8, 2.1, 0.8); flame.castShadow = false;
    const cup = p.tin ? cylinder(w, w, h * 0.8, metal(p.colour ?? '#b8b2a6', { roughness: 0.4 })) : p.pot
      ? lathe([[0, 0], [w, 0], [w + 0.02, 0.04], [w + 0.02, h], [w - 0.02, h], [w - 0.02, h * 0.5]], pot({ colour: p.colour ?? '#d8d2c6' }, r), false)
      : lathe([[0, 0.0], [w - 0.02, 0], [w, 0.05], [w, h], [w - 0.02, h]], glass(p.colour ?? '#ffffff', p.colour ? 0.5 : 0.2), false);
    return group(cylinder(w - 0.035, w - 0.035, h * (p.tin ? 0.8 : 0.68), wax, 0.03), cylinder(0.012, 0.012, 0.14, matt('#2a2420'), h * 0.7), p.unlit ? null : flame, cup,
      wrap(w + (p.pot ? 0.027 : 0.006), h * 0.42, h * 0.16, 1.9, label({ ...p, w: 560, h: 400 })));
  },
  pillars(p) {
    const hs = p.heights ?? [1.3, 0.95, 0.65], c = p.colours ?? [p.colour ?? '#eadbbd'];
    return group(hs.map((h, i) => at(group(lathe([[0, 0], [0.29, 0], [0.3, 0.02], [0.3, h - 0.03], [0.27, h], [0.12, h - 0.03], [0, h - 0.05]], physical({ color: c[i % c.length], roughness: 0.5, clearcoat: 0.15 }), false),
      cylinder(0.012, 0.012, 0.13, matt('#2c2622'), h - 0.04)), [-0.42, 0.34, 0.02][i], 0, [-0.1, -0.16, 0.5][i])));
  },
  tapers(p) {
    const c = p.colours ?? [p.colour ?? '#b4552f'];
    return group(Array.from({ length: p.n ?? 4 }, (_, i) => at(group(lathe([[0, 0], [0.1, 0], [0.105, 0.04], [0.055, 2.0], [0.02, 2.06], [0, 2.06]], physical({ color: c[i % c.length], roughness: 0.42, clearcoat: 0.25 }), false),
      cylinder(0.008, 0.008, 0.14, matt('#efe6d4'), 2.05)), (i - ((p.n ?? 4) - 1) / 2) * 0.3, 0, (i % 2) * 0.2)), p.holder ? at(cylinder(0.2, 0.26, 0.16, metal('#b08d4a'))) : null);
  },
  soap(p, r) {
    const tint = texture(512, 512, (g, w, h) => {
      g.fillStyle = p.colour ?? '#dfe3cf'; g.fillRect(0, 0, w, h);
      if (p.swirl) { g.strokeStyle = p.swirl; g.globalAlpha = 0.5; for (let i = 0; i < 9; i++) { g.lineWidth = 8 + r() * 30; g.beginPath(); g.moveTo(0, r() * h); g.bezierCurveTo(w * 0.3, r() * h, w * 0.6, r() * h, w, r() * h); g.stroke(); } g.globalAlpha = 1; }
      if (p.bits) for (let i = 0; i < 260; i++) { g.fillStyle = p.bits; g.beginPath(); g.arc(r() * w, r() * h, 1 + r() * 4, 0, 7); g.fill(); }
    });
    const bar = () => slab(1.15, 0.36, 0.72, matt('#fff', { map: tint, roughness: 0.55, clearcoat: 0.15 }), 0, 0.06);
    const band = group(mesh(new THREE.BoxGeometry(0.62, 0.372, 0.732), matt(p.paper ?? '#f1e8d8'), 0, 0.18, 0));
    const top = sheet(0.6, 0.7, label({ ...p, w: 520, h: 600 })); top.rotation.x = -Math.PI / 2; top.position.y = 0.369;
    band.add(top);
    return at(group(group(bar(), band), p.stack === false ? null : at(bar(), 0.34, 0, -0.78, 0.35)), 0, 0, 0, 0.4);
  },
  pump(p) {
    const w = 0.36, h = 1.05, c = p.colour ?? '#6b3f1d';
    const cap = matt(p.cap ?? '#25221f', { roughness: 0.45 });
    return at(group(lathe([[0, 0], [w - 0.03, 0], [w, 0.05], [w, h * 0.78], [w * 0.8, h * 0.92], [0.15, h], [0.15, h + 0.08]], physical({ color: c, roughness: 0.1, clearcoat: 1 }), false),
      cylinder(0.17, 0.17, 0.14, cap, h + 0.02), cylinder(0.04, 0.04, 0.16, cap, h + 0.14), tube([[0, h + 0.3, 0], [-0.2, h + 0.31, 0], [-0.36, h + 0.27, 0]], 0.045, cap), cylinder(0.1, 0.12, 0.09, cap, h + 0.26),
      wrap(w + 0.005, h * 0.46, h * 0.16, 2.2, label({ ...p, w: 580, h: 420 }))), 0, 0, 0, 0.3);
  },
  board(p, r) {
    const w = p.w ?? 1.1, l = p.l ?? 1.7, s = new THREE.Shape();
    if (p.round) s.absarc(0, 0, w * 0.75, 0, Math.PI * 2);
    else { const a = w / 2, b = l / 2, k = 0.16; s.moveTo(-a + k, -b); s.lineTo(a - k, -b); s.quadraticCurveTo(a, -b, a, -b + k); s.lineTo(a, b - k); s.quadraticCurveTo(a, b, a - k, b); if (p.paddle) { s.lineTo(0.16, b); s.lineTo(0.13, b + 0.5); s.quadraticCurveTo(0, b + 0.68, -0.13, b + 0.5); s.lineTo(-0.16, b); } s.lineTo(-a + k, b); s.quadraticCurveTo(-a, b, -a, b - k); s.lineTo(-a, -b + k); s.quadraticCurveTo(-a, -b, -a + k, -b); }
    const hole = new THREE.Path(); hole.absarc(0, p.paddle ? l / 2 + 0.45 : p.round ? w * 0.58 : l / 2 - 0.2, 0.06, 0, 7, true); s.holes.push(hole);
    const b = plateOf(s, 0.11, matt('#fff', { map: surfaces.wood(p.colour ?? '#b78350', r), roughness: 0.6 }), 0, 0.03);
    b.material.map.center.set(0.5, 0.5); b.material.map.rotation = Math.PI / 2;
    return at(group(at(b, 0, 0, 0, 0, 1.2)), 0, 0, 0, 0.25);
  },
  spoon(p, r) {
    const m = () => matt('#fff', { map: surfaces.wood(p.colour ?? '#a8743f', r), roughness: 0.65 });
    const one = (slotted) => {
      const head = mesh(new THREE.SphereGeometry(0.24, 40, 24), m()); head.scale.set(0.8, 1.15, 0.24); head.position.y = 1.75;
      return group(lathe([[0, 0], [0.06, 0], [0.07, 0.06], [0.045, 0.8], [0.05, 1.4], [0.07, 1.62]], m()), slotted ? plateOf(new THREE.Shape([[-0.18, 1.45], [0.18, 1.45], [0.22, 2.0], [-0.22, 2.0]].map(([x, y]) => new THREE.Vector2(x, y))), 0.05, m()).rotateX(Math.PI / 2).translateY(-0.02) : head);
    };
    return group(Array.from({ length: p.n ?? 2 }, (_, i) => at(one(i % 3 === 1 && p.n > 2), (i - ((p.n ?? 2) - 1) / 2) * 0.52, 0, -i * 0.05, 0.2, -0.12, ((p.n ?? 2) - 1) / 2 * 0.1 - i * 0.1)));
  },
  knife(p, r) {
    const l = p.l ?? 1.5, d = p.d ?? 0.3, s = new THREE.Shape();
    s.moveTo(0, 0); s.lineTo(l * 0.78, 0.01); s.quadraticCurveTo(l, 0.04, l * 1.02, d * 0.5); s.quadraticCurveTo(l * 0.8, d, l * 0.5, d); s.lineTo(0, d); s.closePath();
    if (p.bread) { s.curves.length = 0; s.currentPoint.set(0, 0); s.moveTo(0, 0); for (let x = 0; x < l; x += 0.08) s.quadraticCurveTo(x + 0.04, 0.035, x + 0.08, 0); s.lineTo(l + 0.05, d); s.lineTo(0, d); }
    const wood = matt('#fff', { map: surfaces.wood(p.colour ?? '#5b3a22', r), roughness: 0.5 });
    const blade = plateOf(s, 0.03, metal('#d4d7da', { roughness: 0.22 }), 0.05, 0.008), grip = at(slab(0.95, 0.1, 0.22, wood, 0, 0.04), -0.5, 0.01, -0.14);
    const pins = [-0.78, -0.5, -0.22].map((x) => cylinder(0.025, 0.025, 0.115, metal('#c9a75c'), 0.01)).map((c, i) => at(c, [-0.78, -0.5, -0.22][i], 0.01 + 0.055, -0.14));
    return at(group(at(group(blade, grip, pins), 0, 0.05, 0, 0, 0)), 0, 0, 0, 0.5);
  },
  pan(p, r) {
    const w = p.w ?? 0.85, h = p.h ?? 0.3, m = p.enamel ? physical({ color: p.colour, roughness: 0.2, clearcoat: 1, side: THREE.DoubleSide }) : physical({ color: p.colour ?? '#2a2a2c', metalness: 0.75, roughness: p.shiny ? 0.24 : 0.52, side: THREE.DoubleSide });
    const long = () => at(slab(1.15, 0.07, 0.18, p.wood ? matt('#fff', { map: surfaces.wood('#8a5a33', r) }) : m, 0, 0.03), w + 0.55, h * 0.72, 0, 0, 0, 0.1);
    const ears = () => [-1, 1].map((k) => at(mesh(new THREE.TorusGeometry(0.16, 0.045, 12, 32), m), k * (w + 0.06), h * 0.8, 0, 0, Math.PI / 2));
    const lid = p.lid ? group(lathe([[w, h], [w * 0.98, h + 0.06], [w * 0.5, h + 0.17], [0, h + 0.2]], m), mesh(new THREE.SphereGeometry(0.09, 24, 18), metal('#b99a55'), 0, h + 0.26, 0)) : null;
    return at(group(lathe([[0, 0], [w * 0.86, 0], [w * 0.92, 0.04], [w, h], [w - 0.03, h], [w * 0.87, 0.07], [0, 0.05]], m, false), p.ears ? ears() : long(), lid), 0, 0, 0, -0.5);
  },
  mortar(p, r) {
    const m = p.wood ? matt('#fff', { map: surfaces.wood(p.colour, r) }) : matt('#fff', { map: surfaces.speckle(p.colour ?? '#8d8f8d', r, 'rgba(30,30,30,.5)', 2200), roughness: 0.6 });
    return group(lathe([[0, 0], [0.5, 0], [0.52, 0.08], [0.4, 0.16], [0.62, 0.4], [0.7, 0.78], [0.6, 0.8], [0.5, 0.45], [0, 0.3]], m), at(lathe([[0, 0], [0.14, 0.03], [0.16, 0.14], [0.09, 0.3], [0.08, 1.0], [0.11, 1.12], [0, 1.18]], m), 0.05, 0.42, 0.05, 0, 0.1, -0.6));
  },
  mill(p, r) {
    return group([0, 1].map((i) => { const m = matt('#fff', { map: surfaces.wood([p.colour ?? '#7d4f2c', p.second ?? '#d2ab78'][i], r), roughness: 0.45 });
      return at(group(lathe([[0, 0], [0.26, 0], [0.27, 0.1], [0.19, 0.4], [0.17, 0.7], [0.25, 0.95], [0.24, 1.0]], m), lathe([[0.24, 1.02], [0.25, 1.1], [0.2, 1.3], [0, 1.38]], m), mesh(new THREE.SphereGeometry(0.06, 20, 16), metal('#c9b27a'), 0, 1.42, 0)), i * 0.62 - 0.3, 0, -i * 0.12); }));
  },
  rollingPin(p, r) {
    const m = matt('#fff', { map: surfaces.wood(p.colour ?? '#c99a63', r), roughness: 0.55 });
    const pin = lathe([[0, -1.2], [0.07, -1.2], [0.09, -1.1], [0.07, -0.82], [0.19, -0.8], [0.2, -0.7], [0.2, 0.7], [0.19, 0.8], [0.07, 0.82], [0.09, 1.1], [0.07, 1.2], [0, 1.2]], m, false);
    return at(group(at(pin, 0, 0.2, 0, 0, 0, Math.PI / 2)), 0, 0, 0, 0.55);
  },
  brush(p, r) {
    const m = matt('#fff', { map: surfaces.wood(p.colour ?? '#c49660', r) });
    const bristles = Array.from({ length: 130 }, () => { const a = r() * 7, d = Math.sqrt(r()) * 0.28; return at(cylinder(0.012, 0.014, 0.3, matt(p.hair ?? '#d9c7a0')), Math.cos(a) * d, 0, Math.sin(a) * d * 0.9, 0, Math.sin(a) * 0.2, -Math.cos(a) * 0.2); });
    const handleArm = at(lathe([[0, 0], [0.09, 0.02], [0.07, 0.3], [0.08, 1.2], [0, 1.3]], m), 0.12, 0.42, 0, 0, 0, -1.05);
    return at(group(bristles, mesh(new THREE.SphereGeometry(0.34, 32, 20), m, 0, 0.36, 0).translateY(0), handleArm), 0, 0, 0, 0.3);
  },
};
