//! The file, from the store, record by record from any place on; no more of it in memory than one piece and one record.

use crate::{
    catalog::import::{BATCH, Record, Splitter},
    ids::ImportId,
    server::storage::{Pieces, Storage, StorageError},
};
use bytes::{Buf, Bytes};

pub struct Source {
    pieces: Pieces,
    piece: Bytes,
    split: Splitter,
}

impl Source {
    /// From this byte on, which is on this line. `None` where the file is gone.
    pub async fn open(storage: &Storage, import: ImportId, byte: u64, line: u64) -> Result<Option<Self>, StorageError> {
        let pieces = storage.read_from(&super::key(import), byte).await?;
        Ok(pieces.map(|pieces| Self { pieces, piece: Bytes::new(), split: Splitter::at(byte, line) }))
    }

    /// Where the next record begins: its byte and its line.
    pub fn place(&self) -> (u64, u64) {
        self.split.place()
    }

    /// The next record and its line; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<(u64, Record)>, StorageError> {
        loop {
            while self.piece.is_empty() {
                match self.pieces.next().await? {
                    Some(piece) => self.piece = piece,
                    None => return Ok(self.split.end()),
                }
            }
            let (used, found) = self.split.feed(&self.piece);
            self.piece.advance(used);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// The next records; fewer than a batch only at the end.
    pub async fn batch(&mut self) -> Result<Vec<(u64, Record)>, StorageError> {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            let Some(found) = self.next().await? else { break };
            batch.push(found);
        }
        Ok(batch)
    }
}
