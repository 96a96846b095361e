//! A certificate authority of one day, and its certificate for the loopback names.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The server's side of TLS, and where the authority's certificate lies.
#[derive(Debug)]
pub struct Certificate {
    /// For each connection.
    pub config: Arc<ServerConfig>,
    file: PathBuf,
}

impl Certificate {
    /// Makes an authority and a certificate for 127.0.0.1 and localhost; the authority's PEM goes to a file for clients to trust.
    /// `http2` takes HTTP/2 from clients that offer it.
    pub fn make(http2: bool) -> io::Result<Certificate> {
        let (authority_pem, config) = make(http2).map_err(|error| io::Error::other(error.to_string()))?;
        let file = std::env::temp_dir().join(format!("photofinish-sim-{}.pem", std::process::id()));
        std::fs::write(&file, authority_pem)?;
        Ok(Certificate { config: Arc::new(config), file })
    }
    /// The authority's certificate in PEM.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // It may have been taken away already.
        let _ = std::fs::remove_file(&self.file);
    }
}

fn make(http2: bool) -> Result<(String, ServerConfig), Box<dyn std::error::Error>> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "photofinish simulator");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))?;
    config.alpn_protocols = if http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    Ok((authority.pem(), config))
}
