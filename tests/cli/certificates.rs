//! Receivers behind TLS, as in production: HTTPS alone, a network that the settings allow, and certificates of an
//! authority that the server is told to trust.

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::binary::Server;

#[path = "../tls_listener.rs"]
mod tls_listener;
use tls_listener::TlsListener;

const ACCEPTED: &str = r#"{"version":"1.0.0","name":"crm","time":"2025-01-16T10:09:49.759084017Z"}"#;

pub(crate) fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// Starts a receiver that accepts everything; answers its port.
fn receiver(
    runtime: &Runtime,
    authority: &CertifiedIssuer<'static, KeyPair>,
    certificate: &CertificateParams,
) -> u16 {
    let key = KeyPair::generate().expect("a key");
    let certificate = certificate.signed_by(&key, authority).expect("a certificate");
    runtime.block_on(async {
        let listener = TlsListener::bind(certificate.der().clone(), key.serialize_der()).await;
        let port = listener.local_addr().expect("an address").port();
        let router = axum::Router::new().fallback(async || ACCEPTED);
        tokio::spawn(async move { axum::serve(listener, router).await });
        port
    })
}

#[test]
fn only_a_valid_certificate_is_notified() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = Runtime::new().expect("a runtime");
    let trusted = authority("trusted");
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, trusted.pem()).expect("written");
    let variables = [
        ("SSL_CERT_FILE", file.to_str().expect("a path")),
        (
            "PRILAVOK_NOTIFICATIONS__ALLOWED_NETWORKS",
            "[\"127.0.0.0/8\", \"::1/128\"]",
        ),
    ];
    let server = Server::with(folder.path(), &[], &variables);
    let (token, _) = server.set_up();
    let subscribe = |name: &str, port: u16| -> (u16, Value) {
        let path = "/operator/v1/businesses/1/subscriptions";
        let body = json!({"name": name, "url": format!("https://localhost:{port}/")});
        let request = server.request(Method::POST, path).bearer_auth(&token).json(&body);
        let answer = request.send().expect("an answer");
        (answer.status().as_u16(), answer.json().expect("JSON"))
    };
    let valid = || CertificateParams::new(["localhost".to_owned()]).expect("parameters");
    let (status, created) = subscribe("valid", receiver(&runtime, &trusted, &valid()));
    assert_eq!((status, &created["enabled"]), (201, &json!(true)), "{created}");

    let mut expired = valid();
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let foreign = CertificateParams::new(["elsewhere.example".to_owned()]).expect("parameters");
    let unknown = authority("unknown");
    for (name, port, told) in [
        (
            "expired",
            receiver(&runtime, &trusted, &expired),
            "certificate expired",
        ),
        (
            "foreign",
            receiver(&runtime, &trusted, &foreign),
            "certificate not valid for name",
        ),
        ("unknown", receiver(&runtime, &unknown, &valid()), "UnknownIssuer"),
    ] {
        let (status, answer) = subscribe(name, port);
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!("PING_FAILED")),
            "{name}"
        );
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(
            message.contains("invalid peer certificate") && message.contains(told),
            "{name}: {message}"
        );
    }
}
