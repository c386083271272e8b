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

/// Splits at line ends outside quotes.
pub struct Records<R> {
    input: R,
    line: u64,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R) -> Self {
        Self { input, line: 1 }
    }

    /// The next record and the line it begins on, the first being 1. Empty lines are passed over. `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<(u64, Record)>> {
        loop {
            let start = self.line;
            let Some(record) = self.one()? else { return Ok(None) };
            match record {
                Record::Whole(bytes) if bytes.iter().all(|b| matches!(b, b'\r' | b'\n')) => {}
                record => return Ok(Some((start, record))),
            }
        }
    }

    fn one(&mut self) -> io::Result<Option<Record>> {
        let (mut kept, mut length, mut quoted) = (Vec::new(), 0usize, false);
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok((length > 0).then(|| finish(kept, length)));
            }
            let mut end = None;
            for (i, byte) in chunk.iter().enumerate() {
                match byte {
                    b'"' => quoted = !quoted,
                    b'\n' => {
                        self.line += 1;
                        if !quoted {
                            end = Some(i + 1);
                            break;
                        }
                    }
                    _ => {}
                }
            }
            let used = end.unwrap_or(chunk.len());
            length = length.saturating_add(used);
            if length <= MAX_RECORD {
                kept.extend_from_slice(&chunk[..used]);
            } else {
                kept = Vec::new();
            }
            self.input.consume(used);
            if end.is_some() {
                return Ok(Some(finish(kept, length)));
            }
        }
    }
}

fn finish(kept: Vec<u8>, length: usize) -> Record {
    if length > MAX_RECORD { Record::TooLong } else { Record::Whole(kept) }
}

/// The fields of one record.
pub fn fields(record: &[u8]) -> Result<csv::ByteRecord, csv::Error> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(record);
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
        let fields = fields(bytes).unwrap();
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
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            for (_, record) in all(&bytes) {
                if let Record::Whole(bytes) = record {
                    let _ = fields(&bytes);
                }
            }
        }
    }
}
