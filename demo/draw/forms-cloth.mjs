// Wool, linen and leather.
import * as THREE from 'three';
import { at, cylinder, group, label, lathe, matt, mesh, metal, physical, plateOf, sheet, slab, surfaces, texture, tube } from './studio.mjs';

const cloth = (p, r) => {
  const colours = p.colours ?? [p.colour ?? '#c9b79c'];
  const map = p.check ? surfaces.check(colours[0], colours[1] ?? '#6b5a44') : colours.length > 1 ? surfaces.stripes(colours, p.bands ?? 18) : null;
  return physical({ color: map ? '#ffffff' : colours[0], map, roughness: 0.95, sheen: 0.6, sheenRoughness: 0.6, sheenColor: new THREE.Color(colours[0]), bumpMap: p.knit ? surfaces.knit() : surfaces.weave(r), bumpScale: p.knit ? 3 : 1.6 });
};

const fold = (w, d, t, m, y) => {
  const s = new THREE.Shape(); s.moveTo(-d / 2, 0); s.lineTo(d / 2 - t / 2, 0); s.absarc(d / 2 - t / 2, t / 2, t / 2, -Math.PI / 2, Math.PI / 2, false); s.lineTo(-d / 2, t); s.closePath();
  const g = new THREE.ExtrudeGeometry(s, { depth: w, bevelEnabled: true, bevelSize: 0.02, bevelThickness: 0.02, bevelSegments: 4, curveSegments: 20 });
  g.translate(0, 0, -w / 2); g.rotateY(-Math.PI / 2); g.computeBoundingBox();
  const { min, max } = g.boundingBox, q = g.attributes.position, uv = g.attributes.uv;
  for (let i = 0; i < q.count; i++) uv.setXY(i, (q.getX(i) - min.x) / (max.x - min.x), ((q.getZ(i) - min.z) + (q.getY(i) - min.y)) / 1.2);
  return mesh(g, m, 0, y, 0);
};

const leather = (colour, r) => physical({ color: colour, roughness: 0.55, clearcoat: 0.12, bumpMap: surfaces.grain(r), bumpScale: 0.9 });
const thread = (points, colour = '#e8d9b8') => group(points.map(([x, y, z, turn]) => at(mesh(new THREE.CapsuleGeometry(0.008, 0.035, 4, 8), matt(colour)), x, y, z, turn ?? 0, 0, Math.PI / 2)));
const stitched = (w, d, y, colour) => thread([...Array.from({ length: Math.floor(w / 0.075) }, (_, i) => [[-w / 2 + 0.04 + i * 0.075, y, d / 2], [-w / 2 + 0.04 + i * 0.075, y, -d / 2]]).flat(), ...Array.from({ length: Math.floor(d / 0.075) }, (_, i) => [[-w / 2, y, -d / 2 + 0.04 + i * 0.075, Math.PI / 2], [w / 2, y, -d / 2 + 0.04 + i * 0.075, Math.PI / 2]]).flat()], colour);

export const clothes = {
  blanket(p, r) {
    const n = p.n ?? 3, t = p.t ?? 0.2, m = cloth(p, r), w = p.w ?? 1.5, d = p.d ?? 1.05;
    const tassels = p.fringe ? Array.from({ length: 26 }, (_, i) => at(cylinder(0.018, 0.014, 0.24, matt(p.colours?.[0] ?? p.colour)), -w / 2 + 0.03 + (i * (w - 0.06)) / 25, n * t - 0.3 - r() * 0.03, d / 2 + 0.045, 0, r.between(-0.08, 0.1), r.between(-0.08, 0.08))) : null;
    return at(group(Array.from({ length: n }, (_, i) => fold(w * (1 - i * 0.012), d * (1 - (i % 2) * 0.02), t, m, i * t)), tassels), 0, 0, 0, r.between(-0.55, -0.35));
  },
  stack(p, r) {
    const cs = p.colours ?? ['#c9b79c', '#8fa08f', '#d9d2c4'];
    return at(group(cs.map((c, i) => at(fold(1.3, 0.9, 0.13, cloth({ ...p, colours: p.stripe ? [c, p.stripe, c, c, c, c] : undefined, colour: c }, r), 0), r.between(-0.03, 0.03), i * 0.135, 0, r.between(-0.06, 0.06)))), 0, 0, 0, -0.45);
  },
  scarf(p, r) {
    const m = cloth(p, r), pieces = [fold(0.62, 1.3, 0.13, m, 0), at(fold(0.6, 1.24, 0.13, m, 0), 0, 0.135, 0.02)];
    const tassels = Array.from({ length: 14 }, (_, i) => at(mesh(new THREE.CylinderGeometry(0.02, 0.014, 0.3, 8), matt(p.colours?.[0] ?? p.colour)), -0.27 + i * 0.042, 0.07, -0.8, 0, Math.PI / 2 - 0.25));
    return at(group(pieces, tassels), 0, 0, 0, 2.3);
  },
  cushion(p, r) {
    const g = new THREE.BoxGeometry(1.5, p.long ? 0.95 : 1.5, 0.1, 48, 48, 4), q = g.attributes.position;
    const H = p.long ? 0.475 : 0.75;
    for (let i = 0; i < q.count; i++) {
      const u = q.getX(i) / 0.75, v = q.getY(i) / H, full = Math.max(0, (1 - u * u) * (1 - v * v)) ** 0.42, s = Math.sign(q.getZ(i));
      q.setZ(i, s * (0.015 + 0.34 * full)); const pull = 1 - 0.07 * (u * u < 1 && v * v < 1 ? (1 - Math.abs(u * v)) : 0);
      q.setX(i, q.getX(i) * (Math.abs(u) > 0.9 ? pull : 1)); q.setY(i, q.getY(i) * (Math.abs(v) > 0.9 ? pull : 1));
    }
    g.computeVertexNormals();
    return at(group(at(mesh(g, cloth({ bands: 12, ...p }, r)), 0, H * 0.97, 0, 0, -0.3)), 0, 0, 0, 0.3);
  },
  yarn(p, r) {
    const ball = (c, R) => { const m = matt(c, { bumpMap: surfaces.weave(r), bumpScale: 1 }); const g = group(mesh(new THREE.SphereGeometry(R * 0.95, 40, 30), m));
      for (let i = 0; i < 46; i++) { const t = mesh(new THREE.TorusGeometry(R * r.between(0.955, 0.985), 0.026, 8, 60), m); t.rotation.set(r() * 7, r() * 7, r() * 7); g.add(t); } return at(g, 0, R, 0); };
    const cs = p.colours ?? [p.colour];
    return group(at(ball(cs[0], 0.55), -0.42, 0.55, 0), at(ball(cs[1] ?? cs[0], 0.5), 0.58, 0.5, -0.16), cs[2] ? at(ball(cs[2], 0.42), 0.2, 0.42, 0.72) : null);
  },
  beanie(p, r) {
    const m = cloth({ knit: true, ...p }, r), rib = cloth({ knit: true, colour: p.cuff ?? p.colour }, r);
    return group(lathe([[0.66, 0.24], [0.68, 0.5], [0.56, 0.86], [0.3, 1.06], [0, 1.1]], m), lathe([[0.62, 0], [0.71, 0.02], [0.74, 0.18], [0.71, 0.36], [0.66, 0.37]], rib),
      p.pompom ? mesh(new THREE.IcosahedronGeometry(0.22, 5), matt(p.pompom, { bumpMap: surfaces.grain(r), bumpScale: 6 }), 0, 1.26, 0) : null);
  },
  tote(p, r) {
    const m = p.leather ? leather(p.colour, r) : cloth(p, r), s = new THREE.Shape();
    s.moveTo(-0.62, 0); s.lineTo(0.62, 0); s.lineTo(0.7, 1.15); s.lineTo(-0.7, 1.15); s.closePath();
    const body = mesh(new THREE.ExtrudeGeometry(s, { depth: 0.26, bevelSize: 0.05, bevelThickness: 0.06, bevelSegments: 6 }), m, 0, 0.05, -0.13);
    const strap = (z) => tube([[-0.34, 1.0, z], [-0.33, 1.3, z], [-0.2, 1.72, z * 0.8], [0.2, 1.72, z * 0.8], [0.33, 1.3, z], [0.34, 1.0, z]], 0.04, p.leather ? m : matt(p.strap ?? p.colour ?? '#c9b79c'));
    const print = p.text ? at(sheet(0.7, 0.6, label({ text: p.text, paper: p.colour, ink: p.ink ?? '#33302c', plain: true, accent: p.accent })), 0, 0.62, 0.196) : null;
    return at(group(body, strap(0.17), strap(-0.17), print), 0, 0, 0, -0.3);
  },
  satchel(p, r) {
    const m = leather(p.colour, r), w = p.w ?? 1.5, h = p.h ?? 1.0;
    const body = at(slab(w, 0.42, h, m, 0, 0.06), 0, h / 2, -0.21, 0, Math.PI / 2), flap = at(slab(w * 1.01, 0.07, h * 0.62, m, 0, 0.03), 0, h * 0.71, 0.22, 0, Math.PI / 2);
    const buckles = (p.buckles ?? 2) === 2 ? [-0.4, 0.4] : [0];
    return at(group(body, flap, buckles.map((x) => group(at(slab(0.14, 0.04, h * 0.44, m, 0, 0.01), x * w * 0.62, h * 0.42, 0.29, 0, Math.PI / 2), at(mesh(new THREE.TorusGeometry(0.09, 0.022, 10, 4), metal('#c8a250')), x * w * 0.62, h * 0.3, 0.35, 0, 0, Math.PI / 4))),
      tube([[-w * 0.48, h * 0.95, 0], [-w * 0.4, h * 1.5, -0.1], [0, h * 1.75, -0.16], [w * 0.4, h * 1.5, -0.1], [w * 0.48, h * 0.95, 0]], 0.045, m)), 0, 0, 0, -0.32);
  },
  wallet(p, r) {
    const m = leather(p.colour, r), w = p.w ?? 1.15, d = p.d ?? 0.85;
    const closed = group(slab(w, 0.055, d, m, 0, 0.025), slab(w * 0.985, 0.03, d * 0.96, matt('#d8c4a0'), 0.055, 0.01), slab(w, 0.055, d, m, 0.085, 0.025), stitched(w * 0.92, d * 0.9, 0.143, p.thread));
    const card = p.cards ? [0, 1].map((i) => at(slab(w * 0.8, 0.012, d * 0.7, matt(['#e8ddc8', '#7f8f86'][i]), 0, 0.004), 0.02, 0.06 + i * 0.014, -d * (0.26 - i * 0.09))) : null;
    return at(group(at(group(closed, card), 0, 0.1, 0, 0, 0.62), at(group(slab(w, 0.05, d, m, 0, 0.02)), 0.25, 0, -0.75, 0.25)), 0, 0, 0, 0.4);
  },
  belt(p, r) {
    const m = leather(p.colour, r); m.side = THREE.DoubleSide;
    const path = new THREE.CatmullRomCurve3(Array.from({ length: 90 }, (_, i) => { const a = i / 90 * Math.PI * 6.4, d = 0.3 + i * 0.0052; return new THREE.Vector3(Math.cos(a) * d, 0.16, Math.sin(a) * d); }));
    const coil = mesh(new THREE.TubeGeometry(path, 500, 0.03, 8), m); coil.scale.y = 5; coil.position.y = -0.64;
    const end = path.getPoint(1);
    return group(coil, at(mesh(new THREE.TorusGeometry(0.17, 0.03, 10, 4), metal(p.buckle ?? '#c8a250')), end.x, 0.17, end.z + 0.04, -0.25, 0, Math.PI / 4), at(mesh(new THREE.CapsuleGeometry(0.018, 0.3, 4, 10), metal(p.buckle ?? '#c8a250')), end.x, 0.17, end.z + 0.06, -0.25, 0, Math.PI / 2));
  },
  strap(p, r) {
    const m = leather(p.colour, r), s = new THREE.Shape(); s.absarc(0, -0.6, 0.18, Math.PI, 0, false); s.lineTo(0.1, 0.4); s.absarc(0, 0.5, 0.14, -0.6, Math.PI + 0.6, false); s.closePath();
    return at(group(at(plateOf(s, 0.07, m, 0, 0.02), 0, 0, 0), at(mesh(new THREE.TorusGeometry(0.3, 0.026, 12, 60), metal(p.ring ?? '#c8a250', { roughness: 0.2 })), 0, 0.05, -0.84, 0, Math.PI / 2 - 0.1), cylinder(0.05, 0.05, 0.03, metal(p.ring ?? '#c8a250'), 0.065).translateZ(-0.42)), 0, 0, 0, 0.5, 0.0);
  },
  roll(p, r) {
    const m = p.leather ? leather(p.colour, r) : cloth(p, r), l = p.l ?? 1.6, R = p.r ?? 0.34;
    const rolled = at(lathe([[0, -l / 2], [R * 0.9, -l / 2], [R, -l / 2 + 0.05], [R, l / 2 - 0.05], [R * 0.9, l / 2], [0, l / 2]], m, false), 0, R, 0, 0, 0, Math.PI / 2);
    const spiral = at(mesh(new THREE.TubeGeometry(new THREE.CatmullRomCurve3(Array.from({ length: 70 }, (_, i) => { const a = i * 0.36, d = (R * 0.94 * i) / 70; return new THREE.Vector3(0, Math.cos(a) * d, Math.sin(a) * d); })), 260, 0.014, 6), matt('#4a3b2c')), l / 2, R, 0);
    const straps = [-0.27, 0.27].map((x) => at(mesh(new THREE.TorusGeometry(R + 0.015, 0.035, 10, 60), leather(p.strap ?? '#6b4326', r)), x * l, R, 0, Math.PI / 2));
    return at(group(rolled, spiral, straps), 0, 0, 0, -0.5);
  },
  sheepskin(p, r) {
    const tufts = Array.from({ length: 900 }, () => { const a = r() * 7, d = Math.sqrt(r()) * (0.9 + 0.12 * Math.sin(a * 3)); return at(mesh(new THREE.SphereGeometry(0.07, 7, 6), matt(p.colour)), Math.cos(a) * d * 1.3, 0.06 + r() * 0.05, Math.sin(a) * d); });
    return group(tufts);
  },
};
