//! URLs of subscriptions, and the guard of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use prilavok_notify::{Guard, Network, Target};

use crate::choose;

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let Some((which, rest)) = choose(data, 4) else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    match which {
        0 => url(&text),
        // Hosts that come close to addresses.
        1 => url(&format!("https://{text}")),
        2 => address(rest),
        _ => network(&text),
    }
}

fn url(text: &str) {
    let guard = Guard::public_and(Vec::new());
    let open = Guard::open();
    let target = match Target::parse(text, &guard) {
        Ok(target) => target,
        Err(error) => {
            assert!(error.to_string().starts_with("must "), "{error}");
            return;
        }
    };
    assert_eq!(
        Target::parse(target.as_str(), &guard).as_ref(),
        Ok(&target),
        "kept, it is the same: {text}"
    );
    assert_eq!(Target::parse(text, &open).as_ref(), Ok(&target), "{text}");
    assert!(
        target.as_str().is_ascii() && target.as_str().len() <= 2_048,
        "{}",
        target.as_str()
    );
    assert!(
        target.as_str().starts_with("https://") && !target.as_str().contains('#'),
        "{}",
        target.as_str()
    );
    // Who is connected to is who was checked.
    let uri = target.uri();
    assert_eq!(uri.to_string(), target.as_str());
    assert_eq!(uri.host(), Some(target.host()), "{text}");
    let authority = uri.authority().expect("an authority").as_str();
    assert!(!authority.contains('@'), "{authority}");
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    assert_eq!(authority, format!("{}{port}", target.host()), "{text}");
    let host = target.host().trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse::<IpAddr>() {
        assert_eq!(guard.check(address), Ok(()), "{text}");
        public(address);
    }
}

fn address(bytes: &[u8]) {
    let guard = Guard::public_and(Vec::new());
    if let Some(octets) = bytes.first_chunk::<4>() {
        let v4 = Ipv4Addr::from(*octets);
        let verdict = guard.check(v4.into());
        if verdict.is_ok() {
            public(v4.into());
        }
        // The same inside of IPv6.
        let [a, b, c, d] = octets.map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        assert_eq!(guard.check(v4.to_ipv6_mapped().into()), verdict, "{v4}");
        for v6 in [
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0x8000, 0xffff, !high, !low),
        ] {
            assert_eq!(guard.check(v6.into()), verdict, "{v6}");
        }
    }
    if let Some(octets) = bytes.first_chunk::<16>() {
        let v6 = IpAddr::from(*octets);
        if guard.check(v6).is_ok() {
            public(v6);
        }
        assert_eq!(Guard::open().check(v6), Ok(()));
    }
}

/// What the standard library calls anything but public was not let pass.
fn public(address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            let inside = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified();
            let many = v4.is_broadcast() || v4.is_multicast() || v4.is_documentation();
            assert!(!inside && !many, "{v4}");
        }
        IpAddr::V6(v6) => {
            let inside = v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local();
            assert!(
                !inside && !v6.is_unicast_link_local() && !v6.is_multicast(),
                "{v6}"
            );
            if let Some(v4) = v6.to_ipv4() {
                public(v4.into());
            }
        }
    }
}

fn network(text: &str) {
    let Ok(network) = text.parse::<Network>() else {
        return;
    };
    let shown = network.to_string();
    assert_eq!(shown.parse(), Ok(network), "{text}");
    let (address, _) = shown.split_once('/').expect("a length");
    let address: IpAddr = address.parse().expect("an address");
    // IPv4 inside of IPv6 is looked at as IPv4.
    if address.is_ipv4() || address.to_canonical() == address && !embeds_v4(address) {
        let guard = Guard::public_and(vec![network]);
        assert_eq!(guard.check(address), Ok(()), "{text}");
    }
}

fn embeds_v4(address: IpAddr) -> bool {
    let IpAddr::V6(v6) = address else { return false };
    matches!(
        v6.segments(),
        [0, 0, 0, 0, ..] | [0x64, 0xff9b, ..] | [0x2002, ..] | [0x2001, 0, ..]
    )
}
