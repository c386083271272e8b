//! The pictures of the demo world, from its folder into the object store in the widths that pages ask for.

use super::{Progress, world::World};
use crate::{ids::PictureId, server::state::App, ui::PICTURE_WIDTHS};
use anyhow::Context;
use bytes::Bytes;
use fast_image_resize::{IntoImageView, ResizeOptions, Resizer, images::Image};
use futures::StreamExt;
use image::DynamicImage;
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
    let large = image::load_from_memory_with_format(&file, image::ImageFormat::WebP)
        .with_context(|| format!("{} is no WebP picture", path.display()))?;
    anyhow::ensure!(large.width() == SIDE && large.height() == SIDE, "{} is not {SIDE} pixels square", path.display());
    let large = DynamicImage::ImageRgb8(large.into_rgb8());
    let mut resizer = Resizer::new();
    let mut all = Vec::with_capacity(PICTURE_WIDTHS.len());
    for width in PICTURE_WIDTHS {
        if width == SIDE {
            continue;
        }
        let pixel = large.pixel_type().context("the pixels of the picture")?;
        let mut small = Image::new(width, width, pixel);
        resizer.resize(&large, &mut small, &ResizeOptions::new())?;
        let webp = webp::Encoder::from_rgb(small.buffer(), width, width).encode(QUALITY);
        all.push((width, Bytes::copy_from_slice(&webp)));
    }
    all.push((SIDE, Bytes::from(file)));
    Ok(all)
}
