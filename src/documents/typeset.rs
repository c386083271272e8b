//! Type: which font has a letter, how wide a text is, and where its lines break. Figtree is the shop's family; what it lacks is set
//! from Noto Sans; what both lack is shown as U+FFFD, so that nothing vanishes silently.

use anyhow::Context;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, Feature, UnicodeBuffer, ttf_parser::Tag};
use std::sync::OnceLock;

/// What stands for a letter that no font here has.
pub const MISSING: char = '\u{fffd}';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    SemiBold,
}

/// One weight of one family.
struct Cut {
    face: Face<'static>,
    font: Font,
    units: f32,
}

impl Cut {
    fn load(data: &'static [u8]) -> anyhow::Result<Self> {
        let face = Face::from_slice(data, 0).context("an embedded font cannot be read")?;
        let font = Font::new(data.into(), 0).context("an embedded font cannot be read")?;
        let units = font.units_per_em();
        Ok(Self { face, font, units })
    }

    fn has(&self, c: char) -> bool {
        self.face.glyph_index(c).is_some()
    }
}

/// The fonts, compiled in. By weight, the family that comes first is preferred.
pub struct TypeCase {
    regular: [Cut; 2],
    semibold: [Cut; 2],
}

/// A part of a line that is set from one font. Advances are in parts of the font size.
pub struct Run {
    pub font: Font,
    pub text: String,
    pub glyphs: Vec<KrillaGlyph>,
    pub advance: f32,
}

impl TypeCase {
    /// The fonts, read once for all papers.
    pub fn ready() -> anyhow::Result<&'static Self> {
        static READY: OnceLock<TypeCase> = OnceLock::new();
        match READY.get() {
            Some(case) => Ok(case),
            None => {
                let case = Self::load()?;
                Ok(READY.get_or_init(|| case))
            }
        }
    }

    pub fn load() -> anyhow::Result<Self> {
        Ok(Self {
            regular: [
                Cut::load(include_bytes!("fonts/figtree-regular.ttf"))?,
                Cut::load(include_bytes!("fonts/noto-sans-regular.ttf"))?,
            ],
            semibold: [
                Cut::load(include_bytes!("fonts/figtree-semibold.ttf"))?,
                Cut::load(include_bytes!("fonts/noto-sans-semibold.ttf"))?,
            ],
        })
    }

    fn cuts(&self, weight: Weight) -> &[Cut; 2] {
        match weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semibold,
        }
    }

    /// The text as it can be set: white space folded, what is invisible by nature left out, and [`MISSING`] for each letter that
    /// no font has.
    pub fn legible(&self, text: &str) -> String {
        let shown = text.chars().filter(|c| !invisible(*c)).map(|c| {
            if c.is_whitespace() || c.is_control() {
                ' '
            } else if self.regular.iter().any(|cut| cut.has(c)) {
                c
            } else {
                MISSING
            }
        });
        let shown: String = shown.collect();
        shown.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The runs of a legible text.
    pub fn shape(&self, text: &str, weight: Weight) -> Vec<Run> {
        let cuts = self.cuts(weight);
        let mut runs = Vec::new();
        let (mut start, mut current) = (0, None);
        for (at, c) in text.char_indices() {
            // A space or a comma between two Greek words stays in their font.
            let stays = current.filter(|i: &usize| !c.is_alphanumeric() && cuts[*i].has(c));
            let wanted = stays.or_else(|| cuts.iter().position(|cut| cut.has(c))).unwrap_or(0);
            match current {
                Some(i) if i != wanted => {
                    runs.push(run(&cuts[i], &text[start..at]));
                    (start, current) = (at, Some(wanted));
                }
                Some(_) => {}
                None => current = Some(wanted),
            }
        }
        if let Some(i) = current {
            runs.push(run(&cuts[i], &text[start..]));
        }
        runs
    }

    /// How wide a legible text is, in points.
    pub fn width(&self, text: &str, weight: Weight, size: f32) -> f32 {
        self.shape(text, weight).iter().map(|run| run.advance * size).sum()
    }

    /// The lines of a text in a column: broken at spaces, and inside a word only where it is wider than the column. Text that is empty
    /// has no lines.
    pub fn wrap(&self, text: &str, weight: Weight, size: f32, width: f32) -> Vec<String> {
        let text = self.legible(text);
        let fits = |line: &str| self.width(line, weight, size) <= width;
        let (mut lines, mut line) = (Vec::new(), String::new());
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if fits(&longer) {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            if fits(word) {
                line = word.to_owned();
                continue;
            }
            for c in word.chars() {
                line.push(c);
                if !joins(c) && !fits(&line) && line.chars().nth(1).is_some() {
                    line.pop();
                    lines.push(std::mem::take(&mut line));
                    line.push(c);
                }
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }
}

/// Characters that only steer how others are shown.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// An accent that belongs to the letter before it.
fn joins(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn run(cut: &Cut, text: &str) -> Run {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    buffer.set_direction(Direction::LeftToRight);
    // Figures of one width, so that columns of amounts stand.
    let features = [Feature::new(Tag::from_bytes(b"tnum"), 1, ..)];
    let shaped = rustybuzz::shape(&cut.face, &features, buffer);
    let infos = shaped.glyph_infos();
    let mut glyphs = Vec::with_capacity(infos.len());
    for (i, (info, position)) in infos.iter().zip(shaped.glyph_positions()).enumerate() {
        let start = info.cluster as usize;
        let end = infos[i..].iter().map(|next| next.cluster as usize).find(|next| *next > start).unwrap_or(text.len());
        let part = |units: i32| units as f32 / cut.units;
        glyphs.push(KrillaGlyph::new(
            GlyphId::new(info.glyph_id),
            part(position.x_advance),
            part(position.x_offset),
            part(position.y_offset),
            part(position.y_advance),
            start..end,
            None,
        ));
    }
    let advance = glyphs.iter().map(|glyph| glyph.x_advance).sum();
    Run { font: cut.font.clone(), text: text.to_owned(), glyphs, advance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_has_is_shown_as_missing() {
        let fonts = TypeCase::load().unwrap();
        assert_eq!(fonts.legible("Töpferei Żółć Ελλάδα Кухня 5 €"), "Töpferei Żółć Ελλάδα Кухня 5 €");
        assert_eq!(fonts.legible("مزهرية"), "\u{fffd}".repeat(6));
        assert_eq!(fonts.legible("花瓶 vase"), "\u{fffd}\u{fffd} vase");
        assert_eq!(fonts.legible(" a\tb\nc\u{200f}\u{202e}d "), "a b cd");
        assert_eq!(fonts.legible("\u{0}🏺"), "\u{fffd}");
        for weight in [Weight::Regular, Weight::SemiBold] {
            let glyphs = fonts.shape("Ελλάδα, Töpferei \u{fffd}", weight);
            assert!(glyphs.iter().flat_map(|r| &r.glyphs).all(|g| g.glyph_id != GlyphId::new(0)), "no letter without a shape");
        }
    }

    #[test]
    fn figures_are_of_one_width() {
        let fonts = TypeCase::load().unwrap();
        let width = |text| fonts.width(text, Weight::Regular, 10.0);
        assert!((width("1111.11") - width("8888.88")).abs() < 0.001);
    }

    #[test]
    fn lines_break_at_spaces_and_inside_only_where_they_must() {
        let fonts = TypeCase::load().unwrap();
        let wrap = |text, width| fonts.wrap(text, Weight::Regular, 10.0, width);
        assert_eq!(wrap("one two three", 500.0), ["one two three"]);
        assert_eq!(wrap("one two three", 40.0), ["one two", "three"]);
        assert_eq!(wrap("", 40.0), Vec::<String>::new());
        let long = "x".repeat(200);
        let lines = wrap(&long, 40.0);
        assert!(lines.len() > 5 && lines.concat() == long);
        assert!(lines.iter().all(|l| fonts.width(l, Weight::Regular, 10.0) <= 40.0));
        // Narrower than a letter: one on each line, and an end.
        assert_eq!(wrap("ab", 0.5), ["a", "b"]);
    }
}
