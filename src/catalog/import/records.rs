//! Records of a CSV file one at a time, in bounded memory whatever the file holds, with the line each begins on.

use std::io::{self, BufRead};

/// The longest record: a description of 10,000 characters in the widest encoding, quoted, and all else.
pub const MAX_RECORD: usize = 64 * 1024;

/// One record's bytes as they stand in the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Record {
    Whole(Vec<u8>),
    /// Longer than [`MAX_RECORD`]; its bytes were read past and not kept.
    TooLong,
}

/// Splits bytes that come piece by piece at line ends outside quotes. Empty lines are passed over.
pub struct Splitter {
    kept: Vec<u8>,
    length: usize,
    quoted: bool,
    line: u64,
    /// Where the record that is being read begins: its byte, and its line.
    begins: (u64, u64),
}

impl Splitter {
    /// Begins at this byte of a file, which is on this line; both count what stands before it, lines from 1.
    pub fn at(byte: u64, line: u64) -> Self {
        Self { kept: Vec::new(), length: 0, quoted: false, line, begins: (byte, line) }
    }

    /// Where the next record begins: its byte and its line.
    pub fn place(&self) -> (u64, u64) {
        self.begins
    }

    /// Takes from `bytes` up to the end of the next record: how many, and the record with the line it begins on where it ends there.
    pub fn feed(&mut self, bytes: &[u8]) -> (usize, Option<(u64, Record)>) {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
            let end = self.end_of_record(rest);
            let taken = end.unwrap_or(rest.len());
            self.length = self.length.saturating_add(taken);
            if self.length <= MAX_RECORD {
                self.kept.extend(rest.iter().take(taken));
            } else {
                self.kept = Vec::new();
            }
            used += taken;
            if end.is_some()
                && let Some(found) = self.finish()
            {
                return (used, Some(found));
            }
        }
        (used, None)
    }

    /// What stands behind the last line end.
    pub fn end(&mut self) -> Option<(u64, Record)> {
        self.finish()
    }

    fn end_of_record(&mut self, bytes: &[u8]) -> Option<usize> {
        for (i, byte) in bytes.iter().enumerate() {
            match byte {
                b'"' => self.quoted = !self.quoted,
                b'\n' => {
                    self.line += 1;
                    if !self.quoted {
                        return Some(i + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn finish(&mut self) -> Option<(u64, Record)> {
        let (kept, length, line) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.length), self.begins.1);
        self.begins = (self.begins.0 + length as u64, self.line);
        if length > MAX_RECORD {
            return Some((line, Record::TooLong));
        }
        let empty = kept.iter().all(|b| matches!(b, b'\r' | b'\n'));
        (!empty).then_some((line, Record::Whole(kept)))
    }
}

/// The records of something that can be read.
pub struct Records<R> {
    input: R,
    split: Splitter,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R) -> Self {
        Self { input, split: Splitter::at(0, 1) }
    }

    /// The next record and the line it begins on, the first being 1. `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<(u64, Record)>> {
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok(self.split.end());
            }
            let (used, found) = self.split.feed(chunk);
            self.input.consume(used);
            if found.is_some() {
                return Ok(found);
            }
        }
    }
}

/// The fields of one record.
pub fn fields(record: &[u8], separator: u8) -> Result<csv::ByteRecord, csv::Error> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(record);
    let mut fields = csv::ByteRecord::new();
    reader.read_byte_record(&mut fields)?;
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &[u8]) -> Vec<(u64, Record)> {
        let mut records = Records::new(io::BufReader::with_capacity(7, text));
        std::iter::from_fn(|| records.next().unwrap()).collect()
    }

    #[test]
    fn lines_are_counted_and_quotes_span_them() {
        let got = all(b"a,b\r\n\n\"x\ny\",\"say \"\"z\"\"\"\nlast");
        let lines: Vec<u64> = got.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 3, 5]);
        let Record::Whole(bytes) = &got[1].1 else { panic!("too long") };
        let fields = fields(bytes, b',').unwrap();
        assert_eq!((&fields[0], &fields[1]), (&b"x\ny"[..], &b"say \"z\""[..]));
    }

    #[test]
    fn a_quote_that_never_closes_does_not_fill_the_memory() {
        let mut text = b"a\n\"".to_vec();
        text.extend(std::iter::repeat_n(b'x', MAX_RECORD * 3));
        assert_eq!(all(&text).last(), Some(&(2, Record::TooLong)));
    }

    proptest! {
        #[test]
        fn who_goes_on_at_the_place_reads_the_rest(bytes in prop::collection::vec(prop::sample::select(&b"a,\"\r\n"[..]), 0..80), stop in 0usize..6) {
            let mut split = Splitter::at(0, 1);
            let (mut used, mut first) = (0, Vec::new());
            while first.len() < stop {
                let (n, found) = split.feed(&bytes[used..]);
                used += n;
                match found.or_else(|| split.end()) {
                    Some(found) => first.push(found),
                    None => break,
                }
            }
            let (byte, line) = split.place();
            let mut rest = Splitter::at(byte, line);
            let mut from = byte as usize;
            loop {
                let (n, found) = rest.feed(&bytes[from..]);
                from += n;
                match found.or_else(|| rest.end()) {
                    Some(found) => first.push(found),
                    None => break,
                }
            }
            prop_assert_eq!(first, all(&bytes));
        }

        #[test]
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            for (_, record) in all(&bytes) {
                if let Record::Whole(bytes) = record {
                    let _ = fields(&bytes, b',');
                }
            }
        }
    }
}
