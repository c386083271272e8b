//! From marks to bytes. Nothing in them depends on the machine, the time or chance, so that the same paper is the same bytes.

use super::{
    layout::{HEIGHT, Mark, Tone, WIDTH},
    sheet::Sheet,
    typeset::TypeCase,
};
use anyhow::Context;
use krilla::{
    Document,
    color::rgb,
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    page::PageSettings,
    paint::Fill,
    surface::Surface,
};

/// Draws the pages of a sheet.
pub(super) fn write(fonts: &TypeCase, sheet: &Sheet, pages: &[Vec<Mark>]) -> anyhow::Result<Vec<u8>> {
    let mut document = Document::new();
    let day = sheet.issued_on;
    let date = DateTime::new(u16::try_from(day.year()).unwrap_or_default()).month(day.month().into()).day(day.day());
    document.set_metadata(
        Metadata::new()
            .title(format!("{} {}", sheet.title, sheet.number))
            .authors(vec![sheet.parties[0].1.name.clone()])
            .creator("Souk".into())
            .language("en".into())
            .creation_date(date)
            .document_id(sheet.id.clone()),
    );
    for marks in pages {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).context("a page has a size")?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            draw(&mut surface, fonts, mark);
        }
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|error| anyhow::anyhow!("the PDF of {} cannot be written: {error:?}", sheet.number))
}

fn draw(surface: &mut Surface<'_>, fonts: &TypeCase, mark: &Mark) {
    match mark {
        Mark::Text { x, y, size, weight, tone, text } => {
            surface.set_fill(Some(match tone {
                Tone::Ink => fill(28, 25, 23),
                Tone::Soft => fill(98, 92, 86),
            }));
            let mut x = *x;
            for run in fonts.shape(text, *weight) {
                surface.draw_glyphs(Point::from_xy(x, *y), &run.glyphs, run.font, &run.text, *size, false);
                x += run.advance * size;
            }
        }
        Mark::Rule { x, y, width, heavy } => {
            surface.set_fill(Some(if *heavy { fill(98, 92, 86) } else { fill(217, 212, 205) }));
            let thick = if *heavy { 0.8 } else { 0.5 };
            let mut path = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(*x, *y, *width, thick) {
                path.push_rect(rect);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

fn fill(red: u8, green: u8, blue: u8) -> Fill {
    Fill { paint: rgb::Color::new(red, green, blue).into(), opacity: NormalizedF32::ONE, rule: Default::default() }
}
