//! What both transports say of a connection: its number, how a host is written, and whose fault a failure is.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of a new connection, unique in this process whatever its transport.
pub(super) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Host and port as a request names them: IPv6 in brackets.
pub(super) fn authority(host: &str, port: Option<u16>) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
}

/// Whether an error of the system speaks of our own machine or line.
pub(super) fn is_local(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkDown, NetworkUnreachable};
    let of_the_line = matches!(error.kind(), AddrNotAvailable | HostUnreachable | NetworkDown | NetworkUnreachable);
    // No descriptor is left, which has no kind of its own.
    let of_the_process = cfg!(unix) && error.raw_os_error().is_some_and(|code| [libc::EMFILE, libc::ENFILE].contains(&code));
    of_the_line || of_the_process
}

/// Whether a failed look-up is our resolver's fault; that a name does not exist is not.
pub(super) fn is_resolver_fault(error: &io::Error) -> bool {
    let text = error.to_string();
    is_local(error) || !["not known", "No address", "nodename nor servname", "no address"].iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_our_own_line_is_told_from_the_providers() {
        assert!(is_local(&io::Error::from_raw_os_error(libc::ENETUNREACH)));
        assert!(!is_local(&io::Error::from_raw_os_error(libc::ECONNREFUSED)));
        assert!(is_resolver_fault(&io::Error::other("failed to lookup address information: Temporary failure in name resolution")));
        assert!(!is_resolver_fault(&io::Error::other("failed to lookup address information: Name or service not known")));
    }

    #[test]
    fn an_address_of_version_6_stands_in_brackets() {
        assert_eq!(authority("::1", Some(80)), "[::1]:80");
        assert_eq!(authority("a.example", None), "a.example");
    }
}
