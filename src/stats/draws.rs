//! Random numbers that a seed fixes for good: one ChaCha8 stream per resample, so that neither order nor threads can change them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The stream of one resample. The purpose keeps procedures of one seed from sharing their numbers; 24 bytes of it count.
pub(super) fn stream(seed: u64, purpose: &str, resample: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    for (at, byte) in key[8..].iter_mut().zip(purpose.bytes()) {
        *at = byte;
    }
    let mut stream = ChaCha8Rng::from_seed(key);
    stream.set_stream(resample);
    stream
}

/// Fisher and Yates, by hand: a library's own shuffle may change its draws from release to release.
pub(super) fn shuffle<T>(items: &mut [T], random: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, (random.next_u64() % (last as u64 + 1)) as usize);
    }
}
