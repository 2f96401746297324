//! A load balancer: haproxy, which sends each request to the next node that is well.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::node::{Node, wait_until};

pub(crate) struct Balancer {
    child: Child,
    pub(crate) address: String,
}

impl Balancer {
    pub(crate) fn before(nodes: &[Node], folder: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut text = format!(
            "global\n  maxconn 4000\n\
             defaults\n  mode http\n  timeout connect 1s\n  timeout client 60s\n  timeout server 60s\n  \
             option redispatch\n  retries 3\n  retry-on conn-failure\n\
             frontend all\n  bind 127.0.0.1:{port}\n  default_backend nodes\n\
             backend nodes\n  balance roundrobin\n  option httpchk GET /healthz\n  \
             default-server inter 200ms fall 1 rise 1\n"
        );
        for (number, node) in nodes.iter().enumerate() {
            let to = node.address.trim_start_matches("http://");
            text.push_str(&format!("  server node{number} {to} check\n"));
        }
        let (file, log) = (folder.join("haproxy.cfg"), folder.join("haproxy.log"));
        std::fs::write(&file, text).expect("written");
        let child = Command::new("haproxy")
            .args(["-db", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .expect("haproxy is installed: test.sh installs it");
        let mut balancer = Self {
            child,
            address: format!("http://127.0.0.1:{port}"),
        };
        let health = format!("{}/healthz", balancer.address);
        wait_until("the load balancer passes requests on", || {
            let said = || std::fs::read_to_string(&log).unwrap_or_default();
            assert_eq!(balancer.child.try_wait().expect("a child"), None, "{}", said());
            let answer = reqwest::blocking::get(&health);
            answer.is_ok_and(|answer| answer.status().is_success())
        });
        balancer
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
