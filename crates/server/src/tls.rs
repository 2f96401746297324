//! TLS by the server itself: the certificate and its key, read from files at the start and again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The files that TLS needs, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those between it and the root.
    pub certificate: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// Why TLS cannot be had; the text names the setting and the file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("wrong setting {setting}: cannot read {}: {error}", file.display())]
    Unreadable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file has no section of the kind that is looked for.
    #[error("wrong setting {setting}: there is no {wanted} in {}: it must be a PEM file", file.display())]
    Missing {
        /// The setting that names it.
        setting: &'static str,
        /// What is not there.
        wanted: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// A file is damaged.
    #[error("wrong setting {setting}: {} is damaged: {error}", file.display())]
    Damaged {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        file: PathBuf,
        /// Where.
        error: pem::Error,
    },
    /// Key and certificate are not of each other, or of a kind that is not known.
    #[error("wrong setting {KEY}: {} is no key for the certificate in {} ({CERTIFICATE}): {error}", key.display(), certificate.display())]
    Unfit {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        certificate: PathBuf,
        /// Why.
        error: rustls::Error,
    },
    /// The library refuses what we want of it.
    #[error("TLS cannot be set up: {0}")]
    Refused(#[from] rustls::Error),
}

const CERTIFICATE: &str = "server.tls_cert";
const KEY: &str = "server.tls_key";

/// What speaks TLS on connections, with the certificate that is in the files now.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: TlsFiles,
    /// What was read at the start.
    first: Stamps,
}

/// The certificate that new connections are shown.
#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads the files. HTTP/2 and HTTP/1.1 are offered; versions are TLS 1.2 and 1.3.
    pub fn new(files: TlsFiles) -> Result<Self, TlsError> {
        // Before they are read: what changes meanwhile is new.
        let first = Stamps::of(&files);
        let current = Arc::new(Current(ArcSwap::from_pointee(read(&files)?)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Who comes again is known by a ticket, and not by memory that each connection would take.
        config.ticketer = ring::Ticketer::new()?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            current,
            files,
            first,
        })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Looks at the files every two seconds, for ever, and takes what is new in them. A pair that cannot be used is
    /// logged, and the one before stays.
    pub async fn follow(&self) {
        let mut taken = self.first;
        let mut before = taken;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = Stamps::of(&self.files);
            // Two files are not written at once: what changed since the last look may change still.
            let at_rest = now == std::mem::replace(&mut before, now);
            if now == taken || !at_rest {
                continue;
            }
            taken = now;
            match read(&self.files) {
                Ok(new) => {
                    self.current.0.store(Arc::new(new));
                    tracing::info!(file = %self.files.certificate.display(), "a new certificate is in use");
                }
                Err(error) => {
                    tracing::error!(%error, "the new certificate cannot be used: the one before stays");
                }
            }
        }
    }
}

/// By which it is seen that files were written.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamps([Option<(SystemTime, u64)>; 2]);

impl Stamps {
    fn of(files: &TlsFiles) -> Self {
        let stamp = |file: &Path| {
            let metadata = std::fs::metadata(file).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        Self([stamp(&files.certificate), stamp(&files.key)])
    }
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let text = text(CERTIFICATE, &files.certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let told = |error| told(CERTIFICATE, "certificate", &files.certificate, error);
    let chain = chain.map_err(told)?;
    if chain.is_empty() {
        return Err(told(pem::Error::NoItemsFound));
    }
    let key = key(&files.key)?;
    let provider = ring::default_provider();
    CertifiedKey::from_der(chain, key, &provider).map_err(|error| TlsError::Unfit {
        key: files.key.clone(),
        certificate: files.certificate.clone(),
        error,
    })
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = text(KEY, file)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| told(KEY, "private key", file, error))
}

fn text(setting: &'static str, file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|error| TlsError::Unreadable {
        setting,
        file: file.to_owned(),
        error,
    })
}

fn told(setting: &'static str, wanted: &'static str, file: &Path, error: pem::Error) -> TlsError {
    let file = file.to_owned();
    match error {
        pem::Error::NoItemsFound => TlsError::Missing {
            setting,
            wanted,
            file,
        },
        error => TlsError::Damaged { setting, file, error },
    }
}
