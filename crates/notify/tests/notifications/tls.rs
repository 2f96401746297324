//! Receivers behind TLS with a certificate that nobody vouches for.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use prilavok_domain::event::Outcome;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use crate::receiver::Receiver;
use crate::shop::Shop;

struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.listener.accept().await.expect("a connection");
            // A client that does not like the certificate breaks off.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_told() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let receiver = Receiver::at(address);
    let (router, acceptor) = (receiver.router(), TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move { axum::serve(TlsListener { listener, acceptor }, router).await });

    let shop = Shop::open().await;
    let subscription = shop.subscribe(1, "crm", &format!("https://{address}/")).await;
    let _running = shop.notify();
    shop.chat(1, 1).await;
    let log = shop.wait_for_log(&subscription, 1).await;
    assert_eq!(log[0].outcome, Outcome::Failed);
    let error = log[0].attempt.error.as_deref().unwrap_or_default();
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert_eq!(receiver.received().len(), 0);
}
