// The studio: one light, one table, one camera rule for every picture, so that four hundred
// products look like one series. Forms (forms-*.mjs) build the objects that stand in it.
import * as THREE from 'three';
import { RoomEnvironment } from 'three/addons/environments/RoomEnvironment.js';

export const SIZE = 960;

/** A small seeded generator: the same product always gives the same picture. */
export function random(text) {
  let h = 1779033703 ^ text.length;
  for (let i = 0; i < text.length; i++) { h = Math.imul(h ^ text.charCodeAt(i), 3432918353); h = (h << 13) | (h >>> 19); }
  const next = () => {
    h = Math.imul(h ^ (h >>> 16), 2246822507); h = Math.imul(h ^ (h >>> 13), 3266489909);
    return ((h ^= h >>> 16) >>> 0) / 4294967296;
  };
  next.between = (a, b) => a + (b - a) * next();
  next.pick = (list) => list[Math.floor(next() * list.length)];
  return next;
}

export function texture(width, height, draw, repeat) {
  const canvas = document.createElement('canvas');
  canvas.width = width; canvas.height = height;
  draw(canvas.getContext('2d'), width, height);
  const t = new THREE.CanvasTexture(canvas);
  t.colorSpace = THREE.SRGBColorSpace;
  t.anisotropy = 8;
  if (repeat) { t.wrapS = t.wrapT = THREE.RepeatWrapping; t.repeat.set(...repeat); }
  return t;
}

const dots = (r, count, paint) => (g, w, h) => { for (let i = 0; i < count; i++) paint(g, r() * w, r() * h, r); };

/** Surface textures, each made once per call from the form's own generator. */
export const surfaces = {
  wood: (colour, r) => texture(512, 512, (g, w, h) => {
    g.fillStyle = colour; g.fillRect(0, 0, w, h);
    for (let i = 0; i < 90; i++) {
      const y = r() * h, dark = r() < 0.6;
      g.strokeStyle = dark ? `rgba(60,30,10,${0.03 + r() * 0.1})` : `rgba(255,235,200,${0.03 + r() * 0.1})`;
      g.lineWidth = 0.5 + r() * 4; g.beginPath(); g.moveTo(0, y);
      const a = r.between(-14, 14), b = r.between(-14, 14);
      g.bezierCurveTo(w * 0.3, y + a, w * 0.7, y + b, w, y + r.between(-6, 6)); g.stroke();
    }
  }, [1, 1]),
  speckle: (colour, r, dark = 'rgba(70,50,35,.55)', count = 420) => texture(1024, 512, (g, w, h) => {
    g.fillStyle = colour; g.fillRect(0, 0, w, h);
    dots(r, count, (c, x, y) => { c.fillStyle = dark; c.beginPath(); c.arc(x, y, 0.6 + r() * r() * 3.4, 0, 7); c.fill(); })(g, w, h);
  }),
  weave: (r) => texture(256, 256, (g, w, h) => {
    for (let y = 0; y < h; y += 4) for (let x = 0; x < w; x += 4) {
      const v = ((x + y) / 4) % 2 ? 165 : 90; const n = v + r() * 50;
      g.fillStyle = `rgb(${n},${n},${n})`; g.fillRect(x, y, 4, 4);
    }
  }, [6, 6]),
  knit: () => texture(256, 256, (g, w, h) => {
    g.fillStyle = '#333'; g.fillRect(0, 0, w, h); g.lineWidth = 9; g.lineCap = 'round'; g.strokeStyle = '#ddd';
    for (let y = -16; y < h + 16; y += 20) for (let x = 0; x < w; x += 32) {
      g.beginPath(); g.moveTo(x, y); g.lineTo(x + 14, y + 14); g.moveTo(x + 32, y); g.lineTo(x + 18, y + 14); g.stroke();
    }
  }, [5, 5]),
  grain: (r) => texture(256, 256, (g, w, h) => {
    g.fillStyle = '#888'; g.fillRect(0, 0, w, h);
    dots(r, 5000, (c, x, y) => { const v = r() * 255; c.fillStyle = `rgba(${v},${v},${v},.35)`; c.fillRect(x, y, 1 + r() * 4, 1 + r() * 4); })(g, w, h);
  }, [3, 3]),
  stripes: (colours, across = 14) => texture(1024, 64, (g, w, h) => {
    for (let i = 0; i < across; i++) { g.fillStyle = colours[i % colours.length]; g.fillRect((i * w) / across, 0, w / across + 1, h); }
  }, [1, 1]),
  check: (base, line, n = 8) => texture(512, 512, (g, w, h) => {
    g.fillStyle = base; g.fillRect(0, 0, w, h); g.globalAlpha = 0.45; g.fillStyle = line;
    for (let i = 0; i < n; i++) { const s = w / n; g.fillRect(i * s, 0, s * 0.42, h); g.fillRect(0, i * s, w, s * 0.42); }
  }, [2, 2]),
};

const CHALK = '#f3ede2';

/** A printed label: paper, a hairline frame, the product's words, the maker below. */
export function label({ text, maker = '', paper = CHALK, ink = '#2e2a26', accent = '#b6762b', w = 640, h = 480, plain = false }) {
  return texture(w, h, (g) => {
    g.fillStyle = paper; g.fillRect(0, 0, w, h);
    if (!plain) { g.strokeStyle = ink; g.globalAlpha = 0.5; g.lineWidth = 2; g.strokeRect(22, 22, w - 44, h - 44); g.globalAlpha = 1; }
    g.fillStyle = accent; g.beginPath(); g.arc(w / 2, h * 0.19, h * 0.045, 0, 7); g.fill();
    g.fillStyle = ink; g.textAlign = 'center'; g.textBaseline = 'middle';
    // A landscape label goes round something: what is to be read stays in the middle.
    const words = text.split(' '), lines = [], width = w > h * 1.2 ? w * 0.56 : w - 90;
    let size = Math.min(h * 0.17, 96);
    for (;;) {
      g.font = `600 ${size}px Fraunces`; lines.length = 0; let line = '';
      for (const word of words) {
        const next = line ? `${line} ${word}` : word;
        if (g.measureText(next).width > width && line) { lines.push(line); line = word; } else line = next;
      }
      lines.push(line);
      if ((lines.length * size * 1.12 < h * 0.5 && lines.every((l) => g.measureText(l).width <= width)) || size < 20) break;
      size -= 4;
    }
    lines.forEach((l, i) => g.fillText(l, w / 2, h * 0.52 + (i - (lines.length - 1) / 2) * size * 1.12));
    g.font = `400 ${h * 0.055}px Karla`; g.letterSpacing = '4px';
    g.fillText(maker.toUpperCase(), w / 2, h * 0.85);
  });
}

export const physical = (options) => new THREE.MeshPhysicalMaterial(options);
export const matt = (color, more = {}) => physical({ color, roughness: 0.85, ...more });
export const glaze = (color, more = {}) => physical({ color, roughness: 0.32, clearcoat: 0.6, clearcoatRoughness: 0.2, ...more });
export const metal = (color, more = {}) => physical({ color, metalness: 1, roughness: 0.28, ...more });
export const glass = (color = '#ffffff', opacity = 0.2) =>
  physical({ color, transparent: true, opacity, roughness: 0.04, clearcoat: 1, depthWrite: false, side: THREE.DoubleSide, specularIntensity: 1 });

export function mesh(geometry, material, x = 0, y = 0, z = 0) {
  const m = new THREE.Mesh(geometry, material);
  m.position.set(x, y, z);
  m.castShadow = !material.transparent; m.receiveShadow = !material.transparent;
  return m;
}

export function group(...children) {
  const g = new THREE.Group();
  for (const child of children.flat()) if (child) g.add(child);
  return g;
}

/** Turns a profile [[radius, height], ...] round the axis; smooth unless told. */
export function lathe(points, material, smooth = true) {
  let profile = points.map(([x, y]) => new THREE.Vector2(Math.max(x, 0.0001), y));
  if (smooth) profile = new THREE.SplineCurve(profile).getPoints(points.length * 10);
  return mesh(new THREE.LatheGeometry(profile, 72), material);
}

export const cylinder = (r1, r2, h, material, y = 0) => mesh(new THREE.CylinderGeometry(r1, r2, h, 64), material, 0, y + h / 2, 0);

/** A box with soft edges, standing on y. */
export function slab(w, h, d, material, y = 0, round = 0.03) {
  const s = new THREE.Shape(); const r = Math.min(round * 2.2, w / 2.01, d / 2.01), x = -w / 2, z = -d / 2;
  s.moveTo(x + r, z); s.lineTo(x + w - r, z); s.quadraticCurveTo(x + w, z, x + w, z + r); s.lineTo(x + w, z + d - r);
  s.quadraticCurveTo(x + w, z + d, x + w - r, z + d); s.lineTo(x + r, z + d); s.quadraticCurveTo(x, z + d, x, z + d - r);
  s.lineTo(x, z + r); s.quadraticCurveTo(x, z, x + r, z);
  return plateOf(s, h, material, y, round);
}

/** Extrudes a flat shape upwards with a soft edge. Texture coordinates span the shape. */
export function plateOf(shape, h, material, y = 0, round = 0.03) {
  const b = Math.min(round, h / 2.2);
  const geometry = new THREE.ExtrudeGeometry(shape, { depth: h - b * 2, bevelEnabled: true, bevelSize: b, bevelThickness: b, bevelOffset: -b, bevelSegments: 5, curveSegments: 24 });
  geometry.translate(0, 0, b); geometry.rotateX(-Math.PI / 2);
  geometry.computeBoundingBox();
  const { min, max } = geometry.boundingBox, p = geometry.attributes.position, uv = geometry.attributes.uv;
  for (let i = 0; i < p.count; i++) uv.setXY(i, (p.getX(i) - min.x) / (max.x - min.x), (max.z - p.getZ(i)) / (max.z - min.z));
  return mesh(geometry, material, 0, y, 0);
}

export const tube = (points, radius, material, closed = false) => {
  const curve = new THREE.CatmullRomCurve3(points.map((p) => new THREE.Vector3(...p)), closed);
  return mesh(new THREE.TubeGeometry(curve, Math.max(24, points.length * 12), radius, 14, closed), material);
};

export const at = (object, x = 0, y = 0, z = 0, turn = 0, tilt = 0, roll = 0) => {
  object.position.set(x, y, z); object.rotation.set(tilt, turn, roll, 'YXZ'); return object;
};

/** Part of a cylinder's outside, facing the camera, for labels. */
export const wrap = (radius, h, y, angle, map, more = {}) => mesh(
  new THREE.CylinderGeometry(radius, radius, h, 48, 1, true, -angle / 2, angle), matt('#ffffff', { map, ...more }), 0, y + h / 2, 0);

/** A flat printed sheet, standing upright and facing the camera. */
export const sheet = (w, h, map, more = {}) => mesh(new THREE.PlaneGeometry(w, h), matt('#ffffff', { map, ...more }));

// --- the picture itself -------------------------------------------------------------------

const tables = {
  chalk: ['#f6f2ea', '#e6dfd3'], linen: ['#efe6d6', '#dccfb9'], sage: ['#e3e8dc', '#cdd6c4'], mist: ['#e6ebee', '#d0d9de'],
  clay: ['#f1e0d3', '#e2c7b3'], slate: ['#d9dcdf', '#bfc5c9'], straw: ['#f5ead0', '#e7d5ab'], blush: ['#f4e6e1', '#e5cfc8'], dusk: ['#6a6a70', '#4d4d54'],
};

let renderer, environment;
function open() {
  if (renderer) return;
  renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
  renderer.setSize(SIZE, SIZE, false); renderer.setPixelRatio(1);
  renderer.shadowMap.enabled = true; renderer.shadowMap.type = THREE.VSMShadowMap;
  renderer.toneMapping = THREE.NeutralToneMapping; renderer.toneMappingExposure = 0.96;
  const pmrem = new THREE.PMREMGenerator(renderer);
  environment = pmrem.fromScene(new RoomEnvironment(), 0.04).texture;
}

/** Renders `object` and answers a WebP data URL. `view` is 'main' or 'close'. */
export function shoot(object, { name, table, view = 'main', turn = 0, lift = 0.34 }) {
  open();
  const r = random(`${name}/${view}`);
  const scene = new THREE.Scene();
  const key = tables[table] ?? tables[r.pick(Object.keys(tables).slice(0, -1))];
  scene.background = texture(512, 512, (g, w, h) => {
    const down = g.createLinearGradient(0, 0, 0, h);
    down.addColorStop(0, key[0]); down.addColorStop(0.55, key[0]); down.addColorStop(1, key[1]);
    g.fillStyle = down; g.fillRect(0, 0, w, h);
    const glow = g.createRadialGradient(w * 0.3, h * 0.22, 20, w * 0.4, h * 0.4, w * 0.9);
    glow.addColorStop(0, 'rgba(255,255,255,.5)'); glow.addColorStop(0.5, 'rgba(255,255,255,0)'); glow.addColorStop(1, 'rgba(60,45,30,.16)');
    g.fillStyle = glow; g.fillRect(0, 0, w, h);
  });
  scene.environment = environment; scene.environmentIntensity = 0.55;
  object.rotation.y += turn; scene.add(object); object.updateMatrixWorld(true);
  const box = new THREE.Box3().setFromObject(object), size = box.getSize(new THREE.Vector3()), centre = box.getCenter(new THREE.Vector3());
  object.position.y -= box.min.y; centre.y -= box.min.y;
  const radius = size.length() / 2;

  const floor = mesh(new THREE.PlaneGeometry(radius * 40, radius * 40), new THREE.ShadowMaterial({ opacity: 0.3 }));
  floor.rotation.x = -Math.PI / 2; floor.castShadow = false; floor.receiveShadow = true; scene.add(floor);
  const contact = mesh(new THREE.PlaneGeometry(size.x * 1.22 + radius * 0.1, size.z * 1.22 + radius * 0.1), new THREE.MeshBasicMaterial({
    transparent: true, depthWrite: false, map: texture(128, 128, (g) => {
      const d = g.createRadialGradient(64, 64, 8, 64, 64, 64);
      d.addColorStop(0, 'rgba(40,28,18,.42)'); d.addColorStop(0.6, 'rgba(40,28,18,.2)'); d.addColorStop(1, 'rgba(40,28,18,0)');
      g.fillStyle = d; g.fillRect(0, 0, 128, 128);
    }),
  }), centre.x, radius * 0.002, centre.z);
  contact.rotation.x = -Math.PI / 2; contact.castShadow = contact.receiveShadow = false; scene.add(contact);

  const sun = new THREE.DirectionalLight('#fff1dc', 2.3);
  sun.position.set(centre.x - radius * 2.1, radius * 3.6, centre.z + radius * 1.9); sun.target.position.copy(centre);
  sun.castShadow = true; sun.shadow.mapSize.set(512, 512); sun.shadow.radius = 5; sun.shadow.blurSamples = 12; sun.shadow.bias = -0.0006;
  const c = sun.shadow.camera; c.left = c.bottom = -radius * 1.7; c.right = c.top = radius * 1.7; c.near = 0.01; c.far = radius * 10;
  sun.shadow.normalBias = radius * 0.012;
  scene.add(sun, sun.target);
  const fill = new THREE.DirectionalLight('#dfe9f5', 0.55); fill.position.set(radius * 3, radius * 1.5, radius * 2); scene.add(fill);

  const camera = new THREE.PerspectiveCamera(24, 1, radius * 0.05, radius * 60);
  // Flat things are seen from higher up, and may fill more of the frame.
  const flat = Math.max(0, 1 - size.y / (0.6 * Math.max(size.x, size.z)));
  const up = (view === 'close' ? lift + 0.16 : lift) + flat * 0.34, side = view === 'close' ? r.between(0.25, 0.45) : r.between(-0.12, 0.12);
  const direction = new THREE.Vector3(Math.sin(side) * Math.cos(up), Math.sin(up), Math.cos(side) * Math.cos(up));
  // Move back until the eight corners of the object's box lie within the wished part of the frame.
  const wish = view === 'close' ? 1.12 : r.between(0.76, 0.82) + flat * 0.08;
  let distance = radius * 1.5;
  const aim = centre.clone();
  for (let i = 0; i < 200; i++, distance *= 1.025) {
    camera.position.copy(aim).addScaledVector(direction, distance); camera.lookAt(aim); camera.updateMatrixWorld(); camera.updateProjectionMatrix();
    let widest = 0;
    for (let k = 0; k < 8; k++) {
      const p = new THREE.Vector3(k & 1 ? size.x / 2 : -size.x / 2, k & 2 ? size.y / 2 : -size.y / 2, k & 4 ? size.z / 2 : -size.z / 2).add(centre).project(camera);
      widest = Math.max(widest, Math.abs(p.x), Math.abs(p.y));
    }
    if (widest < wish) break;
  }
  renderer.render(scene, camera);
  const url = renderer.domElement.toDataURL('image/webp', 0.66);
  scene.traverse((o) => { o.geometry?.dispose(); for (const m of [o.material].flat()) { m?.map?.dispose(); m?.bumpMap?.dispose(); m?.dispose?.(); } });
  scene.background.dispose(); sun.shadow.map?.dispose(); sun.shadow.dispose?.();
  return url;
}
