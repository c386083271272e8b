//! The pictures of the demo world, from its folder into the object store in the widths that pages ask for.

use super::{Progress, world::World};
use crate::{ids::PictureId, server::state::App, ui::PICTURE_WIDTHS};
use anyhow::Context;
use bytes::Bytes;
use futures::StreamExt;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Side of the square pictures in the folder, which is the widest width.
pub const SIDE: u32 = 960;
/// Small pictures forgive more than large ones.
const QUALITY: f32 = 72.0;

/// The same file has the same id whenever it is seeded, so that a second try replaces what the first one left.
pub fn id(seed: u64, file: &str) -> PictureId {
    let digest = Sha256::digest([seed.to_le_bytes().as_slice(), b"picture", file.as_bytes()].concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().into()
}

/// Puts every picture in every width into the store: resized on as many threads as there are cores.
pub async fn store(app: &App, world: &World, seed: u64, progress: &Progress<'_>) -> anyhow::Result<()> {
    let files: Vec<String> = world.products().flat_map(|p| &p.pictures).map(|p| p.file.clone()).collect();
    let folder = app.config.demo_dir.join("pictures");
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let total = files.len();
    progress("pictures", 0, total);
    let mut stored = futures::stream::iter(files)
        .map(|file| {
            let path = folder.join(&file);
            async move {
                let sizes = tokio::task::spawn_blocking(move || sizes(&path)).await??;
                for (width, bytes) in sizes {
                    let key = format!("pictures/{}/{width}.webp", id(seed, &file));
                    app.storage.put(&key, bytes, "image/webp").await?;
                }
                anyhow::Ok(())
            }
        })
        .buffer_unordered(threads + 2)
        .enumerate();
    while let Some((done, result)) = stored.next().await {
        result?;
        progress("pictures", done + 1, total);
    }
    Ok(())
}

/// The picture in every width. The widest is the file as it is: it was made for this.
fn sizes(path: &Path) -> anyhow::Result<Vec<(u32, Bytes)>> {
    let file = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let large = webp::Decoder::new(&file).decode().with_context(|| format!("{} is no WebP picture", path.display()))?;
    let fits = large.width() == SIDE && large.height() == SIDE && large.layout() == webp::PixelLayout::Rgb;
    anyhow::ensure!(fits, "{} is not {SIDE} pixels square without transparency", path.display());
    let mut all = Vec::with_capacity(PICTURE_WIDTHS.len());
    // From large to small, each from the one before.
    let (mut pixels, mut side) = (large.to_vec(), SIDE as usize);
    for width in PICTURE_WIDTHS.into_iter().filter(|w| *w != SIDE).rev() {
        pixels = shrink(&pixels, side, width as usize);
        side = width as usize;
        let webp = webp::Encoder::from_rgb(&pixels, width, width).encode(QUALITY);
        all.push((width, Bytes::copy_from_slice(&webp)));
    }
    all.push((SIDE, file.into()));
    Ok(all)
}

/// For every pixel of a side of `to`, the pixels of a side of `from` that it covers, and how much of each.
fn covered(from: usize, to: usize) -> Vec<Vec<(usize, u32)>> {
    (0..to)
        .map(|o| {
            // In units of which an old pixel has `to` and a new one has `from`.
            let (start, end) = (o * from, (o + 1) * from);
            (start / to..end.div_ceil(to)).map(|i| (i, (end.min((i + 1) * to) - start.max(i * to)) as u32)).collect()
        })
        .collect()
}

/// The mean of what each pixel covers: as good as any filter for these ratios, and quick without optimisation too,
/// which matters for a seed that a debug build runs.
fn shrink(rgb: &[u8], from: usize, to: usize) -> Vec<u8> {
    let covered = covered(from, to);
    let area = (from * from) as u32;
    let mut small = vec![0; to * to * 3];
    let mut at = 0;
    for rows in &covered {
        for columns in &covered {
            let (mut r, mut g, mut b) = (area / 2, area / 2, area / 2);
            for (y, down) in rows {
                for (x, across) in columns {
                    let (i, weight) = ((y * from + x) * 3, down * across);
                    r += rgb[i] as u32 * weight;
                    g += rgb[i + 1] as u32 * weight;
                    b += rgb[i + 2] as u32 * weight;
                }
            }
            small[at] = (r / area) as u8;
            small[at + 1] = (g / area) as u8;
            small[at + 2] = (b / area) as u8;
            at += 3;
        }
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_and_a_mean_is_a_mean() {
        assert!(shrink(&[200; 960 * 960 * 3], 960, 640).iter().all(|v| *v == 200));
        let checks: Vec<u8> = (0..16).flat_map(|i| [if (i + i / 4) % 2 == 0 { 0 } else { 100 }; 3]).collect();
        assert_eq!(shrink(&checks, 4, 2), [50; 12]);
        assert_eq!(covered(3, 2), [vec![(0, 2), (1, 1)], vec![(1, 1), (2, 2)]]);
    }
}
