//! From what someone uploaded to what we serve: checked by content, turned upright, stripped of everything but its
//! pixels, and written anew as WebP. No byte of the upload itself is ever kept or served.

use crate::ui::PICTURE_WIDTHS;
use bytes::Bytes;
use fast_image_resize::{ResizeOptions, Resizer};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbaImage, metadata::Orientation};
use std::io::Cursor;

/// The largest upload.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Checked from the header, before a pixel is decoded.
const MAX_PIXELS: u64 = 40_000_000;
/// Memory of one decoded picture; the widest pixel of a PNG takes 8 bytes.
const MAX_DECODED: u64 = 384 * 1024 * 1024;
/// A visible loss begins below about 75; above 85 files only grow.
const QUALITY: f32 = 80.0;

/// Why an upload is no picture for us. Each is said to the vendor as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPicture {
    #[error("This file is empty.")]
    Empty,
    #[error("This file is larger than 10 MB.")]
    TooLarge,
    #[error("This is not a JPEG, PNG or WebP picture.")]
    WrongKind,
    #[error("This picture has more than 40 megapixels.")]
    TooManyPixels,
    #[error("This picture is damaged or incomplete.")]
    Damaged,
}

/// A picture in every width of [`PICTURE_WIDTHS`].
#[derive(Debug, Clone)]
pub struct Processed {
    /// Of the largest file, in pixels, upright.
    pub width: u32,
    pub height: u32,
    /// The width in the file's name, and the WebP itself, narrowest first.
    pub files: Vec<(u32, Bytes)>,
}

/// Checks and re-encodes one upload. Takes up to a second of one core and some hundred megabytes for the largest
/// allowed picture: on a server call it through [`super::store`], which bounds how many run at a time.
pub fn process(bytes: &[u8]) -> Result<Processed, BadPicture> {
    let pixels = decode(bytes)?;
    let mut files = Vec::with_capacity(PICTURE_WIDTHS.len());
    let (mut width, mut height) = (0, 0);
    for name in PICTURE_WIDTHS {
        let (w, h) = fit(pixels.width(), pixels.height(), name);
        let encoded = encode(&resize(&pixels, w, h)?)?;
        (width, height) = (w, h);
        files.push((name, encoded));
    }
    Ok(Processed { width, height, files })
}

/// The size within `name` wide and twice as tall, never enlarged: a small original fills every name with itself.
pub fn fit(width: u32, height: u32, name: u32) -> (u32, u32) {
    let scale = (f64::from(name) / f64::from(width)).min(f64::from(2 * name) / f64::from(height)).min(1.0);
    let scaled = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    (scaled(width), scaled(height))
}

fn decode(bytes: &[u8]) -> Result<RgbaImage, BadPicture> {
    if bytes.is_empty() {
        return Err(BadPicture::Empty);
    }
    if bytes.len() > MAX_BYTES {
        return Err(BadPicture::TooLarge);
    }
    // By its first bytes; the name and the declared type of an upload say nothing.
    let format = image::guess_format(bytes).map_err(|_| BadPicture::WrongKind)?;
    match format {
        // The decoder would fill what is missing with grey.
        ImageFormat::Jpeg if !jpeg_is_whole(bytes) => return Err(BadPicture::Damaged),
        ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP => {}
        _ => return Err(BadPicture::WrongKind),
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_DECODED {
        return Err(BadPicture::TooManyPixels);
    }
    if width == 0 || height == 0 {
        return Err(BadPicture::Damaged);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut pixels = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    pixels.apply_orientation(orientation);
    Ok(pixels.into_rgba8())
}

fn refusal(error: image::ImageError) -> BadPicture {
    match error {
        image::ImageError::Limits(_) => BadPicture::TooManyPixels,
        _ => BadPicture::Damaged,
    }
}

fn resize(pixels: &RgbaImage, width: u32, height: u32) -> Result<RgbaImage, BadPicture> {
    if pixels.dimensions() == (width, height) {
        return Ok(pixels.clone());
    }
    let mut smaller = RgbaImage::new(width, height);
    // Lanczos by default, with the colours weighted by alpha.
    Resizer::new().resize(pixels, &mut smaller, &ResizeOptions::new()).map_err(|_| BadPicture::Damaged)?;
    Ok(smaller)
}

fn encode(pixels: &RgbaImage) -> Result<Bytes, BadPicture> {
    let encoder = webp::Encoder::from_rgba(pixels.as_raw(), pixels.width(), pixels.height());
    encoder.encode_simple(false, QUALITY).map(|webp| Bytes::copy_from_slice(&webp)).map_err(|_| BadPicture::Damaged)
}

/// Walks a JPEG's segments to its end marker. Inside compressed data an 0xFF is always followed by 0x00 or a restart
/// marker, so that the walk cannot be misled by pixels, nor by the thumbnail in an EXIF segment, which is skipped whole.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // to the next marker: 0xFF, then neither fill, nor stuffing, nor a restart
        while !matches!((bytes.get(at), bytes.get(at + 1)), (Some(0xff), Some(1..=0xcf | 0xd8..=0xfe))) {
            if at >= bytes.len() {
                return false;
            }
            at += 1;
        }
        match bytes[at + 1] {
            0xd9 => return true,
            // without a length
            0x01 | 0xd8 => at += 2,
            _ => match bytes.get(at + 2..at + 4) {
                Some(length) => at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])),
                None => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    fn sample(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, ((x * y) % 251) as u8]));
        let mut out = Cursor::new(Vec::new());
        pixels.write_to(&mut out, format).expect("an in-memory sample");
        out.into_inner()
    }

    fn size(webp: &[u8]) -> (u32, u32) {
        assert_eq!(image::guess_format(webp).ok(), Some(ImageFormat::WebP));
        image::load_from_memory(webp).map(|i| (i.width(), i.height())).expect("our own file")
    }

    #[test]
    fn three_widths_keep_the_proportions() {
        let done = process(&sample(ImageFormat::Jpeg, 1500, 1000)).unwrap();
        assert_eq!((done.width, done.height), (960, 640));
        let sizes: Vec<_> = done.files.iter().map(|(name, file)| (*name, size(file))).collect();
        assert_eq!(sizes, [(320, (320, 213)), (640, (640, 427)), (960, (960, 640))]);
    }

    #[test]
    fn a_small_picture_is_not_enlarged_but_fills_every_name() {
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let done = process(&sample(format, 400, 100)).unwrap();
            let sizes: Vec<_> = done.files.iter().map(|(_, file)| size(file)).collect();
            assert_eq!(sizes, [(320, 80), (400, 100), (400, 100)]);
        }
        assert_eq!(process(&sample(ImageFormat::Png, 1, 1)).map(|d| (d.width, d.height)), Ok((1, 1)));
        // WebP ends at 16,383 pixels a side
        assert_eq!(process(&sample(ImageFormat::Png, 2, 20_000)).map(|d| (d.width, d.height)), Ok((1, 1920)));
    }

    /// An EXIF segment that says "turn right", in front of a JPEG's own segments.
    fn turned(jpeg: &[u8]) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend_from_slice(b"GPS 51.5,-0.1 \xff\xd9");
        let mut out = vec![0xff, 0xd8, 0xff, 0xe1];
        out.extend_from_slice(&((exif.len() + 2) as u16).to_be_bytes());
        out.extend_from_slice(&exif);
        out.extend_from_slice(&jpeg[2..]);
        out
    }

    #[test]
    fn the_orientation_is_applied_and_the_metadata_dropped() {
        let done = process(&turned(&sample(ImageFormat::Jpeg, 300, 100))).unwrap();
        assert_eq!((done.width, done.height), (100, 300));
        for (_, file) in &done.files {
            assert!(!file.windows(4).any(|w| w == b"Exif" || w == b"GPS "));
        }
    }

    #[test]
    fn what_is_no_whole_picture_is_refused() {
        let (jpeg, png, webp) =
            (sample(ImageFormat::Jpeg, 300, 200), sample(ImageFormat::Png, 300, 200), sample(ImageFormat::WebP, 300, 200));
        assert_eq!(process(b"").unwrap_err(), BadPicture::Empty);
        assert_eq!(process(&vec![0; MAX_BYTES + 1]).unwrap_err(), BadPicture::TooLarge);
        for other in [
            &b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"[..],
            b"<html><script>alert(1)</script>",
            b"%PDF-1.7",
            b"GIF89a\x01\0\x01\0\0\0\0;",
            b"BM\0\0\0\0\0\0\0\0",
            b"II*\0",
            b"x",
        ] {
            assert_eq!(process(other).unwrap_err(), BadPicture::WrongKind);
        }
        for whole in [&jpeg, &png, &webp, &turned(&jpeg)] {
            assert!(process(whole).is_ok());
            for part in [12, whole.len() / 2, whole.len() - 20] {
                assert!(process(&whole[..part]).is_err(), "{part} of {}", whole.len());
            }
        }
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        // A PNG of 50,000 × 50,000 pixels in sixty bytes: the header's checksum is right, the rest is not looked at.
        let mut header = b"IHDR".to_vec();
        header.extend_from_slice(&50_000u32.to_be_bytes());
        header.extend_from_slice(&50_000u32.to_be_bytes());
        header.extend_from_slice(&[8, 6, 0, 0, 0]);
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        png.extend_from_slice(&header);
        png.extend_from_slice(&crc(&header).to_be_bytes());
        png.extend_from_slice(b"\0\0\0\x02IDAT\x78\x9c\0\0\0\0");
        assert_eq!(process(&png).unwrap_err(), BadPicture::TooManyPixels);
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, b| {
            (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
        })
    }

    #[test]
    fn what_hangs_behind_a_picture_is_left_behind() {
        let mut polyglot = sample(ImageFormat::Jpeg, 300, 200);
        polyglot.extend_from_slice(b"<script>alert('polyglot')</script>PK\x03\x04");
        for (_, file) in process(&polyglot).unwrap().files {
            assert!(!file.windows(8).any(|w| w == b"polyglot"));
        }
    }
}
