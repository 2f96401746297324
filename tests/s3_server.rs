//! A store that speaks S3, as a process of its own that can be killed. `scripts/s3-server.sh` installs it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use prilavok_store::files::{Bucket, Location};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/s3-server/bin/s3s-fs");
const KEY: &str = "a-key";
const SECRET: &str = "its secret";

/// It keeps its buckets in a folder; there is one, `prilavok`.
pub(crate) struct S3Server {
    child: Child,
    root: PathBuf,
    address: SocketAddr,
}

impl S3Server {
    pub(crate) fn start(root: &Path) -> Self {
        std::fs::create_dir_all(root.join("prilavok")).expect("a bucket");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let child = run(root, address);
        Self {
            child,
            root: root.to_owned(),
            address,
        }
    }

    /// A place in its bucket.
    #[allow(dead_code, reason = "a server is told by its command line")]
    pub(crate) fn bucket(&self) -> Bucket {
        let location = "s3://prilavok/chat/files".parse().expect("a location");
        let Location::Bucket(bucket) = location else {
            panic!("{location:?} is no bucket");
        };
        bucket
    }

    /// What those who use it are told by.
    pub(crate) fn variables(&self) -> [(String, String); 5] {
        [
            ("AWS_ENDPOINT_URL", &*format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    /// Where the content of an object is.
    #[allow(dead_code, reason = "not every suite looks")]
    pub(crate) fn path(&self, object: &str) -> PathBuf {
        self.root.join("prilavok/chat/files").join(object)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again with what it has.
    #[allow(dead_code, reason = "not every suite kills it")]
    pub(crate) fn start_again(&mut self) {
        self.kill();
        self.child = run(&self.root, self.address);
    }
}

fn run(root: &Path, address: SocketAddr) -> Child {
    let port = address.port().to_string();
    let child = Command::new(PROGRAM)
        .args(["--host", "127.0.0.1", "--port", &port])
        .args(["--access-key", KEY, "--secret-key", SECRET])
        .arg(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{PROGRAM}: {error}; scripts/s3-server.sh installs it"));
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.kill();
    }
}
