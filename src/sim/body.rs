//! How a body is framed: HTTP chunks or plain until the connection closes, as it is or as a gzip of stored blocks.

/// Frames the pieces of one body.
#[derive(Debug)]
pub struct Framing {
    chunked: bool,
    gzip: Option<Gzip>,
    packed: Vec<u8>,
}

#[derive(Debug)]
struct Gzip {
    crc: u32,
    length: u32,
    begun: bool,
}

impl Framing {
    /// For one body.
    pub fn new(chunked: bool, gzip: bool) -> Framing {
        Framing { chunked, gzip: gzip.then_some(Gzip { crc: !0, length: 0, begun: false }), packed: Vec::new() }
    }

    /// Writes one piece: one chunk. Nothing for an empty piece, since an empty chunk would end the body.
    pub fn piece(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if payload.is_empty() {
            return;
        }
        match &mut self.gzip {
            None => chunk(self.chunked, payload, out),
            Some(gzip) => {
                self.packed.clear();
                gzip.pack(payload, &mut self.packed);
                chunk(self.chunked, &self.packed, out);
            }
        }
    }

    /// Writes the end of the body.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(gzip) = &mut self.gzip {
            self.packed.clear();
            gzip.pack(&[], &mut self.packed);
            self.packed.extend([1, 0, 0, 0xff, 0xff]);
            self.packed.extend((!gzip.crc).to_le_bytes());
            self.packed.extend(gzip.length.to_le_bytes());
            chunk(self.chunked, &self.packed, out);
        }
        if self.chunked {
            out.extend_from_slice(b"0\r\n\r\n");
        }
    }
}

fn chunk(chunked: bool, payload: &[u8], out: &mut Vec<u8>) {
    if !chunked {
        return out.extend_from_slice(payload);
    }
    let mut shift = 60;
    while 0 < shift && (payload.len() >> shift) & 15 == 0 {
        shift -= 4;
    }
    loop {
        out.push(b"0123456789abcdef"[(payload.len() >> shift) & 15]);
        if shift == 0 {
            break;
        }
        shift -= 4;
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

impl Gzip {
    fn pack(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        if !self.begun {
            self.begun = true;
            out.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        }
        for part in payload.chunks(0xffff) {
            let length = part.len() as u16;
            out.push(0);
            out.extend(length.to_le_bytes());
            out.extend((!length).to_le_bytes());
            out.extend_from_slice(part);
            for byte in part {
                self.crc ^= u32::from(*byte);
                for _ in 0..8 {
                    self.crc = (self.crc >> 1) ^ (0xedb8_8320 & (self.crc & 1).wrapping_neg());
                }
            }
            self.length = self.length.wrapping_add(u32::from(length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_tells_its_length_in_hexadecimal() {
        for (length, size) in [(1, "1"), (15, "f"), (16, "10"), (4096, "1000"), (65_537, "10001")] {
            let mut out = Vec::new();
            Framing::new(true, false).piece(&vec![b'x'; length], &mut out);
            assert!(out.starts_with(format!("{size}\r\nx").as_bytes()), "{length}");
            assert_eq!(out.len(), size.len() + 4 + length);
        }
        let mut out = Vec::new();
        let mut framing = Framing::new(true, false);
        framing.piece(b"", &mut out);
        assert!(out.is_empty());
        framing.end(&mut out);
        assert_eq!(out, b"0\r\n\r\n");
    }

    #[test]
    fn a_gzip_has_the_known_checksum() {
        let mut out = Vec::new();
        let mut framing = Framing::new(false, true);
        framing.piece(b"1234", &mut out);
        framing.piece(b"56789", &mut out);
        framing.end(&mut out);
        // The check value of CRC-32 for "123456789" is cbf43926.
        assert!(out.ends_with(&[0x26, 0x39, 0xf4, 0xcb, 9, 0, 0, 0]));
    }
}
