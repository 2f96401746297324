//! Whose address a request comes from, where proxies stand between.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use prilavok_notify::Network;

/// Where proxies note whom they pass a request on for: each adds one address behind those that were there.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address: that of the other end of the connection, or, as long as that is one of `proxies`, the address that it
/// says it passes the request on for. What anybody else says of himself is not looked at.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let mut address = peer.to_canonical();
    for line in headers.get_all(FORWARDED_FOR).iter().rev() {
        for text in line.to_str().unwrap_or_default().rsplit(',') {
            if !proxies.iter().any(|network| network.contains(address)) {
                return address;
            }
            match parsed(text.trim()) {
                Some(before) => address = before.to_canonical(),
                None => return address,
            }
        }
    }
    address
}

/// Some proxies write the port too.
fn parsed(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip()).ok();
    text.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn proxies_that_are_trusted_say_whom_they_speak_for() {
        let proxies = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].map(|text| text.parse().expect("a network"));
        for (peer, lines, expected) in [
            ("9.9.9.9", vec![], "9.9.9.9"),
            ("127.0.0.1", vec![], "127.0.0.1"),
            ("127.0.0.1", vec!["9.9.9.9"], "9.9.9.9"),
            ("::ffff:127.0.0.1", vec!["9.9.9.9"], "9.9.9.9"),
            ("fd00::1", vec!["2001:db8::1"], "2001:db8::1"),
            // Somebody who claims to be another one.
            ("9.9.9.9", vec!["8.8.8.8"], "9.9.9.9"),
            ("127.0.0.1", vec!["8.8.8.8, 9.9.9.9"], "9.9.9.9"),
            // Through two proxies.
            ("127.0.0.1", vec!["8.8.8.8, 9.9.9.9, 10.0.0.7"], "9.9.9.9"),
            ("127.0.0.1", vec!["8.8.8.8, 9.9.9.9", "10.0.0.7"], "9.9.9.9"),
            ("127.0.0.1", vec!["10.0.0.8,10.0.0.7"], "10.0.0.8"),
            ("127.0.0.1", vec!["9.9.9.9:4711"], "9.9.9.9"),
            ("127.0.0.1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("127.0.0.1", vec!["::ffff:9.9.9.9"], "9.9.9.9"),
            // What cannot be read ends it.
            ("127.0.0.1", vec!["9.9.9.9, unknown, 10.0.0.7"], "10.0.0.7"),
            ("127.0.0.1", vec!["9.9.9.9,"], "127.0.0.1"),
            ("127.0.0.1", vec![""], "127.0.0.1"),
            ("127.0.0.1", vec!["ж"], "127.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append(FORWARDED_FOR, HeaderValue::from_str(line).expect("a value"));
            }
            let found = client_address(peer.parse().expect("an address"), &headers, &proxies);
            assert_eq!(found.to_string(), expected, "{peer} {lines:?}");
        }
    }
}
