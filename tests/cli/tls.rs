//! TLS by the server itself: what is spoken in it, certificates that are renewed or wrong, and the way out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::binary::{Server, run};
use crate::certificates::authority;
use crate::demo::{self, Introduction};

#[path = "../http2_client.rs"]
mod http2_client;
use http2_client::{Connection, more, read, within};

const CHAT: &str = "/v2/businesses/1/chat?chatId=1";

/// The files of a certificate for `localhost`.
struct Files {
    authority: CertifiedIssuer<'static, KeyPair>,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(folder: &Path) -> Self {
        let files = Self {
            authority: authority("trusted"),
            certificate: folder.join("fullchain.pem"),
            key: folder.join("privkey.pem"),
        };
        files.renew();
        files
    }

    /// Writes another pair; answers the certificate, as it comes over the wire.
    fn renew(&self) -> Vec<u8> {
        let key = KeyPair::generate().expect("a key");
        let names = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
        let certificate = names.signed_by(&key, &self.authority).expect("a certificate");
        std::fs::write(&self.certificate, certificate.pem()).expect("written");
        std::fs::write(&self.key, key.serialize_pem()).expect("written");
        certificate.der().to_vec()
    }

    fn arguments(&self) -> [&str; 4] {
        let (certificate, key) = (self.certificate.to_str(), self.key.to_str());
        [
            "--tls-cert",
            certificate.expect("a path"),
            "--tls-key",
            key.expect("a path"),
        ]
    }
}

/// A server with demo data that speaks TLS.
struct Secured {
    files: Files,
    server: Server,
    keys: Introduction,
    runtime: Runtime,
    _folder: TempDir,
}

impl Secured {
    fn start(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::new(folder.path());
        let (server, keys) = demo::start_with(folder.path(), &files.arguments(), variables);
        Self {
            files,
            server,
            keys,
            runtime: Runtime::new().expect("a runtime"),
            _folder: folder,
        }
    }

    fn port(&self) -> u16 {
        let (scheme, port) = self.server.address.rsplit_once(':').expect("an address");
        assert_eq!(scheme, "https://127.0.0.1");
        port.parse().expect("a port")
    }

    async fn socket(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port()))
            .await
            .expect("connected")
    }

    /// A connection on which these protocols were offered.
    async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.files.authority.der().clone())
            .expect("an authority");
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").expect("a name");
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, self.socket().await);
        connecting.await.expect("a handshake")
    }

    async fn http2(&self) -> Connection {
        let stream = self.connect(&["h2", "http/1.1"]).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Connection::begin(stream).await
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("https://localhost:{}{path}", self.port()))
            .header("api-key", self.keys.seller())
    }

    /// The certificate that a new connection is shown.
    async fn shown(&self) -> Vec<u8> {
        let stream = self.connect(&[]).await;
        let certificates = stream.get_ref().1.peer_certificates().expect("certificates");
        certificates[0].to_vec()
    }
}

#[test]
fn both_versions_answer_alike() {
    let secured = Secured::start(&[]);
    secured.runtime.block_on(async {
        let head = format!(
            "GET {CHAT} HTTP/1.1\r\nHost: localhost:{}\r\nApi-Key: {}\r\nConnection: close\r\n\r\n",
            secured.port(),
            secured.keys.seller()
        );
        let mut answers = Vec::new();
        for protocols in [&["http/1.1"][..], &[]] {
            let mut stream = secured.connect(protocols).await;
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut answer = String::new();
            stream
                .read_to_string(&mut answer)
                .await
                .expect("an answer, then the end");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
            answers.push(body.to_owned());
        }
        let connection = secured.http2().await;
        let request = secured.request("GET", CHAT).body(String::new());
        let answer = connection.ask(request.expect("a request")).await;
        assert_eq!(answer.status, 200);
        answers.push(answer.body);
        let json: Value = serde_json::from_str(&answers[0]).expect("JSON");
        assert_eq!(json["result"]["chatId"], 1, "{json}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    });
}

#[test]
fn addresses_and_cookies_know_that_it_is_encrypted() {
    let secured = Secured::start(&[]);
    secured.runtime.block_on(async {
        let connection = secured.http2().await;
        let form = secured
            .request("POST", "/ui/preferences")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("theme=dark".to_owned());
        let chosen = connection.ask(form.expect("a request")).await;
        let cookie = chosen.headers["set-cookie"].to_str().expect("text");
        assert!(cookie.ends_with("; Secure"), "{cookie}");
        let file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--x--\r\n";
        let sent = secured
            .request("POST", "/v2/businesses/1/chats/file/send?chatId=1")
            .header("content-type", "multipart/form-data; boundary=x")
            .body(file.to_owned());
        assert_eq!(connection.ask(sent.expect("a request")).await.status, 200);
        let history = secured.request("POST", "/v2/businesses/1/chats/history?chatId=1");
        let history = connection.ask(history.body("{}".to_owned()).expect("a request")).await;
        let link = format!("\"url\":\"https://localhost:{}/files/1/", secured.port());
        assert!(history.body.contains(&link), "{}", history.body);
    });
}

#[test]
fn a_renewed_certificate_is_taken_and_a_bad_one_is_not() {
    let mut secured = Secured::start(&[]);
    let renewed = secured.files.renew();
    let began = Instant::now();
    while secured.runtime.block_on(secured.shown()) != renewed {
        assert!(began.elapsed() < Duration::from_secs(20), "it is never taken");
        std::thread::sleep(Duration::from_millis(200));
    }
    // A key of another certificate.
    let other = KeyPair::generate().expect("a key").serialize_pem();
    std::fs::write(&secured.files.key, other).expect("written");
    let line = secured.server.logged(|line| line["level"] == "ERROR");
    assert_eq!(
        line["message"], "the new certificate cannot be used: the one before stays",
        "{line}"
    );
    assert!(
        line["error"]
            .as_str()
            .is_some_and(|error| error.contains("privkey.pem")),
        "{line}"
    );
    assert_eq!(secured.runtime.block_on(secured.shown()), renewed);
    let again = secured.files.renew();
    secured
        .server
        .logged(|line| line["message"] == "a new certificate is in use");
    assert_eq!(secured.runtime.block_on(secured.shown()), again);
}

#[test]
fn what_is_wrong_with_a_certificate_stops_the_start_and_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files::new(folder.path());
    let (good, key) = (files.certificate.clone(), files.key.clone());
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let empty = write("empty.pem", "");
    let damaged = write(
        "damaged.pem",
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    );
    let others = write("others.pem", &KeyPair::generate().expect("a key").serialize_pem());
    let missing = folder.path().join("missing.pem");
    for (certificate, key, told) in [
        (
            Some(&missing),
            Some(&key),
            ["server.tls_cert: cannot read ", "missing.pem: No such file"],
        ),
        (
            Some(&good),
            Some(&missing),
            ["server.tls_key: cannot read ", "missing.pem: No such file"],
        ),
        (
            Some(&empty),
            Some(&key),
            ["server.tls_cert: there is no certificate in ", "empty.pem"],
        ),
        (
            Some(&key),
            Some(&key),
            ["server.tls_cert: there is no certificate in ", "privkey.pem"],
        ),
        (
            Some(&damaged),
            Some(&key),
            ["server.tls_cert: ", "damaged.pem is damaged"],
        ),
        (
            Some(&good),
            Some(&good),
            ["server.tls_key: there is no private key in ", "fullchain.pem"],
        ),
        (
            Some(&good),
            Some(&others),
            ["server.tls_key: ", "others.pem is no key for the certificate in "],
        ),
        (Some(&good), None, ["server.tls_key: is missing", "needs its key"]),
        (
            None,
            Some(&key),
            ["server.tls_cert: is missing", "needs its certificate"],
        ),
    ] {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        for (name, file) in [("--tls-cert", certificate), ("--tls-key", key)] {
            if let Some(file) = file {
                arguments.extend([name, file.to_str().expect("a path")]);
            }
        }
        let said = run(folder.path(), &arguments);
        assert_eq!((said.code, &*said.out), (Some(1), ""), "{said:?}");
        let begins = format!("prilavok: wrong setting {}", told[0]);
        assert!(
            said.err.starts_with(&begins) && said.err.contains(told[1]),
            "{told:?}: {said:?}"
        );
    }
}

#[test]
fn a_slow_handshake_holds_up_nobody_and_is_given_up() {
    let secured = Secured::start(&[("PRILAVOK_SERVER__HEADER_TIMEOUT_SECONDS", "1")]);
    secured.runtime.block_on(async {
        let began = Instant::now();
        let mut slow = Vec::new();
        for _ in 0..50 {
            let mut socket = secured.socket().await;
            socket.write_all(&[22, 3, 1]).await.expect("sent");
            slow.push(socket);
        }
        let connection = secured.http2().await;
        let request = secured.request("GET", CHAT).body(String::new());
        assert_eq!(connection.ask(request.expect("a request")).await.status, 200);
        for mut socket in slow {
            let mut rest = Vec::new();
            // An end or a reset: the system's affair.
            let _ = within(socket.read_to_end(&mut rest)).await;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        // A client that speaks no TLS is sent away as well.
        let mut plain = secured.socket().await;
        plain
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("sent");
        let mut rest = Vec::new();
        let _ = within(plain.read_to_end(&mut rest)).await;
        assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
    });
}

#[test]
fn events_are_streamed_and_who_leaves_gives_back_its_place() {
    let secured = Secured::start(&[]);
    secured.runtime.block_on(async {
        let connection = secured.http2().await;
        let listening = secured.request("GET", "/v2/businesses/1/events").body(());
        let (answer, sending) = connection.send(listening.expect("a request"), true).await;
        let (head, mut body) = within(answer).await.expect("an answer").into_parts();
        assert_eq!(head.headers["content-type"], "text/event-stream");
        assert!(more(&mut body).await.expect("a part").is_some());
        // One more in the older version.
        let mut older = secured.connect(&["http/1.1"]).await;
        let head = format!(
            "GET /v2/businesses/1/events HTTP/1.1\r\nHost: x\r\nApi-Key: {}\r\n\r\n",
            secured.keys.seller()
        );
        older.write_all(head.as_bytes()).await.expect("sent");
        let mut heard = String::new();
        let mut hear = async |wanted: &str| {
            let mut part = [0; 4096];
            while !heard.contains(wanted) {
                let read = within(older.read(&mut part)).await.expect("a part");
                assert!(read > 0, "{heard}");
                heard.push_str(std::str::from_utf8(&part[..read]).expect("text"));
            }
        };
        hear("retry: ").await;
        let message = secured.request("POST", "/v2/businesses/1/chats/message?chatId=1");
        let message = message.body("{\"message\":\"x\"}".to_owned()).expect("a request");
        assert_eq!(connection.ask(message).await.status, 200);
        let event = more(&mut body).await.expect("a part").expect("an event");
        assert!(event.contains("event: CHAT_MESSAGE_SENT"), "{event}");
        hear("event: CHAT_MESSAGE_SENT").await;
        wait_for_streams(&connection, &secured, 2).await;
        drop((body, sending));
        wait_for_streams(&connection, &secured, 1).await;
        // It says good-bye as TLS has it, and leaves its socket open.
        older.get_mut().1.send_close_notify();
        older.flush().await.expect("sent");
        wait_for_streams(&connection, &secured, 0).await;
    });
}

async fn wait_for_streams(connection: &Connection, secured: &Secured, open: usize) {
    let wanted = format!("prilavok_event_streams{{surface=\"partner\"}} {open}\n");
    wait_for(connection, secured, &wanted).await;
}

/// Waits until the measures have this line.
async fn wait_for(connection: &Connection, secured: &Secured, wanted: &str) {
    let began = Instant::now();
    loop {
        let request = secured.request("GET", "/metrics").body(String::new());
        let text = connection.ask(request.expect("a request")).await.body;
        if text.contains(wanted) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "not {wanted}: {text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let secured = Secured::start(&[("PRILAVOK_SERVER__WRITE_TIMEOUT_SECONDS", "1")]);
    secured.runtime.block_on(async {
        let connection = secured.http2().await;
        // More than the buffers of both sides hold.
        let content = "x".repeat(5 << 20);
        let form = format!(
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n{content}\r\n--x--\r\n"
        );
        let (sent, mut sending) = connection
            .send(
                secured
                    .request("POST", "/v2/businesses/1/chats/file/send?chatId=1")
                    .header("content-type", "multipart/form-data; boundary=x")
                    .body(())
                    .expect("a request"),
                false,
            )
            .await;
        sending.send_data(form.into(), true).expect("sent");
        assert_eq!(within(read(sent)).await.status, 200);
        let history = secured.request("POST", "/v2/businesses/1/chats/history?chatId=1&limit=100");
        let history = connection.ask(history.body("{}".to_owned()).expect("a request")).await;
        let (_, link) = history.body.rsplit_once("\"url\":\"https://").expect("a link");
        let link = link.split('"').next().expect("its end").replace("\\u0026", "&");
        let path = &link[link.find('/').expect("a path")..];
        let mut idle = secured.connect(&["http/1.1"]).await;
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        idle.write_all(head.as_bytes()).await.expect("sent");
        let mut first = [0; 12];
        idle.read_exact(&mut first).await.expect("a beginning");
        assert_eq!(&first, b"HTTP/1.1 200");
        wait_for(&connection, &secured, "prilavok_connections 2\n").await;
        wait_for(&connection, &secured, "prilavok_connections 1\n").await;
    });
}

#[test]
fn what_runs_on_a_connection_is_finished_at_a_stop() {
    let mut secured = Secured::start(&[]);
    let runtime = std::mem::replace(&mut secured.runtime, Runtime::new().expect("a runtime"));
    runtime.block_on(async {
        let connection = secured.http2().await;
        let listening = secured.request("GET", "/v2/businesses/1/events").body(());
        let (events, _sending) = connection.send(listening.expect("a request"), true).await;
        let (_, mut events) = within(events).await.expect("an answer").into_parts();
        assert!(more(&mut events).await.expect("a part").is_some());
        let message = secured
            .request("POST", "/v2/businesses/1/chats/message?chatId=1")
            .body(());
        let (answer, mut sending) = connection.send(message.expect("a request"), false).await;
        let (first, rest) = "{\"message\":\"the last word\"}".split_at(5);
        sending.send_data(first.into(), false).expect("sent");
        // Answered, so what was sent before it is known too.
        let request = secured.request("GET", CHAT).body(String::new());
        assert_eq!(connection.ask(request.expect("a request")).await.status, 200);
        secured.server.signal("TERM");
        let stopping = |line: &Value| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("stopping"))
        };
        secured.server.logged(stopping);
        assert_eq!(more(&mut events).await.expect("a good end"), None);
        sending.send_data(rest.into(), true).expect("sent");
        let answer = within(read(answer)).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, "{\"status\":\"OK\"}")
        );
        connection.ended().await;
    });
    assert!(secured.server.ended().success());
}

#[test]
fn a_stream_that_cannot_be_told_of_a_stop_is_cut_off() {
    let mut secured = Secured::start(&[]);
    let runtime = std::mem::replace(&mut secured.runtime, Runtime::new().expect("a runtime"));
    runtime.block_on(async {
        let stream = secured.connect(&["h2"]).await;
        // It has no room for anything, not even for the beginning.
        let connection = Connection::with_room_for(0, stream).await;
        let listening = secured.request("GET", "/v2/businesses/1/events").body(());
        let (events, _sending) = connection.send(listening.expect("a request"), true).await;
        let (_, mut events) = within(events).await.expect("an answer").into_parts();
        let stopped = Instant::now();
        secured.server.signal("TERM");
        let ended = within(events.data())
            .await
            .expect("an end")
            .expect_err("no good end");
        assert_eq!(ended.reason(), Some(h2::Reason::CANCEL), "{ended}");
        connection.ended().await;
        assert!(
            stopped.elapsed() < Duration::from_secs(8),
            "{:?}",
            stopped.elapsed()
        );
    });
    let last = secured.server.logged(|line| line["message"] == "stopped");
    assert_eq!(last["level"], "INFO", "{last}");
    assert!(secured.server.ended().success());
}
