//! Numbers as bytes, little-endian, with a checksum behind them: what an index is made of.

use sha2::{Digest, Sha256};
use std::io::{BufReader, BufWriter, Error, ErrorKind, Read, Result, Take, Write};

const BUFFER: usize = 256 << 10;

/// Writes fields and the checksum of all of them.
pub(super) struct Packer<W: Write> {
    file: BufWriter<Hashing<W>>,
}

/// Reads them back.
pub(super) struct Unpacker<R: Read> {
    file: BufReader<Hashing<Take<R>>>,
    /// Bytes that can still follow: what a damaged file claims beyond them is not believed.
    left: u64,
}

/// Counts every byte that passes into a checksum.
struct Hashing<F> {
    file: F,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }
    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let read = self.file.read(bytes)?;
        self.digest.update(&bytes[..read]);
        Ok(read)
    }
}

/// A number of a fixed width.
pub(super) trait Number: Copy {
    const WIDTH: usize;
    fn put(self, bytes: &mut [u8]);
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! number {
    ($type:ty) => {
        impl Number for $type {
            const WIDTH: usize = size_of::<$type>();
            fn put(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> $type {
                <$type>::from_le_bytes(bytes.try_into().unwrap_or_default())
            }
        }
    };
}
number!(u8);
number!(u32);
number!(u64);
number!(i64);
number!(f64);

pub(super) fn damaged() -> Error {
    Error::from(ErrorKind::InvalidData)
}

impl<W: Write> Packer<W> {
    pub fn new(file: W) -> Packer<W> {
        Packer { file: BufWriter::with_capacity(BUFFER, Hashing { file, digest: Sha256::new() }) }
    }
    pub fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)
    }
    pub fn number<N: Number>(&mut self, number: N) -> Result<()> {
        self.numbers_of(&[number])
    }
    /// A length, then so many bytes.
    pub fn text(&mut self, bytes: &[u8]) -> Result<()> {
        self.number(bytes.len() as u64)?;
        self.raw(bytes)
    }
    /// A length, then so many numbers.
    pub fn numbers<N: Number>(&mut self, numbers: &[N]) -> Result<()> {
        self.number(numbers.len() as u64)?;
        self.numbers_of(numbers)
    }
    fn numbers_of<N: Number>(&mut self, numbers: &[N]) -> Result<()> {
        let mut block = [0u8; 8 << 10];
        for numbers in numbers.chunks(block.len() / N::WIDTH) {
            let bytes = &mut block[..numbers.len() * N::WIDTH];
            for (number, bytes) in numbers.iter().zip(bytes.chunks_exact_mut(N::WIDTH)) {
                number.put(bytes);
            }
            self.file.write_all(bytes)?;
        }
        Ok(())
    }
    pub fn finish(self) -> Result<()> {
        let mut hashing = self.file.into_inner().map_err(|error| error.into_error())?;
        let digest = hashing.digest.finalize();
        hashing.file.write_all(&digest)
    }
}

impl<R: Read> Unpacker<R> {
    /// `length` is that of the whole file.
    pub fn new(file: R, length: u64) -> Result<Unpacker<R>> {
        let left = length.checked_sub(32).ok_or_else(damaged)?;
        // The sum is of what stands before it.
        let hashing = Hashing { file: file.take(left), digest: Sha256::new() };
        Ok(Unpacker { file: BufReader::with_capacity(BUFFER, hashing), left })
    }
    pub fn raw<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.exactly(&mut bytes)?;
        Ok(bytes)
    }
    pub fn number<N: Number>(&mut self) -> Result<N> {
        let mut bytes = [0u8; 8];
        self.exactly(&mut bytes[..N::WIDTH])?;
        Ok(N::get(&bytes[..N::WIDTH]))
    }
    pub fn text(&mut self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.length(1)?];
        self.exactly(&mut bytes)?;
        Ok(bytes)
    }
    pub fn numbers<N: Number>(&mut self) -> Result<Vec<N>> {
        let length = self.length(N::WIDTH)?;
        let mut numbers = Vec::with_capacity(length);
        let mut block = [0u8; 8 << 10];
        while numbers.len() < length {
            let bytes = &mut block[..(length - numbers.len()).min((8 << 10) / N::WIDTH) * N::WIDTH];
            self.exactly(bytes)?;
            numbers.extend(bytes.chunks_exact(N::WIDTH).map(N::get));
        }
        Ok(numbers)
    }
    /// Compares the checksum; nothing read before is to be believed without it.
    pub fn finish(self) -> Result<()> {
        let hashing = self.file.into_inner();
        let mut told = [0u8; 32];
        hashing.file.into_inner().read_exact(&mut told)?;
        if self.left == 0 && hashing.digest.finalize()[..] == told { Ok(()) } else { Err(damaged()) }
    }

    fn length(&mut self, width: usize) -> Result<usize> {
        let length: u64 = self.number()?;
        let fits = length.checked_mul(width as u64).is_some_and(|bytes| bytes <= self.left);
        if fits { Ok(length as usize) } else { Err(damaged()) }
    }
    fn exactly(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(damaged)?;
        self.file.read_exact(bytes)
    }
}
