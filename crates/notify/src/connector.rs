//! Connections to receivers: the address is looked up once, checked, and that very address is connected to.
//! Between check and connection no name is looked up again, so a name that changes its mind gains nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::guard::{Forbidden, Guard};

/// How long one of several addresses of a host may take before the next one is tried.
const PATIENCE: Duration = Duration::from_secs(3);

/// The addresses of a host.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host, in the order in which they are to be tried.
    fn resolve(&self, host: &str) -> Addresses;
}

/// Looks names up as the system does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> Addresses {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL names no host.
    #[error("the URL has no host")]
    NoHost,
    /// The name is not known.
    #[error("the address of {host} was not found: {source}")]
    Unknown {
        /// The host.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// It leads to where notifications are not sent.
    #[error(
        "{host} leads to {address}, {why}: it is not notified unless the settings allow its network \
         (notifications.allowed_networks) or every address (--allow-private-webhooks)"
    )]
    Forbidden {
        /// The host.
        host: String,
        /// The address that it leads to.
        address: IpAddr,
        /// What that address is.
        why: Forbidden,
    },
    /// Nobody took the connection.
    #[error("cannot connect to {address}: {source}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Connects to receivers whose address the guard allows.
#[derive(Clone)]
pub(crate) struct GuardedConnector {
    guard: Arc<Guard>,
    resolver: Arc<dyn Resolve>,
}

impl GuardedConnector {
    pub(crate) fn new(guard: Arc<Guard>, resolver: Arc<dyn Resolve>) -> Self {
        Self { guard, resolver }
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
        let host = uri.host().ok_or(ConnectError::NoHost)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let usual_port = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(usual_port);
        let mut failed = None;
        for address in self.allowed(host).await? {
            let address = SocketAddr::new(address, port);
            let connecting = tokio::time::timeout(PATIENCE, TcpStream::connect(address));
            match connecting
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            {
                Ok(stream) => {
                    // Bodies are small: waiting to fill a packet would only delay them.
                    let _ = stream.set_nodelay(true);
                    return Ok(TokioIo::new(stream));
                }
                Err(source) => failed = Some(ConnectError::Refused { address, source }),
            }
        }
        Err(failed.unwrap_or(ConnectError::NoHost))
    }

    /// The addresses of a host that may be connected to; there is at least one.
    async fn allowed(&self, host: &str) -> Result<Vec<IpAddr>, ConnectError> {
        let found = match host.parse() {
            Ok(literal) => Ok(vec![literal]),
            Err(_) => self.resolver.resolve(host).await,
        };
        let unknown = |source| ConnectError::Unknown {
            host: host.to_owned(),
            source,
        };
        let mut forbidden = None;
        let mut allowed = Vec::new();
        for address in found.map_err(unknown)? {
            match self.guard.check(address) {
                Ok(()) => allowed.push(address),
                Err(why) => forbidden = forbidden.or(Some((address, why))),
            }
        }
        match (allowed.is_empty(), forbidden) {
            (false, _) => Ok(allowed),
            (true, Some((address, why))) => Err(ConnectError::Forbidden {
                host: host.to_owned(),
                address,
                why,
            }),
            (true, None) => Err(unknown(io::Error::new(
                io::ErrorKind::NotFound,
                "it has no address",
            ))),
        }
    }
}

impl Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
