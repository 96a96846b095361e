//! Keys that do not leak: a [`Secret`] cannot be printed, serialised or compared by accident, and a [`Mask`] knows every loaded
//! secret and takes it out of whatever is stored or printed, also where a provider echoes it in another coating.
//!
//! A found secret is replaced by asterisks of the same length, so that the lengths which a record keeps beside its text stay true.
//! A key that a stream spreads over several chunks stands whole in the joined text of a record, and is found there.

mod env_file;
pub mod open;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
pub use env_file::{EnvFile, EnvFileError, is_variable_name};
use memchr::memmem::Finder;
pub use secrecy::ExposeSecret;
use std::borrow::Cow;
use std::sync::{OnceLock, PoisonError, RwLock};

/// A credential. `Debug` prints `[REDACTED]`; the memory is zeroed when dropped.
pub type Secret = secrecy::SecretString;

/// Why a text cannot serve as a key. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// Too short to be found again without masking ordinary words.
    #[error("it has fewer than {SHORTEST} characters; so short a key cannot be kept out of records safely")]
    TooShort,
    /// It would not go into a header.
    #[error("it holds spaces, control characters or letters beyond ASCII; a key is one word")]
    NotAWord,
}

/// The shortest key, bytes.
pub const SHORTEST: usize = 6;

/// Takes a key into a [`Secret`], white space around it dropped, and makes it known to the process-wide [`mask`].
pub fn load(text: &str) -> Result<Secret, BadSecret> {
    let word = text.trim();
    if word.len() < SHORTEST {
        return Err(BadSecret::TooShort);
    }
    if !word.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BadSecret::NotAWord);
    }
    mask().add(word);
    Ok(Secret::from(word.to_owned()))
}

/// The mask of this process: it knows every secret that [`load`] has taken.
pub fn mask() -> &'static Mask {
    static MASK: OnceLock<Mask> = OnceLock::new();
    MASK.get_or_init(Mask::default)
}

/// Knows secrets in all their coatings and masks them.
#[derive(Debug, Default)]
pub struct Mask {
    needles: RwLock<Vec<Needle>>,
}

/// One form of a secret, and how many asterisks stand for it.
struct Needle {
    finder: Finder<'static>,
    asterisks: usize,
}

impl std::fmt::Debug for Needle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Needle")
    }
}

impl Mask {
    /// Learns a secret: as it is, URL-encoded, in base64 at every alignment, and as JSON writes it; and so for each part of a
    /// pair `key:secret`.
    pub fn add(&self, secret: &str) {
        let parts = secret.split(':').filter(|part| part.len() >= SHORTEST && part.len() < secret.len());
        let forms: Vec<(Vec<u8>, usize)> = std::iter::once(secret).chain(parts).flat_map(forms).collect();
        let mut needles = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        for (form, asterisks) in forms {
            if needles.iter().all(|needle| needle.finder.needle() != form) {
                needles.push(Needle { finder: Finder::new(&form).into_owned(), asterisks });
            }
        }
        // Long forms first: a pair is masked before its parts.
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.finder.needle().len()));
    }

    /// The text without any secret.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.mask_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Every needle is ASCII or whole characters, so what is left is still UTF-8.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// The bytes without any secret.
    pub fn mask_bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let mut masked = Cow::Borrowed(bytes);
        for needle in self.needles.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if needle.finder.find(&masked).is_some() {
                masked = Cow::Owned(needle.cover(&masked));
            }
        }
        masked
    }

    /// Whether no secret is known.
    pub fn is_empty(&self) -> bool {
        self.needles.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Needle {
    fn cover(&self, bytes: &[u8]) -> Vec<u8> {
        let length = self.finder.needle().len();
        let mut covered = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for found in self.finder.find_iter(bytes) {
            covered.extend_from_slice(&bytes[at..found]);
            covered.resize(covered.len() + self.asterisks, b'*');
            at = found + length;
        }
        covered.extend_from_slice(&bytes[at..]);
        covered
    }
}

/// The forms of a secret, each with the number of asterisks that stand for it. JSON's escapes count as the one character that they
/// stand for, since a record's lengths count the text and not its escapes.
fn forms(secret: &str) -> Vec<(Vec<u8>, usize)> {
    let bytes = secret.as_bytes();
    let mut texts: Vec<String> = vec![secret.to_owned()];
    for escape in [escape_upper as fn(u8) -> String, escape_lower] {
        // RFC 3986's unreserved characters stay; some encoders leave more.
        for also in [&b"-._~"[..], b"-._~:", b"-._~/:", b"-._*"] {
            texts.push(
                bytes
                    .iter()
                    .map(|b| if b.is_ascii_alphanumeric() || also.contains(b) { (*b as char).to_string() } else { escape(*b) })
                    .collect(),
            );
        }
    }
    for engine in [STANDARD, URL_SAFE] {
        texts.extend((0..3).map(|before| inner_base64(&engine, bytes, before)).filter(|text| text.len() >= SHORTEST));
    }
    let mut forms: Vec<(Vec<u8>, usize)> =
        texts.into_iter().map(|text| (text.len(), text)).map(|(n, text)| (text.into_bytes(), n)).collect();
    for slash in ["/", "\\/", "\\u002f", "\\u002F"] {
        let escaped = secret.replace('\\', "\\\\").replace('"', "\\\"").replace('/', slash);
        forms.push((escaped.into_bytes(), secret.len()));
    }
    forms.sort();
    forms.dedup_by(|a, b| a.0 == b.0);
    forms
}

fn escape_upper(byte: u8) -> String {
    format!("%{byte:02X}")
}

fn escape_lower(byte: u8) -> String {
    format!("%{byte:02x}")
}

/// The characters of a secret's base64 that do not depend on what stands before it (`before` bytes, modulo 3) or after it.
fn inner_base64(engine: &impl Engine, secret: &[u8], before: usize) -> String {
    let mut padded = vec![0; before];
    padded.extend_from_slice(secret);
    let whole = engine.encode(&padded);
    let first = [0, 2, 3][before];
    let last = padded.len() * 8 / 6;
    whole[first..last].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-7f/3+a\"b9QzXw";

    fn masked(text: &str) -> String {
        let mask = Mask::default();
        mask.add(KEY);
        mask.mask(text).into_owned()
    }

    #[test]
    fn a_key_is_masked_raw_and_the_length_stays() {
        let text = format!("Incorrect API key: Bearer {KEY}.");
        assert_eq!(masked(&text), format!("Incorrect API key: Bearer {}.", "*".repeat(KEY.len())));
        assert_eq!(masked("nothing here"), "nothing here");
    }

    #[test]
    fn a_key_is_masked_in_every_coating() {
        let percent = "sk-7f%2F3%2Ba%22b9QzXw";
        for coated in [percent.to_owned(), percent.to_lowercase().replace("qzxw", "QzXw")] {
            assert!(!masked(&format!("/v1?key={coated}&x")).contains("7f%2"), "{coated}");
        }
        for before in ["", "a", "ab", "Bearer "] {
            for engine in [STANDARD, URL_SAFE] {
                let coated = engine.encode(format!("{before}{KEY}, x"));
                let left = engine.decode(masked(&coated).replace('*', "A")).unwrap();
                let same = left.windows(4).filter(|four| KEY.as_bytes().windows(4).any(|k| k == *four)).count();
                assert_eq!(same, 0, "{before:?} {coated}");
            }
        }
    }

    #[test]
    fn in_a_json_line_the_text_keeps_its_length() {
        let line = serde_json::to_string(&format!("a{KEY}b")).unwrap();
        let back: String = serde_json::from_str(&masked(&line)).unwrap();
        assert_eq!(back, format!("a{}b", "*".repeat(KEY.len())));
        assert!(!masked(&line.replace('/', "\\/")).contains("QzXw"));
    }

    #[test]
    fn each_part_of_a_pair_is_masked_too() {
        let mask = Mask::default();
        mask.add("appkey1:appsecret2");
        assert_eq!(mask.mask("appsecret2 appkey1:appsecret2 appkey1"), "********** ****************** *******");
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        assert_eq!(load("abc").unwrap_err(), BadSecret::TooShort);
        assert_eq!(load("two words").unwrap_err(), BadSecret::NotAWord);
        assert!(!format!("{:?}", load(" key-of-this-test\n").unwrap()).contains("key-of"));
        assert_eq!(mask().mask("key-of-this-test"), "****************");
    }
}
