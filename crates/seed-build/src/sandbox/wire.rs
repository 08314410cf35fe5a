//! What passes between the builder and the helper process: length-prefixed frames over one socket.
//!
//! Invariant: the builder believes no length: a frame larger than [`MAX_FRAME`] ends the conversation.

use std::io::{self, Read, Write};

/// Largest frame in bytes.
const MAX_FRAME: usize = 1 << 20;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// The order, a JSON document (to the helper).
    Order,
    /// A piece of the archive of the current output.
    Piece,
    /// The end of the current output; the next one follows.
    End,
    /// What happened, a JSON document; the last frame.
    Report,
}

impl Tag {
    const ALL: [Tag; 4] = [Tag::Order, Tag::Piece, Tag::End, Tag::Report];
}

pub(super) fn send(stream: &mut impl Write, tag: Tag, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() > MAX_FRAME {
        return Err(io::Error::other("a message is too long"));
    }
    let mut frame = Vec::with_capacity(bytes.len() + 5);
    frame.push(tag as u8);
    frame.extend((bytes.len() as u32).to_le_bytes());
    frame.extend_from_slice(bytes);
    stream.write_all(&frame)
}

pub(super) fn receive(stream: &mut impl Read) -> io::Result<(Tag, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let tag = Tag::ALL.into_iter().find(|tag| *tag as u8 == head[0]);
    let tag = tag.ok_or_else(|| io::Error::other("a message of unknown kind"))?;
    let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::other("a message is too long"));
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok((tag, bytes))
}

/// Cuts what is written into frames.
#[derive(Debug)]
pub(super) struct Pieces<W>(pub(super) W);

impl<W: Write> Write for Pieces<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(MAX_FRAME);
        send(&mut self.0, Tag::Piece, &bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Joins the frames of one output again; at its end nothing more can be read.
#[derive(Debug)]
pub(super) struct Joined<R> {
    pub(super) stream: R,
    pub(super) piece: Vec<u8>,
    pub(super) at: usize,
    pub(super) ended: bool,
}

impl<R: Read> Read for Joined<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && !self.ended {
            match receive(&mut self.stream)? {
                (Tag::Piece, bytes) => (self.piece, self.at) = (bytes, 0),
                (Tag::End, _) => self.ended = true,
                _ => return Err(io::Error::other("an output ends too early")),
            }
        }
        let count = (self.piece.len() - self.at).min(to.len());
        to[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
