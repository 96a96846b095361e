//! Keys that do not leak: a [`Secret`] cannot be printed, serialised or compared by accident, and a [`Mask`] knows every loaded
//! secret and takes it out of whatever is stored or printed.

pub use secrecy::ExposeSecret;

/// A credential. `Debug` prints `[REDACTED]`; the memory is zeroed when dropped.
pub type Secret = secrecy::SecretString;

/// Stand-in until the process-wide mask is merged: nothing is loaded yet, so nothing is taken out.
pub fn mask_bytes(bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    std::borrow::Cow::Borrowed(bytes)
}
