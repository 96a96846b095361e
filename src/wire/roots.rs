//! Whom TLS trusts: the system's roots, loaded once when first needed, and beside them a private CA that a target names.
//! Verification cannot be switched off.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// The trusted roots and the TLS settings made from them. Cheap to clone; clones share what was loaded.
#[derive(Debug, Clone, Default)]
pub struct Roots(Arc<Shared>);

/// A private CA, and whether HTTP/2 is offered.
type Key = (Option<PathBuf>, bool);

#[derive(Debug, Default)]
struct Shared {
    system: OnceLock<Vec<CertificateDer<'static>>>,
    configs: Mutex<HashMap<Key, Arc<ClientConfig>>>,
}

impl Roots {
    /// The system's roots; nothing is read before the first TLS connection.
    pub fn system() -> Roots {
        Roots::default()
    }
    /// TLS settings that trust the system's roots and the certificates of `ca_file` (PEM). `http2` offers HTTP/2 and nothing else.
    ///
    /// Sessions are not resumed: every connection makes a full handshake, so that connect times can be compared.
    pub fn config(&self, ca_file: Option<&Path>, http2: bool) -> Result<Arc<ClientConfig>, String> {
        let key = (ca_file.map(Path::to_owned), http2);
        let mut configs = self.0.configs.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(config) = configs.get(&key) {
            return Ok(config.clone());
        }
        let config = Arc::new(self.make(ca_file, http2)?);
        configs.insert(key, config.clone());
        Ok(config)
    }

    fn make(&self, ca_file: Option<&Path>, http2: bool) -> Result<ClientConfig, String> {
        let mut store = RootCertStore::empty();
        let system = self.0.system.get_or_init(|| rustls_native_certs::load_native_certs().certs);
        store.add_parsable_certificates(system.iter().cloned());
        if let Some(path) = ca_file {
            let read = |error: &dyn std::fmt::Display| format!("ca_file {}: {error}", path.display());
            let certificates = CertificateDer::pem_file_iter(path).map_err(|error| read(&error))?;
            let before = store.len();
            for certificate in certificates {
                store.add(certificate.map_err(|error| read(&error))?).map_err(|error| read(&error))?;
            }
            if store.len() == before {
                return Err(read(&"holds no PEM certificate"));
            }
        }
        if store.is_empty() {
            return Err("this system has no trusted roots; name a CA with ca_file".to_owned());
        }
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
        let mut config = builder.map_err(|error| error.to_string())?.with_root_certificates(store).with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_without_a_certificate_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Roots::system().config(Some(file.path()), false).unwrap_err();
        assert!(error.contains("holds no PEM certificate"), "{error}");
        let error = Roots::system().config(Some(Path::new("/nowhere.pem")), false).unwrap_err();
        assert!(error.contains("/nowhere.pem"), "{error}");
    }

    #[test]
    fn settings_are_made_once() {
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), certificate.pem()).unwrap();
        let roots = Roots::system();
        let first = roots.config(Some(file.path()), false).unwrap();
        assert!(Arc::ptr_eq(&first, &roots.clone().config(Some(file.path()), false).unwrap()));
        assert!(!Arc::ptr_eq(&first, &roots.config(Some(file.path()), true).unwrap()));
    }
}
